"""What changed in the schema from version to version."""
