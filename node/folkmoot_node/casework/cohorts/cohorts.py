"""Cohorts that were saved: counted first, then run, listed and decided on."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import uprns_of
from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cohorts.definition import (
    Conditions,
    Definition,
    Mark,
    definition_of,
)
from folkmoot_node.casework.cohorts.evaluate import Counted, Found, find
from folkmoot_node.casework.cohorts.marks import marked
from folkmoot_node.casework.cohorts.models import CohortRow
from folkmoot_node.casework.cohorts.scores import Scores, ScoreTable
from folkmoot_node.casework.cohorts.subjects import Subject
from folkmoot_node.casework.ids import new_id
from folkmoot_operator.moments import day
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import UPRN_COLUMN
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

COUNTED = "cohort counted"
SAVED = "cohort saved"
CHANGED = "cohort changed"
RAN = "cohort run"
"""Actions of the log. Counts are not in it: they come from residents' records."""
_DAY = 86_400


class Hidden(Protocol):
    """Says what is hidden from somebody."""

    def __call__(self, visitor: Visitor, households: Collection[str] = (), /) -> frozenset[str]:
        """Ids of those of some households that are hidden; of all, if none are given."""


class HowOften(Protocol):
    """Says what somebody has done, by the log."""

    def __call__(self, session: Session, actions: Collection[str], by: str, since: int, /) -> int:
        """How often they have done any of some actions since a moment."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What cohorts ask of the rest of casework about whoever reads.

    Attributes:
        hidden: What is hidden from them.
        how_often: What they have done.
    """

    hidden: Hidden
    how_often: HowOften


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort that was saved.

    Attributes:
        cohort_id: What addresses and logs call it.
        definition: What it is.
        saved_at: When it was last changed, seconds since 1970-01-01T00:00:00Z.
        saved_by: Who did.
        version: Goes up with each change.
    """

    cohort_id: str
    definition: Definition
    saved_at: int
    saved_by: str
    version: int


class Cohorts:
    """The cohorts of a council.

    Attributes:
        state: The site's database, log and clock.
        policy: The casework policy.
        table: The last scores.
        hidden: Ids of those of some households that are hidden from somebody.
    """

    def __init__(
        self, state: State, policy: CaseworkPolicy, table: ScoreTable, reading: Reading
    ) -> None:
        self.state = state
        self.policy = policy
        self.table = table
        self.hidden = reading.hidden
        self._how_often = reading.how_often

    def today(self) -> datetime.date:
        """The date in UTC."""
        return day(self.state.clock())

    def subjects(self, visitor: Visitor) -> list[Subject]:
        """What somebody's conditions can be about: sensitive sources need a role that names them.

        Raises:
            Problem: If there are no scores that may be used.
        """
        return [
            one
            for one in self.table.scores().subjects.values()
            if not self.hidden_sources(visitor, one)
        ]

    def hidden_sources(self, visitor: Visitor, subject: Subject) -> list[str]:
        """Sensitive sources of a subject that somebody may not see."""
        unseen = self.unseen_sources(visitor)
        return [one for one in subject.sources if one in unseen]

    def unseen_sources(self, visitor: Visitor) -> set[str]:
        """Sensitive sources that somebody may not see."""
        return set(self.policy.sensitive_sources) - self.policy.sources_of(visitor.roles)

    def judges_blind(self, by: Visitor) -> bool:
        """Whether somebody is to have a view of a household before its score is shown to them."""
        return self.policy.openings.blind_first_look and by.may(Right.WORK)

    def shows_bands(self, by: Visitor, scored_from: Collection[str] | None = None) -> bool:
        """Whether bands, and an order by score, give nothing away to somebody.

        Args:
            by: Who asks.
            scored_from: Sources that the factors use; None if that is not known: it may be all.
        """
        unseen = self.unseen_sources(by)
        if scored_from is not None:
            unseen.intersection_update(scored_from)
        return not unseen and not self.judges_blind(by)

    def count(
        self, conditions: Conditions, by: Visitor, purpose: str, cohort_id: str | None = None
    ) -> Counted:
        """Counts who belongs to a cohort, without listing anybody; the log says who asked.

        Households that are hidden from whoever asks are not counted, and bands only where they
        give nothing away. The numbers are exact: `rough` makes of them what may be shown before
        there is a run.

        Args:
            conditions: Of a cohort, or of one that is not saved.
            by: Who asks.
            purpose: What for: cases for the same purpose are marked.
            cohort_id: The cohort, if it is saved.

        Raises:
            Problem: If there are no scores that may be used, the run cannot answer a condition, or
                they may not ask it, or have counted too often today.
        """
        scores, found = self.find(conditions, by, purpose, cohort_id)
        with self.state.database.writing() as session:
            self.check_how_often(session, by)
            self.state.audit.record(
                session,
                COUNTED,
                by.name,
                {
                    "cohort": cohort_id,
                    "conditions": [f"{one.kind} {one.name}" for one in conditions.conditions],
                    "digest": conditions.digest,
                },
            )
        if self.shows_bands(by, scores.scored_from):
            return found.counted
        return replace(found.counted, bands={})

    def find(
        self, conditions: Conditions, by: Visitor, purpose: str, cohort_id: str | None = None
    ) -> tuple[Scores, Found]:
        """Finds who belongs to a cohort; nothing of it is to be shown before the log has it.

        Households that are hidden from whoever asks are treated as if nobody had scored them.

        Raises:
            Problem: As `count`.
        """
        self.check_sources(conditions, by)
        hidden = self.hidden(by)
        scores, table = self.table.table(conditions)
        with self.state.database.reading() as session:
            marks = marked(session, conditions, purpose, cohort_id, self.state.clock())
            uprns = uprns_of(session, hidden)
        if uprns:
            unseen = pl.Series(list(uprns), dtype=pl.Int64).implode()
            table = table.filter(~pl.col(UPRN_COLUMN).is_in(unseen))
        marks[Mark.OBJECTED] = self.table.withheld()
        return scores, find(table, scores, conditions, marks)

    def check_how_often(self, session: Session, by: Visitor) -> None:
        """Refuses another count or run to whoever has had as many as one person may in a day.

        By counts that differ a little somebody finds out what a single household has.

        Raises:
            Problem: Exit code REFUSED.
        """
        most = self.policy.openings.counts_per_day
        since = self.state.clock() - _DAY + 1
        if self._how_often(session, (COUNTED, RAN), by.name, since) >= most:
            raise Problem(
                f"you have counted and run cohorts as often as one person may in a day, {most} "
                "times",
                where="casework policy: openings.counts_per_day",
                remedy="Go on tomorrow, or ask a colleague",
                exit_code=ExitCode.REFUSED,
            )

    def check_sources(self, conditions: Conditions, by: Visitor) -> None:
        """Refuses conditions over sensitive sources that somebody may not see.

        Raises:
            Problem: Exit code REFUSED, naming the condition and the source; DATA or SETTINGS, if
                the run cannot answer a condition.
        """
        scores = self.table.scores()
        for subject in scores.of(conditions.conditions):
            hidden = self.hidden_sources(by, subject)
            if hidden:
                raise Problem(
                    f"comes from {', '.join(hidden)}, a sensitive source that you may not use",
                    where=f"condition on {subject.name}",
                    remedy="Remove the condition, or ask somebody whose role in the casework "
                    "policy names the source",
                    exit_code=ExitCode.REFUSED,
                )

    def check_in_use(self, cohort: Cohort) -> None:
        """Refuses a cohort, or a casework policy, that has ended: it can only be read.

        Raises:
            Problem: Exit code REFUSED.
        """
        today = self.today()
        ends, sunset = cohort.definition.ends, self.policy.sunset
        if today > ends:
            raise Problem(
                f"the cohort ended on {ends}; it can be read, but neither run nor decided on",
                where=cohort.definition.title,
                remedy="Its owner may give it a later date, if it is still needed",
                exit_code=ExitCode.REFUSED,
            )
        if today > sunset:
            raise Problem(
                f"the casework policy ended on {sunset}; cohorts can only be read",
                where="the casework policy",
                remedy="Ask for a new one to be signed",
                exit_code=ExitCode.REFUSED,
            )

    def save(self, definition: Definition, by: Visitor) -> str:
        """Saves a new cohort; its id. Nobody is listed by that.

        Raises:
            Problem: As `count`; or exit code REFUSED, if it would end before it begins.
        """
        self._check(definition, by)
        cohort_id = new_id()
        with self.state.database.writing() as session:
            row = CohortRow(cohort_id=cohort_id, version=1)
            self._write(row, definition, by)
            session.add(row)
            self._record(session, SAVED, cohort_id, definition, by)
        return cohort_id

    def change(self, cohort_id: str, version: int, definition: Definition, by: Visitor) -> None:
        """Changes a cohort that nobody has changed meanwhile; its runs stay as they were.

        Raises:
            Problem: As `save`.
            WebProblem: Status 404 if there is no such cohort; 409 if somebody has changed it.
        """
        self._check(definition, by)
        with self.state.database.writing() as session:
            row = session.get(CohortRow, cohort_id)
            if row is None:
                raise problem_of_status(404)
            if row.version != version:
                raise WebProblem(
                    409,
                    "Somebody else has changed this cohort",
                    "Their change is kept, and yours is not stored yet.",
                    "Open the cohort again, see what has changed, and enter yours once more.",
                )
            row.version += 1
            self._write(row, definition, by)
            self._record(session, CHANGED, cohort_id, definition, by)

    def get(self, cohort_id: str) -> Cohort:
        """A cohort.

        Raises:
            WebProblem: Status 404, if there is none.
        """
        with self.state.database.reading() as session:
            row = session.get(CohortRow, cohort_id)
            if row is None:
                raise problem_of_status(404)
            return _cohort(row)

    def listed(self) -> list[Cohort]:
        """All cohorts: those that end last come first."""
        query = select(CohortRow).order_by(CohortRow.ends.desc(), CohortRow.title)
        with self.state.database.reading() as session:
            return [_cohort(row) for row in session.scalars(query)]

    def _check(self, definition: Definition, by: Visitor) -> None:
        self.check_sources(definition, by)
        if definition.ends < self.today():
            raise Problem(
                f"would have ended on {definition.ends} already",
                where="ends",
                remedy="Give the last day on which the cohort is needed",
                exit_code=ExitCode.REFUSED,
            )

    def _write(self, row: CohortRow, definition: Definition, by: Visitor) -> None:
        row.title = definition.title
        row.ends = definition.ends.isoformat()
        row.definition = definition.model_dump_json(by_alias=True, exclude_none=True)
        row.saved_at = self.state.clock()
        row.saved_by = by.name

    def _record(
        self, session: Session, action: str, cohort_id: str, definition: Definition, by: Visitor
    ) -> None:
        self.state.audit.record(
            session, action, by.name, {"cohort": cohort_id, "digest": definition.digest}
        )


def _cohort(row: CohortRow) -> Cohort:
    return Cohort(
        row.cohort_id, definition_of(row.definition), row.saved_at, row.saved_by, row.version
    )
