"""The web site of the region."""
