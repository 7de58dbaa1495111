"""Runs plugins apart from the node, checks what they do, and signs what was found.

The node starts plugins with it; a vendor checks, signs and tries them with the command
`folkmoot-plugin`.
"""
