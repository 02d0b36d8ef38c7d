"""Bytes to pictures and back; the only room that decodes."""
