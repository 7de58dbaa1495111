"""How precise a round will be, before it is opened."""
