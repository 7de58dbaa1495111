"""What cases hold about a household, for residents' rights and for retention."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Select, delete, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.cases.models import (
    ActionRow,
    AssessmentRow,
    CaseRow,
    ChangeRow,
    ContactRow,
    EntryRow,
    FirstLookRow,
    MoveRow,
    NoteRow,
    PlanRow,
)
from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_node.casework.uk_time import uk_day_text

_ENTRIES: dict[type[EntryRow], str] = {
    ContactRow: "Contact",
    AssessmentRow: "Assessment",
    NoteRow: "Note",
    PlanRow: "Plan",
    ActionRow: "Action",
}


class CaseRecords(Records):
    """Cases, and the risk assessments that they were opened with."""

    room = "cases"
    title = "Cases"

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        query = select(CaseRow).where(CaseRow.household_id == household).order_by(CaseRow.opened_at)
        for row in session.scalars(query).all():
            yield _item(row)
            yield from _record(session, row.case_id)

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        cases = session.scalars(_cases(household)).all()
        count = self.erase_cases(session, cases)
        return count + _rows(session, delete(MoveRow).where(MoveRow.left == household))

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """See `Records`."""
        count = 0
        tables: tuple[type[Any], ...] = (*_ENTRIES, ChangeRow, FirstLookRow, MoveRow, CaseRow)
        for one in tables:
            count += _rows(session, delete(one).where(one.case_id.in_(cases)))
        return count

    def rectify(self, session: Session, household: str, key: str, field: str, text: str) -> bool:
        """See `Records`."""
        case = session.get(CaseRow, key)
        if case is not None and case.household_id == household and field == "why":
            case.why = text
            case.version += 1
            return True
        for one in _ENTRIES:
            entry = session.get(one, key)
            if entry is not None and field == "text":
                owner = session.get(CaseRow, entry.case_id)
                if owner is None or owner.household_id != household:
                    return False
                entry.text = text
                return True
        return False


def closed_before(session: Session, rule: RetentionPolicy, now: int) -> list[tuple[str, str]]:
    """Cases that are past their retention: id, and id of the household."""
    last = now - rule.closed_cases_days * 86_400
    query = select(CaseRow.case_id, CaseRow.household_id).where(CaseRow.closed_at < last)
    return [(case, household) for case, household in session.execute(query)]


def _item(row: CaseRow) -> Item:
    facts = [
        Fact("Purpose", row.purpose),
        Fact("State", row.state),
        Fact("Opened on", uk_day_text(row.opened_at)),
        Fact("Who decided to open it", row.opened_by),
        Fact("Why", row.why, may_name_others=True, field="why"),
        Fact("Team", row.team or ""),
        Fact("Who works on it", row.worker or ""),
        Fact("Group of the scores", row.band or "", sources=None),
        Fact("To be looked at again on", row.review_on or ""),
        Fact("Closed on", "" if row.closed_at is None else uk_day_text(row.closed_at)),
        Fact("Outcome", row.outcome or ""),
        *_assessment(row.assessment),
    ]
    return Item(row.case_id, f"Case {row.case_id}", tuple(one for one in facts if one.value))


def _record(session: Session, case: str) -> Iterator[Item]:
    """What people recorded in a case."""
    for one, title in _ENTRIES.items():
        query = select(one).where(one.case_id == case).order_by(one.at)
        for row in session.scalars(query):
            facts = [
                Fact("Case", row.case_id),
                Fact("Recorded by", row.by),
                *_particulars(row),
                Fact("Text", row.text, may_name_others=True, field="text"),
                Fact("Taken out by", row.removed_by or ""),
            ]
            shown = tuple(fact for fact in facts if fact.value)
            yield Item(row.entry_id, f"{title} of {uk_day_text(row.at)}", shown)
    looks = select(FirstLookRow).where(FirstLookRow.case_id == case).order_by(FirstLookRow.at)
    for look in session.scalars(looks):
        yield Item(
            f"{look.case_id} {look.account}",
            f"First view of {uk_day_text(look.at)}, before the score was shown",
            (
                Fact("Of", look.account),
                Fact("View", look.view),
                Fact("Reason", look.reason, may_name_others=True),
                Fact("Group that the score then showed", look.band or "no score", sources=None),
            ),
        )
    moves = select(MoveRow).where(MoveRow.case_id == case).order_by(MoveRow.version)
    for move in session.scalars(moves):
        yield Item(
            f"{move.case_id} {move.version}",
            "The case was connected with another home",
            (Fact("Reason", move.reason, may_name_others=True),),
        )
    changes = select(ChangeRow).where(ChangeRow.case_id == case).order_by(ChangeRow.version)
    for change in session.scalars(changes):
        facts = [Fact("By", change.by)]
        for name, (before, after) in change.changed.items():
            label = name.replace("_", " ").capitalize()
            facts.append(Fact(label, f"{before or 'nothing'}, then {after or 'nothing'}"))
        title = f"Change: {change.action}, on {uk_day_text(change.at)}"
        yield Item(f"{change.case_id} {change.version}", title, tuple(facts))


def _particulars(row: EntryRow) -> Iterator[Fact]:
    match row:
        case ContactRow():
            yield Fact("When", uk_day_text(row.happened_at))
            yield Fact("How", row.channel)
            yield Fact("Outcome", row.outcome)
        case AssessmentRow():
            yield Fact("Need found", "yes" if row.is_need_found else "no")
            yield Fact("Needs", ", ".join(row.needs))
        case ActionRow():
            yield Fact("Due on", row.due_on)
            yield Fact("Done", "" if row.done_at is None else uk_day_text(row.done_at))


def _rows(session: Session, statement: Delete) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _cases(household: str) -> Select[str]:
    return select(CaseRow.case_id).where(CaseRow.household_id == household)


def _assessment(stored: str) -> Iterator[Fact]:
    """The score as it was when the case was opened.

    It does not say from which source each factor was, and the sum tells of each.
    """
    document: dict[str, Any] = json.loads(stored or "{}")
    if "score" not in document:
        return
    when = document.get("reference_date", "")
    yield Fact(
        "Score then", f"{document['score']} of {document.get('highest')} on {when}", sources=None
    )
    for one in document.get("contributions", ()):
        points = "not known" if one.get("points") is None else f"{one['points']} points"
        words = f"{points}. {one.get('words', '')}"
        yield Fact(f"Score then: {one.get('title')}", words, sources=None)
    for one in document.get("inputs", ()):
        if one.get("value") is not None:
            source = one.get("supplier") or one.get("source")
            value = f"{one['value']} ({source})"
            yield Fact(f"Known then: {one.get('field')}", value, sources=None)
