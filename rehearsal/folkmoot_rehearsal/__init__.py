"""Synthetic councils, and a launcher that runs a whole region on one machine."""
