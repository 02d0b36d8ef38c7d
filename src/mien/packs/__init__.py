"""Which networks exist, which are installed, and how they get here."""
