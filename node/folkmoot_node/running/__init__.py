"""`serve` and the processes it starts."""
