"""Which councils belong to the region, and how a caller proves to be one of them."""
