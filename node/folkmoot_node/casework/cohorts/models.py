"""Tables of cohorts: what they are, their runs, who was in each, who looked and decided.

Times are seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

COHORTS = Tables("casework_cohorts", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the tables when it starts."""


class Base(DeclarativeBase):
    """Base of the tables."""


class CohortRow(Base):
    """A cohort that was saved."""

    __tablename__ = "casework_cohorts"

    cohort_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    """Random; what addresses and logs call it."""
    title: Mapped[str] = mapped_column(String(120))
    ends: Mapped[str] = mapped_column(String(10))
    """Last day, ISO 8601."""
    definition: Mapped[str] = mapped_column(Text)
    """`Definition` as JSON."""
    saved_at: Mapped[int] = mapped_column(BigInteger)
    saved_by: Mapped[str] = mapped_column(String(254))
    version: Mapped[int] = mapped_column(Integer)
    """Goes up with each change: whoever changes an older one is told."""


class RunRow(Base):
    """A cohort at one moment."""

    __tablename__ = "casework_cohort_runs"
    __table_args__ = (UniqueConstraint("cohort_id", "number"),)

    run_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    cohort_id: Mapped[str] = mapped_column(String(16))
    number: Mapped[int] = mapped_column(Integer)
    """Of the run, from 1 in each cohort."""
    ran_at: Mapped[int] = mapped_column(BigInteger)
    ran_by: Mapped[str] = mapped_column(String(254))
    scored_at: Mapped[int] = mapped_column(BigInteger)
    """When the scoring run finished whose scores it is made from."""
    scores_until: Mapped[str] = mapped_column(String(10))
    """Last day on which those scores may be kept, ISO 8601: the run is kept no longer."""
    scoring_run: Mapped[str] = mapped_column(String(32))
    policy_digest: Mapped[str] = mapped_column(String(64))
    """Of the risk stratification policy, hexadecimal."""
    definition: Mapped[str] = mapped_column(Text)
    """As it was then, JSON."""
    counts: Mapped[str] = mapped_column(Text)
    """`Counted` as JSON, and how many were new, unchanged and gone."""


class MemberRow(Base):
    """A household of a run: a member, or one of the run before that is none any more."""

    __tablename__ = "casework_cohort_members"
    __table_args__ = (Index("casework_cohort_members_household", "household_id"),)

    run_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    """By score, the highest first; those that are gone come last."""
    household_id: Mapped[str] = mapped_column(String(16))
    standing: Mapped[str] = mapped_column(String(20))
    """A `Standing`."""
    why_gone: Mapped[str | None] = mapped_column(String(40))
    band: Mapped[str | None] = mapped_column(String(100))
    information: Mapped[str] = mapped_column(Text)
    """What a decision needs: the values of the conditions in this run, a JSON list."""


class LookRow(Base):
    """Somebody has seen what a run says of a household, or a page of its list."""

    __tablename__ = "casework_cohort_looks"
    __table_args__ = (Index("casework_cohort_looks_of", "account", "run_id"),)

    look_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    account: Mapped[str] = mapped_column(String(254))
    run_id: Mapped[str] = mapped_column(String(16))
    household_id: Mapped[str | None] = mapped_column(String(16), index=True)
    """Null for a page of the list."""
    looked_at: Mapped[int] = mapped_column(BigInteger)


class DecisionRow(Base):
    """A person has decided about a household of a run."""

    __tablename__ = "casework_cohort_decisions"
    __table_args__ = (Index("casework_cohort_decisions_of", "cohort_id", "household_id"),)

    decision_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    cohort_id: Mapped[str] = mapped_column(String(16))
    run_id: Mapped[str] = mapped_column(String(16), index=True)
    household_id: Mapped[str] = mapped_column(String(16))
    decided_at: Mapped[int] = mapped_column(BigInteger)
    decided_by: Mapped[str] = mapped_column(String(254))
    opens_case: Mapped[bool] = mapped_column(Boolean)
    """Whether it was to open a case: as the score proposed."""
    why: Mapped[str] = mapped_column(Text)
    case_id: Mapped[str | None] = mapped_column(String(16), index=True)
    band: Mapped[str | None] = mapped_column(String(100))
    information: Mapped[str] = mapped_column(Text)
    """On what it was decided: each condition and the household's value, in words; empty if they
    saw only the list."""
    seconds_looked: Mapped[int | None] = mapped_column(Integer)
    """From when they first saw the information until they decided; null if they never did."""
    in_bulk: Mapped[str | None] = mapped_column(String(16))
    """Id that decisions made at once have in common; null for one that was made alone."""
