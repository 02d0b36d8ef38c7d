"""`python -m mien.cli` is `mien`."""

from mien.cli.main import main

main()
