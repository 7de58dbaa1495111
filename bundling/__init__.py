"""Makes offline bundles: everything that one role needs, in a folder that can be checked.

Runs on a machine that reaches a package index; what it makes is installed on one that does not.
"""
