"""Migrations of the tables of authority."""
