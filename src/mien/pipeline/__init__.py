"""Stages in order: image, folder, stream and upload are one path."""
