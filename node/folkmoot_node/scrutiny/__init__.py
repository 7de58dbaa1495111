"""Facts about a node that scrutiny asks for, and documents made from them."""
