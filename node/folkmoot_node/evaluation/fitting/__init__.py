"""Proposes a risk policy from back-tests: an additive scorecard in whole points."""
