"""Results of rounds and series, written to files with their statements."""
