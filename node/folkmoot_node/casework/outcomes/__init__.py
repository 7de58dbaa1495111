"""What came of cases: how often there was a need, for whom, and what goes back to scoring."""
