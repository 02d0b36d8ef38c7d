"""Labelled data as other programs write it."""
