"""Migrations of the tables of cases."""
