"""One-to-one: are these two the same person?"""
