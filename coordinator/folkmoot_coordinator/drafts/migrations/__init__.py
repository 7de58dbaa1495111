"""Versions of the database's tables, applied in order by Alembic."""
