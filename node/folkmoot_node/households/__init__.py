"""One row for each household, combined from records. Residents' records: zone R."""
