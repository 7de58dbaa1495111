"""Attempts to get out of confinement, and whether each was contained."""
