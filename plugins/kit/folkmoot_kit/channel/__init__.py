"""Frames between the node and a confined process: JSON, and columns as Arrow IPC."""
