"""Facts gathered from what the node has: one subject a module."""
