"""Pure functions on arrays: boxes, transforms, vectors, drawing."""
