"""The table of one row that says which node the database belongs to."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

ORIGIN = Tables("casework_origin", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the table when it starts."""


class Base(DeclarativeBase):
    """Base of the table."""


class OriginRow(Base):
    """The node."""

    __tablename__ = "casework_origin"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    """Always 1."""
    council: Mapped[str] = mapped_column(String(9))
    """GSS code."""
    node_id: Mapped[str] = mapped_column(String(32))
    """Random, as the node's folder has it."""
