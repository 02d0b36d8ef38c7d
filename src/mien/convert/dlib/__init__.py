"""dlib: networks and shape predictors in its serialised streams (.dat)."""
