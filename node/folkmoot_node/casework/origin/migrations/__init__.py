"""Migrations of the table of the origin."""
