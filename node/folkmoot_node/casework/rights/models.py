"""Tables of residents' rights.

Times are seconds since 1970-01-01T00:00:00Z; days are ISO 8601.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

RIGHTS = Tables("casework_rights", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the tables when it starts."""


class Base(DeclarativeBase):
    """Base of the tables."""


class ObjectionRow(Base):
    """An objection of a household, and how it was answered."""

    __tablename__ = "casework_objections"

    objection_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    household_id: Mapped[str] = mapped_column(String(16), index=True)
    case_id: Mapped[str] = mapped_column(String(16), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    """A `Kind`."""
    field: Mapped[str | None] = mapped_column(String(63))
    """The input in dispute; null for the processing as a whole."""
    said: Mapped[str] = mapped_column(Text)
    said_by: Mapped[str] = mapped_column(Text)
    """Who for the household, and how they reached the council."""
    received_on: Mapped[str] = mapped_column(String(10))
    due_on: Mapped[str] = mapped_column(String(10), index=True)
    recorded_at: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(String(254))
    answerer: Mapped[str | None] = mapped_column(String(254), index=True)
    """Who is to answer it, by the name with which they sign in."""
    state: Mapped[str] = mapped_column(String(20), index=True)
    """An `ObjectionState`."""
    effect: Mapped[str | None] = mapped_column(String(20))
    """An `Effect`, of one that was upheld."""
    withholds: Mapped[bool | None] = mapped_column(Boolean)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[int | None] = mapped_column(BigInteger)
    answered_by: Mapped[str | None] = mapped_column(String(254))
    seen: Mapped[str | None] = mapped_column(Text)
    """The score with and without the input, as who answered saw it: JSON."""
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    """When it was withdrawn, or ceased to have an effect."""
    ended_by: Mapped[str | None] = mapped_column(String(254))
    ended_why: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


class RequestRow(Base):
    """A request for access, rectification or erasure."""

    __tablename__ = "casework_requests"

    request_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    household_id: Mapped[str] = mapped_column(String(16), index=True)
    case_id: Mapped[str] = mapped_column(String(16), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    """A `RequestKind`."""
    asked_by: Mapped[str] = mapped_column(Text)
    """Who asks, about whom, and how their identity was checked."""
    received_on: Mapped[str] = mapped_column(String(10))
    due_on: Mapped[str] = mapped_column(String(10), index=True)
    recorded_at: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(20), index=True)
    """A `RequestState`."""
    shown: Mapped[str | None] = mapped_column(Text)
    """JSON list: references of texts that may be shown after review."""
    hidden: Mapped[str | None] = mapped_column(Text)
    """JSON list: references of texts that a reviewer keeps back."""
    reviewed_at: Mapped[int | None] = mapped_column(BigInteger)
    reviewed_by: Mapped[str | None] = mapped_column(String(254))
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[int | None] = mapped_column(BigInteger)
    answered_by: Mapped[str | None] = mapped_column(String(254))
    version: Mapped[int] = mapped_column(Integer)


class HoldRow(Base):
    """A legal hold: nothing about the household is deleted before its last day."""

    __tablename__ = "casework_holds"

    hold_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    household_id: Mapped[str] = mapped_column(String(16), index=True)
    why: Mapped[str] = mapped_column(Text)
    until: Mapped[str] = mapped_column(String(10))
    placed_at: Mapped[int] = mapped_column(BigInteger)
    placed_by: Mapped[str] = mapped_column(String(254))
    lifted_at: Mapped[int | None] = mapped_column(BigInteger)
    lifted_by: Mapped[str | None] = mapped_column(String(254))


class ErasureRow(Base):
    """That a household was erased: its random id, which nothing connects with a UPRN any more."""

    __tablename__ = "casework_erasures"

    household_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    ground: Mapped[str] = mapped_column(String(40))
    """A `Ground`."""
    erased_at: Mapped[int] = mapped_column(BigInteger)
    erased_by: Mapped[str] = mapped_column(String(254))
    counts: Mapped[str] = mapped_column(Text)
    """JSON: how many entries each room had."""
