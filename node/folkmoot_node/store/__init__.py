"""What is kept of households, encrypted. Residents' records: zone R."""
