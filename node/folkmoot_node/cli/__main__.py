"""Runs the command as `python -m folkmoot_node.cli`."""

from folkmoot_node.cli import main

main()
