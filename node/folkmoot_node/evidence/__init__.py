"""What outlives a run, and what has left: durable and hash-chained. Zone W."""
