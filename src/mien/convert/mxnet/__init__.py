"""MXNet: a symbol of any version and its params."""
