"""Data types only: images, faces, matches. No input, no output, no networks."""
