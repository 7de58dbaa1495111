"""The risk policy applied to households: factors, score, band, explanation. Zone R."""
