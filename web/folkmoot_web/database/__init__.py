"""Where a site keeps its state."""
