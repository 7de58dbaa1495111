"""Which node the database of casework belongs to."""
