"""The contract between councils' nodes and a region's coordinator.

Holds the wire format (`folkmoot.v1`) and the domain types both sides share. Nothing in
this package is about residents: it deals with public code lists and noisy counts.
"""
