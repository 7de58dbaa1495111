"""The table of authority: opaque ids of households."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

AUTHORITY = Tables("casework_authority", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the tables when it starts."""


class Base(DeclarativeBase):
    """Base of the tables."""


class HouseholdRow(Base):
    """A household that somebody has had to do with: what addresses and logs call it."""

    __tablename__ = "casework_households"

    household_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    """Random; says nothing about the household."""
    uprn: Mapped[int] = mapped_column(BigInteger, unique=True)
