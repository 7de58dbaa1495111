"""What crosses between the node and a plugin's process: frames, plain values, columns."""
