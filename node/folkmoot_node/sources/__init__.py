"""From a plugin to checked records. Residents' records: zone R."""
