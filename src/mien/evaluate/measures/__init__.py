"""Pure functions from arrays to error rates; each by the standard or paper that defined it."""
