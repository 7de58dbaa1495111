"""Migrations of the tables of cohorts."""
