"""The command `folkmoot-plugin`."""
