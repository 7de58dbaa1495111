"""Migrations of the table of openings."""
