"""Unlabelled faces into groups of one person each, with numbers that stay when faces are added."""
