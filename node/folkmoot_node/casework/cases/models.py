"""Tables of cases.

Times are seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

CASES = Tables("casework_cases", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the tables when it starts."""


class Base(DeclarativeBase):
    """Base of the tables."""


class CaseRow(Base):
    """Work about one household for one purpose."""

    __tablename__ = "casework_cases"

    case_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    """Random; what addresses and logs call it."""
    household_id: Mapped[str] = mapped_column(String(16), index=True)
    purpose: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20), index=True)
    """A `CaseState`."""
    cohort_id: Mapped[str | None] = mapped_column(String(16), index=True)
    """Whose member the household was; null where a person opened the case for another reason."""
    why: Mapped[str] = mapped_column(Text)
    """Why somebody decided to open it."""
    team: Mapped[str | None] = mapped_column(String(100), index=True)
    worker: Mapped[str | None] = mapped_column(String(254), index=True)
    """Name with which they sign in."""
    opened_at: Mapped[int] = mapped_column(BigInteger)
    opened_by: Mapped[str] = mapped_column(String(254))
    flagged_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the run finished by which the household was in the cohort."""
    band: Mapped[str | None] = mapped_column(String(100))
    """In that run: kept for outcomes, whatever later runs say."""
    assessment: Mapped[str] = mapped_column(Text)
    """The risk assessment when the case was opened, as JSON; see `Explanation.as_json`."""
    review_on: Mapped[str | None] = mapped_column(String(10))
    """Date as ISO 8601."""
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer)
    """Goes up with each change: whoever changes an older one is told."""
