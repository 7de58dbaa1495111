"""Migrations of the tables of residents' rights."""
