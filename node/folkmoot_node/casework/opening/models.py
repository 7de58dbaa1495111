"""The tables of openings, restrictions, searches and exports.

Times are seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

OPENINGS = Tables("casework_openings", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the tables when it starts."""


class Base(DeclarativeBase):
    """Base of the tables."""


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
    """Earlier than it was at first where somebody has closed the household."""
    renews: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether the household was open for them already: it does not count as another one."""


class RestrictionRow(Base):
    """A household that only those may open who restrict households."""

    __tablename__ = "casework_restrictions"

    restriction_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    household_id: Mapped[str] = mapped_column(String(16), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    """A `RestrictionKind`."""
    reason: Mapped[str] = mapped_column(Text)
    ends_on: Mapped[str] = mapped_column(String(10))
    """Last day, date as ISO 8601; see `RestrictionKind` for what happens then."""
    made_at: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[str] = mapped_column(String(254))
    lifted_at: Mapped[int | None] = mapped_column(BigInteger)


class BarRow(Base):
    """A household that one person may not see, whatever their roles."""

    __tablename__ = "casework_bars"
    __table_args__ = (Index("casework_bars_account", "account", "household_id"),)

    bar_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    household_id: Mapped[str] = mapped_column(String(16))
    account: Mapped[str] = mapped_column(String(254))
    """Name with which they sign in."""
    reason: Mapped[str] = mapped_column(Text)
    made_at: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[str] = mapped_column(String(254))
    lifted_at: Mapped[int | None] = mapped_column(BigInteger)


class SearchRow(Base):
    """A search by somebody who stated a reason, and the household that it found."""

    __tablename__ = "casework_searches"
    __table_args__ = (Index("casework_searches_account", "account", "searched_at"),)

    search_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    account: Mapped[str] = mapped_column(String(254))
    """Name with which they sign in."""
    searched_at: Mapped[int] = mapped_column(BigInteger)
    household_id: Mapped[str | None] = mapped_column(String(16))
    """Null where nothing was found that they may see."""


class ExportRow(Base):
    """A file that somebody made of a list."""

    __tablename__ = "casework_exports"
    __table_args__ = (Index("casework_exports_account", "account", "made_at"),)

    export_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    account: Mapped[str] = mapped_column(String(254))
    """Name with which they sign in."""
    made_at: Mapped[int] = mapped_column(BigInteger)
    what: Mapped[str] = mapped_column(String(200))
