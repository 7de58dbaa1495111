"""Runs of a cohort: who is in it now, who is new since the run before, and who is gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import polars as pl
from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import household_ids
from folkmoot_node.casework.authority.models import HouseholdRow
from folkmoot_node.casework.cohorts.cohorts import RAN, Cohorts
from folkmoot_node.casework.cohorts.definition import Definition, definition_of
from folkmoot_node.casework.cohorts.evaluate import MEETS, Counted, Found, ranked
from folkmoot_node.casework.cohorts.models import MemberRow, RunRow
from folkmoot_node.casework.cohorts.scores import Scores
from folkmoot_node.casework.cohorts.words import condition_text, value_text
from folkmoot_node.casework.ids import new_id
from folkmoot_node.store.schema import BAND_COLUMN
from folkmoot_node.store.use import end_of_retention
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import UPRN_COLUMN
from folkmoot_web.errors import problem_of_status
from folkmoot_web.visitors import Visitor

MAX_MEMBERS = 50_000
"""Of a run. Nobody decides about more: such a cohort is a share of the council, to be counted."""


class Standing(StrEnum):
    """Where a household stands in a run, beside the run before."""

    NEW = "new"
    UNCHANGED = "unchanged"
    GONE = "gone"
    """It was in the run before, and is not in this one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition of a run, as its members' information has it.

    Attributes:
        text: In words.
        title: Of what it is about.
        sources: That it comes from.
    """

    text: str
    title: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A cohort at one moment.

    Attributes:
        run_id: What addresses and logs call it.
        cohort_id: The cohort.
        number: From 1 in each cohort.
        ran_at: Seconds since 1970-01-01T00:00:00Z.
        ran_by: Who ran it.
        scored_at: When the scoring run finished.
        scoring_run: Its id.
        policy_digest: Of the risk stratification policy, hexadecimal.
        definition: As it was then.
        counted: How many.
        standing: Members by `Standing`, with those that are gone.
        asked: The conditions, in the order of members' information.
        hidden: `digest_of` the households that were hidden from who ran it.
        scored_from: Sources that the factors used; None if that is not known.
    """

    run_id: str
    cohort_id: str
    number: int
    ran_at: int
    ran_by: str
    scored_at: int
    scoring_run: str
    policy_digest: str
    definition: Definition
    counted: Counted
    standing: Mapping[str, int]
    asked: tuple[Asked, ...]
    hidden: str
    scored_from: tuple[str, ...] | None

    def tells_of(self, sources: Collection[str]) -> bool:
        """Whether being in it tells of any of some sources: its households meet its conditions."""
        return any(not set(sources).isdisjoint(asked.sources) for asked in self.asked)

    def as_json(self) -> dict[str, Any]:
        """For `--json`; without members."""
        return {
            "run_id": self.run_id,
            "cohort_id": self.cohort_id,
            "number": self.number,
            "ran_at": self.ran_at,
            "ran_by": self.ran_by,
            "scored_at": self.scored_at,
            "scoring_run": self.scoring_run,
            "policy_digest": self.policy_digest,
            "counted": self.counted.as_json(),
            "standing": dict(self.standing),
        }


def run_cohort(cohorts: Cohorts, cohort_id: str, by: Visitor) -> str:
    """Runs a cohort on the last scores, and keeps who is in it; the run's id.

    Households that are hidden from whoever runs it are neither in it nor gone.

    Raises:
        Problem: Exit code REFUSED, if the cohort or a policy has ended, it has more than
            `MAX_MEMBERS` or they may not use a source; else as `Cohorts.count`.
        WebProblem: Status 404, if there is no such cohort.
    """
    cohort = cohorts.get(cohort_id)
    cohorts.check_in_use(cohort)
    definition = cohort.definition
    scores, found = cohorts.find(definition, by, definition.purpose, cohort_id)
    if found.counted.members > MAX_MEMBERS:
        raise Problem(
            f"has more than {MAX_MEMBERS:,} households, more than people can decide about",
            where=definition.title,
            remedy="Add conditions until it has fewer",
            exit_code=ExitCode.REFUSED,
        )
    run_id, now = new_id(), cohorts.state.clock()
    hidden = cohorts.hidden(by)
    with cohorts.state.database.writing() as session:
        cohorts.check_how_often(session, by)
        rows = list(_members(session, cohort_id, scores, found, definition, hidden))
        standing = {one.value: 0 for one in Standing}
        for place, row in enumerate(rows):
            row |= {"run_id": run_id, "place": place}
            standing[row["standing"]] += 1
        numbers = select(func.max(RunRow.number)).where(RunRow.cohort_id == cohort_id)
        counts = {
            "counted": found.counted.as_json(),
            "standing": standing,
            "hidden": digest_of(hidden),
            "scored_from": scores.scored_from,
            "asked": [asdict(one) for one in _asked(scores, definition)],
        }
        session.add(
            RunRow(
                run_id=run_id,
                cohort_id=cohort_id,
                number=1 + (session.scalar(numbers) or 0),
                ran_at=now,
                ran_by=by.name,
                scored_at=scores.run.finished_at,
                scores_until=end_of_retention(scores.run, scores.policy).last_day.isoformat(),
                scoring_run=scores.run.run_id,
                policy_digest=scores.run.policy_sha256,
                definition=definition.model_dump_json(by_alias=True, exclude_none=True),
                counts=json.dumps(counts),
            )
        )
        session.flush()
        if rows:
            session.execute(insert(MemberRow), rows)
        cohorts.state.audit.record(
            session, RAN, by.name, {"cohort": cohort_id, "run": run_id, "scores": scores.run.run_id}
        )
    return run_id


def runs_of(session: Session, cohort_id: str) -> list[Run]:
    """The runs of a cohort that are still kept, the newest first."""
    query = select(RunRow).where(RunRow.cohort_id == cohort_id)
    query = query.order_by(RunRow.number.desc())
    return [_run(row) for row in session.scalars(query)]


def get_run(session: Session, run_id: str, cohort_id: str | None = None) -> Run:
    """A run; WebProblem with status 404 if there is none of this cohort."""
    run = find_run(session, run_id)
    if run is None or cohort_id not in (None, run.cohort_id):
        raise problem_of_status(404)
    return run


def find_run(session: Session, run_id: str) -> Run | None:
    """A run; None if it is not kept any more."""
    row = session.get(RunRow, run_id)
    return None if row is None else _run(row)


def last_runs(session: Session) -> dict[str, Run]:
    """The newest run of each cohort."""
    newest = select(RunRow.cohort_id, func.max(RunRow.number)).group_by(RunRow.cohort_id)
    query = select(RunRow).where(tuple_(RunRow.cohort_id, RunRow.number).in_(newest))
    return {row.cohort_id: _run(row) for row in session.scalars(query)}


def is_newest(session: Session, run: Run) -> bool:
    """Whether its cohort has no newer run."""
    newest = select(func.max(RunRow.number)).where(RunRow.cohort_id == run.cohort_id)
    return bool(session.scalar(newest) == run.number)


def members(
    session: Session,
    run_id: str,
    *,
    standing: Sequence[Standing],
    first: int,
    size: int,
    without: Collection[str] = (),
    by_score: bool = True,
) -> tuple[int, list[MemberRow]]:
    """Some members of a run, and how many there are.

    Args:
        session: Of a transaction.
        run_id: The run.
        standing: Those that are wanted.
        first: Place of the first, from 0, among those that are wanted.
        size: How many at most.
        without: Ids of households that are left out of the list and of how many there are.
        by_score: Whether those with the highest score come first; else they come by id.
    """
    which = (MemberRow.run_id == run_id) & MemberRow.standing.in_(standing)
    which &= MemberRow.household_id.not_in(without)
    count = session.scalar(select(func.count()).where(which)) or 0
    order = MemberRow.place if by_score else MemberRow.household_id
    query = select(MemberRow).where(which).order_by(order).offset(first).limit(size)
    return count, list(session.scalars(query))


def digest_of(households: Collection[str]) -> str:
    """What stands for a set of households, hexadecimal: ids are random, and none can be found."""
    return hashlib.sha256(" ".join(sorted(households)).encode()).hexdigest()


def _members(
    session: Session,
    cohort_id: str,
    scores: Scores,
    found: Found,
    definition: Definition,
    hidden: Collection[str],
) -> Iterator[dict[str, Any]]:
    """Rows of the members, then of those that are gone."""
    rows = ranked(found.members)
    uprns = rows[UPRN_COLUMN].to_list()
    ids = household_ids(session, uprns)
    before = {
        uprn: household
        for uprn, household in _members_before(session, cohort_id).items()
        if household not in hidden
    }
    subjects = scores.of(definition.conditions)
    values = [rows[one.column].to_list() for one in subjects]
    bands = rows[BAND_COLUMN].to_list()
    for at, uprn in enumerate(uprns):
        shown = [value_text(of[at], one) for of, one in zip(values, subjects, strict=True)]
        yield {
            "household_id": ids[uprn],
            "standing": Standing.UNCHANGED if uprn in before else Standing.NEW,
            "why_gone": None,
            "band": bands[at],
            "information": json.dumps(shown, ensure_ascii=False),
        }
    gone = {uprn: id_ for uprn, id_ in before.items() if uprn not in ids}
    why = _why_gone(found, list(gone))
    for uprn, household in gone.items():
        yield {
            "household_id": household,
            "standing": Standing.GONE,
            "why_gone": why.get(uprn, "not_met"),
            "band": None,
            "information": "[]",
        }


def _members_before(session: Session, cohort_id: str) -> dict[int, str]:
    """UPRN and id of the members of the newest run; none if there is no run."""
    newest = (
        select(RunRow.run_id)
        .where(RunRow.cohort_id == cohort_id)
        .order_by(RunRow.number.desc())
        .limit(1)
    )
    run_id = session.scalar(newest)
    if run_id is None:
        return {}
    query = (
        select(HouseholdRow.uprn, HouseholdRow.household_id)
        .join(MemberRow, MemberRow.household_id == HouseholdRow.household_id)
        .where(MemberRow.run_id == run_id, MemberRow.standing != Standing.GONE)
        .order_by(MemberRow.place)
    )
    return {row.uprn: row.household_id for row in session.execute(query)}


def _why_gone(found: Found, uprns: list[int]) -> dict[int, str]:
    """Why households that still are in the records are no members; those missing do not meet."""
    wanted = pl.Series(uprns, dtype=pl.Int64).implode()
    candidates = found.candidates.filter(pl.col(UPRN_COLUMN).is_in(wanted))
    there = set(found.frame.filter(found.frame.is_in(wanted)).to_list())
    why = {uprn: "left_frame" for uprn in uprns if uprn not in there}
    for row in candidates.iter_rows(named=True):
        marks = [mark for mark in found.leave_out if row[mark]]
        why[row[UPRN_COLUMN]] = "not_known" if row[MEETS] is None else str(marks[0])
    return why


def _asked(scores: Scores, definition: Definition) -> Iterator[Asked]:
    subjects = scores.of(definition.conditions)
    for one, subject in zip(definition.conditions, subjects, strict=True):
        yield Asked(condition_text(one, subject), subject.title, subject.sources)


def _run(row: RunRow) -> Run:
    counts = json.loads(row.counts)
    return Run(
        row.run_id,
        row.cohort_id,
        row.number,
        row.ran_at,
        row.ran_by,
        row.scored_at,
        row.scoring_run,
        row.policy_digest,
        definition_of(row.definition),
        Counted(**counts["counted"]),
        counts["standing"],
        tuple(Asked(one["text"], one["title"], tuple(one["sources"])) for one in counts["asked"]),
        counts.get("hidden", ""),
        tuple(counts["scored_from"]) if "scored_from" in counts else None,
    )
