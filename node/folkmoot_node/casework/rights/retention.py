"""What of casework is past the casework policy's retention, and its deletion.

How many there were is noted in casework's own log: it is about the work of the council, never
leaves it, and shows to an auditor that the rule is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import column as sql_column
from sqlalchemy import delete as delete_rows
from sqlalchemy import inspect, select, table, union
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.models import HouseholdRow
from folkmoot_node.casework.cases.held import closed_before
from folkmoot_node.casework.holdings import Records
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.casework.rights.erasure import households_held
from folkmoot_node.casework.rights.kinds import ObjectionState
from folkmoot_node.casework.rights.models import ObjectionRow, RequestRow
from folkmoot_node.casework.rights.rights_case import close_when_answered
from folkmoot_node.corrections.sealed_file import decisions_of

PURGED = "casework purged"
"""Action of the log."""
CLOSED_CASES = "closed cases"
BY_RULE = "casework serve, by the policy's rule"
"""Who purged, in the log."""
_NAMING = frozenset({"household_id", "left"})
"""Columns that name a household, in tables of any room."""


def expired_casework(bench: Bench, records: Sequence[Records]) -> dict[str, int]:
    """How many entries are past their retention, by kind; only kinds that have some.

    Args:
        bench: Casework.
        records: Of every room, `holders.RECORDS`.
    """
    with bench.state.database.reading() as session:
        return _counts(bench, session, records, delete=False)


def purge_casework(bench: Bench, records: Sequence[Records], by: str) -> dict[str, int]:
    """Deletes what is past its retention, and notes how many; arguments as above.

    Args:
        bench: Casework.
        records: Of every room.
        by: Who purges, for the log.
    """
    with bench.state.database.writing() as session:
        _end_lapsed(bench, session)
    counts: dict[str, int] = {}
    if expired_casework(bench, records):
        with bench.state.database.writing() as session:
            counts = _counts(bench, session, records, delete=True)
            bench.state.audit.record(session, PURGED, by, {"deleted": counts})
    # Also what an erasure or a correction had to leave in the log, because somebody was reading.
    bench.state.database.forget_deleted()
    return counts


def _counts(
    bench: Bench, session: Session, records: Sequence[Records], *, delete: bool
) -> dict[str, int]:
    rule, now = bench.known.policy.retention, bench.clock()
    held = households_held(bench.today())
    counts = {
        one.title: one.past_retention(session, rule, now, held=held, delete=delete)
        for one in records
    }
    cases = _cases(bench, session, now, {*session.scalars(held)})
    counts[CLOSED_CASES] = len(cases)
    if delete and cases:
        for one in records:
            one.erase_cases(session, cases)
    if delete:
        _forget_households(session)
    return {kind: count for kind, count in counts.items() if count}


def _end_lapsed(bench: Bench, session: Session) -> None:
    """Ends upheld objections whose correction is gone: with the policy, or by a command."""
    query = select(ObjectionRow).where(ObjectionRow.state == ObjectionState.UPHELD)
    upheld = session.scalars(query).all()
    if not upheld:
        return
    lasting = {one.objection for one in decisions_of(bench.config).all}
    for row in upheld:
        if row.objection_id not in lasting:
            row.state = ObjectionState.ENDED
            row.ended_at, row.ended_by = bench.clock(), BY_RULE
            row.ended_why = "The correction ended with the policy, or was withdrawn by a command"
            row.version += 1
            close_when_answered(session, row.case_id, bench.clock())


def _cases(bench: Bench, session: Session, now: int, held: Collection[str]) -> list[str]:
    """Closed long ago, and needed neither for a legal hold nor to answer a resident."""
    needed = {*session.scalars(select(ObjectionRow.case_id))}
    needed |= {*session.scalars(select(RequestRow.case_id))}
    return [
        case
        for case, household in closed_before(session, bench.known.policy.retention, now)
        if case not in needed and household not in held
    ]


def _forget_households(session: Session) -> None:
    """Deletes ids of households that no other table names any more, in one statement."""
    connection = session.connection()
    own = HouseholdRow.__tablename__
    found = inspect(connection)
    named = []
    for name in found.get_table_names():
        columns = {one["name"] for one in found.get_columns(name)} if name != own else set()
        for column in sorted(columns & _NAMING):
            one = table(name, sql_column(column))
            named.append(select(one.c[column]).where(one.c[column].is_not(None)))
    unnamed = HouseholdRow.household_id.not_in(union(*named))
    session.execute(delete_rows(HouseholdRow).where(unnamed))
