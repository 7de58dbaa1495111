"""Tables of cases.

Times are seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

CASES = Tables("casework_cases", Path(__file__).parent / "migrations", "0002")
"""For the site, which makes the tables when it starts."""
RIGHTS_PURPOSE = "resident's rights"
"""Purpose of a case that was opened to answer a resident, and not to help the household."""


class Base(DeclarativeBase):
    """Base of the tables."""


class CaseRow(Base):
    """Work about one household for one purpose."""

    __tablename__ = "casework_cases"
    __table_args__ = (
        # A household has one case at a time for a purpose, whoever opens, reopens or moves one.
        Index(
            "casework_cases_one_at_a_time",
            "household_id",
            "purpose",
            unique=True,
            sqlite_where=text("state <> 'closed'"),
            postgresql_where=text("state <> 'closed'"),
        ),
    )

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


class ChangeRow(Base):
    """A change of a case: who has it, where it stands, when it is looked at again."""

    __tablename__ = "casework_case_changes"

    case_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    """Of the case after the change."""
    action: Mapped[str] = mapped_column(String(60))
    """As the log has it."""
    by: Mapped[str] = mapped_column(String(254))
    at: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[dict[str, list[Any]]] = mapped_column(JSON)
    """Values before and after, by column of `casework_cases`; no text about the household."""


class EntryRow(Base):
    """What somebody added to the record of a case.

    Nothing added is changed later. What was entered by mistake is taken out: its text is deleted,
    and who did it stays.
    """

    __abstract__ = True

    entry_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(16), index=True)
    by: Mapped[str] = mapped_column(String(254))
    at: Mapped[int] = mapped_column(BigInteger)
    """When it was entered."""
    removed_by: Mapped[str | None] = mapped_column(String(254))
    removed_at: Mapped[int | None] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)


class ContactRow(EntryRow):
    """A contact event: somebody tried to reach the household."""

    __tablename__ = "casework_contacts"

    happened_at: Mapped[int] = mapped_column(BigInteger)
    channel: Mapped[str] = mapped_column(String(40))
    """A `Channel`."""
    outcome: Mapped[str] = mapped_column(String(40))
    """A `ContactOutcome`."""


class NoteRow(EntryRow):
    """A note."""

    __tablename__ = "casework_notes"


class AssessmentRow(EntryRow):
    """An assessment: whether somebody found a need, and which."""

    __tablename__ = "casework_assessments"

    is_need_found: Mapped[bool] = mapped_column(Boolean)
    needs: Mapped[list[str]] = mapped_column(JSON)
    """Of the casework policy's list at that time; empty if none was found."""


class PlanRow(EntryRow):
    """A plan as it was written; the newest is the case's."""

    __tablename__ = "casework_plans"


class ActionRow(EntryRow):
    """An action of the plan: something that somebody does by a day."""

    __tablename__ = "casework_actions"

    due_on: Mapped[str] = mapped_column(String(10), index=True)
    """Date as ISO 8601."""
    done_by: Mapped[str | None] = mapped_column(String(254))
    done_at: Mapped[int | None] = mapped_column(BigInteger)
    """Null while it is not done."""


class FirstLookRow(Base):
    """What a worker thought of a case before the score was shown to them; never changed."""

    __tablename__ = "casework_first_looks"

    case_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    account: Mapped[str] = mapped_column(String(254), primary_key=True)
    view: Mapped[str] = mapped_column(String(20))
    """A `View`."""
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    band: Mapped[str | None] = mapped_column(String(100))
    """Which the score then showed; null if there was no score."""
    is_upper: Mapped[bool | None] = mapped_column(Boolean)
    """Whether that band is in the upper half of the bands; null if there was no score."""


class MoveRow(Base):
    """A case that was connected with another home, since the UPRN changed."""

    __tablename__ = "casework_case_moves"

    case_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    """Of the case after it."""
    left: Mapped[str] = mapped_column(String(16), index=True)
    """Id of the household that it was about."""
    reason: Mapped[str] = mapped_column(Text)
