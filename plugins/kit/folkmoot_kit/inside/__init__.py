"""What runs in a plugin's process, beside the plugin."""
