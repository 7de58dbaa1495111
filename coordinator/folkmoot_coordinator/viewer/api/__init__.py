"""`/api/v1`: what programs read."""
