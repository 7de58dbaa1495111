"""Tables of drafts, in the viewer's own database.

The viewer's process may write there, and nowhere else. Times are seconds since
1970-01-01T00:00:00Z. SQL stays portable between SQLite and PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_coordinator.database.schema import Schema
from folkmoot_operator.sql_migrations import Tables

DRAFTS = Schema(
    tables=Tables("drafts", Path(__file__).parent / "migrations", "0001"),
    what="the database of drafts",
    lost="Start `folkmoot-coordinator serve`, which makes an empty one. Drafts that were not "
    "opened are in its backup; rounds that were opened are in the region's database",
    damaged="Stop the coordinator, and move the file away: an empty one is made. Rounds that were "
    "opened are in the region's database; other drafts are in the newest backup",
    setting="viewer.database",
    is_made_when_missing=True,
)
"""What the viewer keeps of drafts. Other tables may be in the same database."""


class Base(DeclarativeBase):
    """Base of the tables."""


class DraftRow(Base):
    """A draft of a round."""

    __tablename__ = "drafts"

    draft_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    title: Mapped[str]
    question: Mapped[str] = mapped_column(Text)
    """As `Question.serialise` gives it."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of `question`."""
    author: Mapped[str] = mapped_column(String(200))
    author_kind: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), index=True)
    round_id: Mapped[str | None] = mapped_column(String(32))
    """The round that was opened from it; null while there is none."""
    note: Mapped[str | None]
    """Why it was refused or withdrawn, or why it could not be opened yet; null if neither."""


class DecisionRow(Base):
    """What somebody decided about a draft."""

    __tablename__ = "draft_decisions"

    number: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[str] = mapped_column(ForeignKey("drafts.draft_id"), index=True)
    action: Mapped[str] = mapped_column(String(16))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Of the question that they saw."""
    person: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None]
