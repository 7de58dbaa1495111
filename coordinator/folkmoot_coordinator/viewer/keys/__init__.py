"""API keys: what programs show in place of a person who signs in."""
