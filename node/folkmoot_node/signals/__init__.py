"""What the node shows of itself: lists of events, metrics and spans, and nothing that acts."""
