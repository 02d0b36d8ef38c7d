"""How good the answers are: measures over arrays, readers of labelled data, reports."""
