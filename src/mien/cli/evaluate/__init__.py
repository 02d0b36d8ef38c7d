"""`mien evaluate`: one file per noun."""
