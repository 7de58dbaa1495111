"""Plugins in confined processes, as the data sources and risk factors that callers know."""
