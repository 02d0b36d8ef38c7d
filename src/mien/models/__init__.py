"""Networks by family: one file each, one line in `table.py`; their numbers live in manifests."""
