"""Versions of the tables of API keys."""
