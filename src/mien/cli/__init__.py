"""The command line: translates words in and results out, and does nothing else."""
