"""What `node.toml` says. Knows nothing else of the node."""
