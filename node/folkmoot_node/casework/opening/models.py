"""The table of openings.

Times are seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

OPENINGS = Tables("casework_openings", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the table when it starts."""


class Base(DeclarativeBase):
    """Base of the table."""


class OpeningRow(Base):
    """A household that somebody has opened, for a time."""

    __tablename__ = "casework_openings"
    __table_args__ = (Index("casework_openings_account", "account", "opened_at"),)

    opening_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    account: Mapped[str] = mapped_column(String(254))
    """Name with which they sign in."""
    case_id: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
