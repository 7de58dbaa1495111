"""Counts from casework: who looked, what was decided, who objected. No household, and no name.

All of them are figures over households, and so the council's own.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from folkmoot_node.casework.authority.signed_policy import load_signed_policy
from folkmoot_node.casework.cohorts.models import DecisionRow
from folkmoot_node.casework.command_reading import (
    HOUSEHOLD_READ,
    HOUSEHOLDS_WRITTEN,
    SUBJECT_ACCESS,
)
from folkmoot_node.casework.desk import open_casework_state
from folkmoot_node.casework.opening.exports import EXPORTED
from folkmoot_node.casework.opening.log import Choice, Log
from folkmoot_node.casework.opening.openings import OPENED, REFUSED, SHOWN
from folkmoot_node.casework.opening.searches import SEARCHED
from folkmoot_node.casework.outcomes.facts import case_facts, decisions_of_cohorts
from folkmoot_node.casework.referrals.models import ReferralRow
from folkmoot_node.casework.rights.kinds import Kind, ObjectionState, RequestKind
from folkmoot_node.casework.rights.models import ErasureRow, ObjectionRow, RequestRow
from folkmoot_node.casework.settings import database_path, require_casework
from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.facts import Fact, Provenance
from folkmoot_node.scrutiny.gather.reporting import Reporter, slug
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.problems import Problem
from folkmoot_web.database.models import AuditRow
from folkmoot_web.site import State

_LOOKS = {
    SHOWN: ("people.looks", "Times that a household was shown on the casework site"),
    OPENED: ("people.openings", "Times that a household was opened for a stated reason"),
    REFUSED: ("people.openings_refused", "Times that a household was not opened"),
    SEARCHED: ("people.searches", "Searches for a household"),
    EXPORTED: ("people.exports", "Lists written to a file"),
    HOUSEHOLD_READ: ("people.looks_by_command", "Times that a command showed a household"),
    HOUSEHOLDS_WRITTEN: ("people.lists_by_command", "Lists that a command wrote"),
    SUBJECT_ACCESS: ("rights.access_by_command", "Subject access answered by command"),
}


def case_counts(node: NodeHome) -> Iterator[Fact]:
    """The counts; missing ones where this account may not read the database of casework."""
    config = node.config
    try:
        require_casework()
        state = open_casework_state(config, load_signed_policy(config).known, clock=node.clock)
    except Problem:
        fact = Reporter(Provenance("database of casework"), own=True)
        for key, label in (*_LOOKS.values(), *_WANTED):
            yield fact(key, label, None)
        for key, label in _LOOKS.values():
            yield fact(f"{key}_by_year", f"{label}, by year", None)
        return
    try:
        yield from _counts(state, _name(node))
    finally:
        state.database.close()


_WANTED = (
    ("decisions.cases_opened", "Decisions about households of cohorts: a case was opened"),
    ("decisions.cases_not_opened", "Decisions about households of cohorts: no case"),
    ("rights.objections", "Objections to the processing"),
    ("rights.contests", "Contests of a result or an input"),
)


def _name(node: NodeHome) -> str:
    assert node.config.casework is not None
    if node.config.casework.database is not None:
        return "database of casework"
    path = database_path(node.config)
    return f"{path.parent.name}/{path.name}"


def _counts(state: State, name: str) -> Iterator[Fact]:
    def of(table: str) -> Reporter:
        return Reporter(Provenance(f"{name}, table {table}"), own=True)

    for account_role, number in _holders(state):
        label = f"Accounts that have the role {account_role}"
        yield Reporter(Provenance(f"{name}, table web_accounts"))(
            f"people.holders.{slug(account_role)}", label, number
        )
    yield from _looks(Log(state), of(AuditRow.__tablename__))
    with state.database.reading() as session:
        yield from _decisions(session, of(DecisionRow.__tablename__))
        yield from _cases(session, of("casework_cases"))
        fact = of(ReferralRow.__tablename__)
        for state_, number in _by(session, ReferralRow.state):
            label = f"Referrals to services that are {state_}"
            yield fact(f"decisions.referrals.{slug(state_)}", label, number)
        yield from _rights(session, of)


def _holders(state: State) -> Iterator[tuple[str, int]]:
    """How many accounts have each role. Who they are, `casework accounts list` says."""
    held: dict[str, int] = {}
    for account in state.accounts.list():
        for role in account.roles if not account.is_disabled else ():
            held[role] = held.get(role, 0) + 1
    yield from sorted(held.items())


def _looks(log: Log, fact: Reporter) -> Iterator[Fact]:
    for action, (key, label) in _LOOKS.items():
        years = _by_year(log, action)
        yield fact(key, label, sum(years.values()))
        yield fact(f"{key}_by_year", f"{label}, by year", years)


def _by_year(log: Log, action: str) -> dict[str, int]:
    """How often something was done in each year, ascending; years in which it was not are left out.

    Counted by the database: a log of years is not read here.
    """
    years: dict[str, int] = {}
    last = None
    while newest := log.page(Choice(action=action, last=last), 0, 1):
        year = to_datetime(newest[0].at).year
        first = int(datetime.datetime(year, 1, 1, tzinfo=datetime.UTC).timestamp())
        years[str(year)] = log.count(Choice(action=action, first=first, last=last))
        last = first
    return dict(sorted(years.items()))


def _decisions(session: Session, fact: Reporter) -> Iterator[Fact]:
    found = decisions_of_cohorts(session)
    yield fact(*_WANTED[0], sum(one.follows_score for one in found))
    yield fact(*_WANTED[1], sum(not one.follows_score for one in found))
    label = "Decisions about households of cohorts taken together with others"
    yield fact("decisions.in_bulk", label, sum(one.in_bulk for one in found))
    label = "Decisions taken without seeing what was known of the household"
    yield fact("decisions.unseen", label, sum(one.seconds is None for one in found))


def _cases(session: Session, fact: Reporter) -> Iterator[Fact]:
    found = case_facts(session)
    yield fact("cases.all", "Cases about a need", len(found))
    still_open = sum(one.closed_at is None for one in found)
    yield fact("cases.open", "Cases that are open", still_open)
    flagged = sum(one.is_flagged for one in found)
    yield fact("cases.from_cohorts", "Cases of households in a cohort", flagged)
    needs = sum(one.need_found is True for one in found)
    yield fact("cases.need_found", "Cases in which workers found a need", needs)
    none = sum(one.need_found is False for one in found)
    yield fact("cases.no_need_found", "Cases in which workers found no need", none)


def _rights(session: Session, of: Callable[[str], Reporter]) -> Iterator[Fact]:
    fact = of(ObjectionRow.__tablename__)
    kinds = dict(_by(session, ObjectionRow.kind))
    yield fact(*_WANTED[2], kinds.get(Kind.OBJECTION, 0))
    yield fact(*_WANTED[3], kinds.get(Kind.CONTEST, 0))
    states = dict(_by(session, ObjectionRow.state))
    for state in ObjectionState:
        label = f"Objections and contests that are {state}"
        yield fact(f"rights.objections_by_state.{state}", label, states.get(state, 0))
    fact = of(RequestRow.__tablename__)
    asked = dict(_by(session, RequestRow.kind))
    for kind in RequestKind:
        yield fact(f"rights.requests.{kind}", f"Requests for {kind}", asked.get(kind, 0))
    erased = session.scalar(select(func.count()).select_from(ErasureRow))
    yield of(ErasureRow.__tablename__)("rights.erased", "Households that were erased", erased)


def _by(session: Session, column: InstrumentedAttribute[str]) -> list[tuple[str, int]]:
    """How many rows have each value."""
    query = select(column, func.count()).group_by(column).order_by(column)
    return [(str(value), number) for value, number in session.execute(query)]
