"""From noisy counts to regional estimates. A pure function of releases: no database, no files."""
