"""Attempts to break out of the confinement, each run inside it as plugin code."""
