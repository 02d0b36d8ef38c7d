"""Charts of an evaluation as SVG: one file for each kind, a table of them in `drawing.py`."""
