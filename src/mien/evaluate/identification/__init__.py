"""One-to-many: who is this, if anybody we know?"""
