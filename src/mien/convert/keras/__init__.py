"""Keras: models in HDF5."""
