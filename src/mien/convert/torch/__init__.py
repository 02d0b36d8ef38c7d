"""PyTorch: state dicts of networks that are known here; torch itself is never imported."""
