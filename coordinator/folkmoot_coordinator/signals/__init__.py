"""What the coordinator shows of itself: events, metrics, traces. Lists, and nothing that acts."""
