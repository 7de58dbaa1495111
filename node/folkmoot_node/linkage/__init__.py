"""Finds households for records without a UPRN. Residents' records: zone R."""
