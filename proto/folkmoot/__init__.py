"""The contract between councils' nodes and a region's coordinator.

Holds the wire format (`folkmoot.v1`) and the domain types both sides share. Nothing in
this package knows of residents: it speaks of public code lists and of noisy counts.
"""
