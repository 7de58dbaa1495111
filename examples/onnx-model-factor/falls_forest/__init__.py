"""Probability of an emergency admission after a fall, as a Folkmoot risk factor."""
