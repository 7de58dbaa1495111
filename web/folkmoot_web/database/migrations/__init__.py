"""Migrations of the kit's tables."""
