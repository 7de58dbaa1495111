"""Starts a process that can reach nothing but what it was given, and shows that it cannot."""
