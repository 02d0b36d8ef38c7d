"""What one does with photographs of people: enrol them, group those of an album, look for the missing."""
