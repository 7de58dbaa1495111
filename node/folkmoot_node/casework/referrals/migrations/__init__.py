"""Migrations of the tables of referrals."""
