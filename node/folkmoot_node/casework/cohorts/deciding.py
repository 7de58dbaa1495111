"""Decisions about the households of a run: a person looks, decides as proposed or otherwise.

Whoever is to see what a run says of a household gets a `Shown`, and only `look_at` makes one, after
its entry in the log is durable. What it says has no UPRN, name or address: those are in the case.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import uprn_of
from folkmoot_node.casework.cases.cases import Cases, CaseState
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.cohorts.cohorts import Cohorts
from folkmoot_node.casework.cohorts.definition import Kind
from folkmoot_node.casework.cohorts.models import DecisionRow, LookRow, MemberRow
from folkmoot_node.casework.cohorts.runs import Run, Standing, get_run, is_newest
from folkmoot_node.casework.ids import new_id
from folkmoot_node.store.schema import WITHHELD_COLUMN
from folkmoot_sdk.schema import UPRN_COLUMN
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.visitors import Visitor

LISTED = "cohort members listed"
SHOWN = "cohort member shown"
DECIDED = "cohort decision"
REFUSED = "cohort member not shown"
"""Actions of the log."""
LOOK_SECONDS = 3600
"""How long after a look somebody may decide on it."""
MAX_IN_BULK = 200
"""Households in one decision."""
NOT_YET = "not shown before a first look"
"""In place of what a score says."""
_OF_SCORE = (Kind.FACTOR, Kind.RESULT)
Assess = Callable[[Sequence[int]], Mapping[int, str]]
"""Risk assessments of households as JSON, by UPRN."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a run says of a household, to somebody whose look the log has.

    Attributes:
        household: Its id.
        place: In their list of all members, from 0.
        standing: Beside the run before.
        why_gone: Why it is no member any more.
        band: In the run; None also if it would give something away to them.
        information: Each condition in words, and the household's value in words.
    """

    household: str
    place: int
    standing: Standing
    why_gone: str | None
    band: str | None
    information: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a decision.

    Attributes:
        cases: Ids of the cases that were opened, by household.
        against: Households of which it was decided to open none.
        left: Households that nothing was decided about, and why.
    """

    cases: Mapping[str, str]
    against: tuple[str, ...]
    left: Mapping[str, str]


def note_list(cohorts: Cohorts, run: Run, by: Visitor, page: int) -> None:
    """Notes that somebody is shown a page of a run's list; durable when this returns.

    Raises:
        WebProblem: Status 403, if being in the run tells of a sensitive source that they may not
            see.
    """
    _check_sources(cohorts, run, by)
    with cohorts.state.database.writing() as session:
        detail = {"cohort": run.cohort_id, "run": run.run_id, "page": page}
        cohorts.state.audit.record(session, LISTED, by.name, detail)
        _note(session, run.run_id, None, by, cohorts.state.clock())


def look_at(cohorts: Cohorts, run: Run, household: str, by: Visitor) -> Shown:
    """What a run says of a household; the entry of the log is durable when this returns.

    Raises:
        WebProblem: Status 404, if the household is not in the run; 403 as `note_list`, or if it is
            hidden from them.
    """
    _check_sources(cohorts, run, by)
    if cohorts.hidden(by, (household,)):
        with cohorts.state.database.writing() as session:
            detail = {"cohort": run.cohort_id, "run": run.run_id, "household": household}
            cohorts.state.audit.record(session, REFUSED, by.name, detail)
        raise WebProblem(
            403,
            "You may not see this household",
            "It is restricted, or it is recorded that you have to do with it yourself.",
            "If your work needs it, ask the person who restricts households at the council.",
        )
    with cohorts.state.database.writing() as session:
        row = _member(session, run.run_id, household)
        detail = {"cohort": run.cohort_id, "run": run.run_id, "household": household}
        cohorts.state.audit.record(session, SHOWN, by.name, detail)
        _note(session, run.run_id, household, by, cohorts.state.clock())
        shows_bands = cohorts.shows_bands(by, run.scored_from)
        return Shown(
            household,
            _place(session, row, cohorts.hidden(by), by_score=shows_bands),
            Standing(row.standing),
            row.why_gone,
            row.band if shows_bands else None,
            tuple(_information(cohorts, run, row, by)),
        )


def decide(
    cohorts: Cohorts,
    cases: Cases,
    run_id: str,
    households: Sequence[str],
    *,
    opens_case: bool,
    why: str,
    by: Visitor,
    assess: Assess,
    in_bulk: bool = False,
    team: str | None = None,
) -> Decided:
    """Records what a person has decided about households of a run, and opens cases.

    Args:
        cohorts: The cohorts.
        cases: The cases.
        run_id: The run, the newest of its cohort.
        households: Ids.
        opens_case: Whether to open a case for each; or not, against what the cohort proposes.
        why: In their words.
        by: Who decides; they have looked at the household, or in bulk at the list, in the last
            hour.
        assess: Gives the risk assessments that cases keep.
        in_bulk: Whether they were chosen from a list.
        team: Which team gets the cases.

    Raises:
        Problem: Exit code REFUSED, if the cohort or a policy has ended.
        WebProblem: Status 403 as `note_list`; 404 if a household is not in the run; 409 if there
            is a newer run, or they have not looked.
    """
    with cohorts.state.database.reading() as session:
        run = get_run(session, run_id)
        _check_newest(session, run)
        uprns = {one: _uprn(session, run_id, one) for one in households}
    _check_sources(cohorts, run, by)
    cohorts.check_in_use(cohorts.get(run.cohort_id))
    withheld = _withheld(cohorts, run, list(uprns.values()))
    hidden = cohorts.hidden(by, households)
    assessed = assess([one for one in uprns.values() if opens_case and one not in withheld])
    opened: dict[str, str] = {}
    against: list[str] = []
    left: dict[str, str] = {}
    batch = new_id() if in_bulk else None
    with cohorts.state.database.writing() as session:
        now = cohorts.state.clock()
        for household, uprn in uprns.items():
            row = _member(session, run_id, household)
            why_left = (
                "it is hidden from you"
                if household in hidden
                else _why_left(session, run, row, uprn in withheld)
            )
            if why_left:
                left[household] = why_left
                continue
            seconds, alone = _looked(session, run_id, household, by, now, in_bulk=in_bulk)
            case_id = None
            if opens_case:
                case_id = opened[household] = cases.open(
                    session,
                    uprn,
                    purpose=run.definition.purpose,
                    why=why,
                    by=by,
                    assessment=assessed.get(uprn, "{}"),
                    cohort_id=run.cohort_id,
                    flagged_at=run.scored_at,
                    band=row.band,
                    team=team,
                )
            else:
                against.append(household)
            information = _information(cohorts, run, row, by) if alone else []
            decision = DecisionRow(
                decision_id=new_id(),
                cohort_id=run.cohort_id,
                run_id=run_id,
                household_id=household,
                decided_at=now,
                decided_by=by.name,
                opens_case=opens_case,
                why=why,
                case_id=case_id,
                band=row.band,
                information=json.dumps(information, ensure_ascii=False),
                seconds_looked=seconds,
                in_bulk=batch,
            )
            session.add(decision)
            _record(cohorts, session, decision, by)
    return Decided(opened, tuple(against), left)


def decisions_about(session: Session, cohort_id: str, household: str) -> list[DecisionRow]:
    """Decisions of a cohort about a household, the newest first."""
    query = select(DecisionRow).where(
        DecisionRow.cohort_id == cohort_id, DecisionRow.household_id == household
    )
    return list(session.scalars(query.order_by(DecisionRow.decided_at.desc())))


def _record(cohorts: Cohorts, session: Session, decision: DecisionRow, by: Visitor) -> None:
    cohorts.state.audit.record(
        session,
        DECIDED,
        by.name,
        {
            "cohort": decision.cohort_id,
            "run": decision.run_id,
            "household": decision.household_id,
            "decision": decision.decision_id,
            "opens_case": decision.opens_case,
            "case": decision.case_id,
            "in_bulk": decision.in_bulk,
        },
    )


def _note(session: Session, run_id: str, household: str | None, by: Visitor, now: int) -> None:
    session.add(
        LookRow(
            look_id=new_id(), account=by.name, run_id=run_id, household_id=household, looked_at=now
        )
    )


def _member(session: Session, run_id: str, household: str) -> MemberRow:
    query = select(MemberRow).where(MemberRow.household_id == household, MemberRow.run_id == run_id)
    found = session.scalar(query)
    if found is None:
        raise problem_of_status(404)
    return found


def _uprn(session: Session, run_id: str, household: str) -> int:
    _member(session, run_id, household)
    uprn = uprn_of(session, household)
    if uprn is None:
        raise problem_of_status(404)
    return uprn


def _check_newest(session: Session, run: Run) -> None:
    if not is_newest(session, run):
        raise WebProblem(
            409,
            "There is a newer run of this cohort",
            "What you saw is out of date, so nothing was decided.",
            "Open the newest run of the cohort, and decide there.",
        )


def _withheld(cohorts: Cohorts, run: Run, uprns: list[int]) -> set[int]:
    """Which of these have objected; Problem if the last scores may not be used."""
    table = cohorts.table.table(run.definition)[1]
    wanted = pl.Series(uprns, dtype=pl.Int64).implode()
    found = table.filter(pl.col(UPRN_COLUMN).is_in(wanted) & pl.col(WITHHELD_COLUMN))
    return cohorts.table.withheld().intersection(uprns) | set(found[UPRN_COLUMN].to_list())


def _why_left(session: Session, run: Run, row: MemberRow, is_withheld: bool) -> str:
    if row.standing == Standing.GONE:
        return "it is not in this run any more"
    if is_withheld:
        return "an objection was upheld"
    there = select(func.count()).where(
        CaseRow.household_id == row.household_id,
        CaseRow.purpose == run.definition.purpose,
        CaseRow.state != CaseState.CLOSED,
    )
    return "it is in a case already" if session.scalar(there) else ""


def _looked(
    session: Session, run_id: str, household: str, by: Visitor, now: int, *, in_bulk: bool
) -> tuple[int, bool]:
    """Seconds since somebody first looked, in the last hour; and whether at this household alone.

    Raises:
        WebProblem: Status 409, if they have not.
    """
    since = select(func.min(LookRow.looked_at)).where(
        LookRow.account == by.name,
        LookRow.run_id == run_id,
        LookRow.looked_at >= now - LOOK_SECONDS,
    )
    alone = session.scalar(since.where(LookRow.household_id == household))
    if alone is not None:
        return now - alone, True
    in_list = session.scalar(since.where(LookRow.household_id.is_(None))) if in_bulk else None
    if in_list is None:
        raise WebProblem(
            409,
            "Look again before you decide",
            "You opened this page more than an hour ago, or not at all. Nothing was decided.",
            "Open the page again, and decide on what it says now.",
        )
    return now - in_list, False


def _check_sources(cohorts: Cohorts, run: Run, by: Visitor) -> None:
    """Who may not see a source may not see which households a run found by it."""
    if run.tells_of(cohorts.unseen_sources(by)):
        raise WebProblem(
            403,
            "You may not see who is in this cohort",
            "One of its conditions is about a sensitive source.",
            "Ask somebody whose role in the casework policy names that source.",
        )


def _place(session: Session, row: MemberRow, hidden: Collection[str], *, by_score: bool) -> int:
    """Where a household is in a list of all members without those that are hidden."""
    before = MemberRow.place < row.place if by_score else MemberRow.household_id < row.household_id
    query = select(func.count()).where(
        MemberRow.run_id == row.run_id,
        MemberRow.standing != Standing.GONE,
        MemberRow.household_id.not_in(hidden),
        before,
    )
    return session.scalar(query) or 0


def _information(cohorts: Cohorts, run: Run, row: MemberRow, by: Visitor) -> list[tuple[str, str]]:
    """Each condition and the household's value, as somebody may see it."""
    blind = cohorts.judges_blind(by)
    asked = zip(run.definition.conditions, run.asked, json.loads(row.information), strict=False)
    return [
        (about.text, NOT_YET if blind and condition.kind in _OF_SCORE else value)
        for condition, about, value in asked
    ]
