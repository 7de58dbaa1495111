"""Pictures of figures with what the noise leaves open: maps, charts, and pages on paper."""
