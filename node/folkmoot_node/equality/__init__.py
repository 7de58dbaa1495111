"""The equality audit; reads the store only. Residents' records: zone R."""
