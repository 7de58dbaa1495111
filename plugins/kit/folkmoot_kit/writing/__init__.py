"""Skeletons of new plugins, and a plugin tried on a sample without a node."""
