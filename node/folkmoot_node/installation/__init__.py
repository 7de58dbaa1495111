"""The installed files, and which of them the council has accepted."""
