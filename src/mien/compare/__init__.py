"""Mien beside other programs, on the same photographs and, where they take them, the same weights."""
