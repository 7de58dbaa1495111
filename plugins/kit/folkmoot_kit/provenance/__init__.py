"""Who made a plugin, who reviewed it, and whether it is the one that was agreed to."""
