"""Where networks are trained, compressed and converted into packs.

`mien` never imports this package; what the lab makes reaches `mien` as a pack.
"""
