"""Migrations of the tables of API keys."""
