"""What cases hold about a household, for residents' rights and for retention."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_operator.moments import day_text


class CaseRecords(Records):
    """Cases, and the risk assessments that they were opened with."""

    room = "cases"
    title = "Cases"

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        query = select(CaseRow).where(CaseRow.household_id == household).order_by(CaseRow.opened_at)
        return [_item(row) for row in session.scalars(query)]

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        result = session.execute(delete(CaseRow).where(CaseRow.household_id == household))
        return int(result.rowcount)  # type: ignore[attr-defined]

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """See `Records`."""
        result = session.execute(delete(CaseRow).where(CaseRow.case_id.in_(cases)))
        return int(result.rowcount)  # type: ignore[attr-defined]

    def rectify(self, session: Session, household: str, key: str, field: str, text: str) -> bool:
        """See `Records`."""
        row = session.get(CaseRow, key)
        if row is None or row.household_id != household or field != "why":
            return False
        row.why = text
        row.version += 1
        return True


def closed_before(session: Session, rule: RetentionPolicy, now: int) -> list[tuple[str, str]]:
    """Cases that are past their retention: id, and id of the household."""
    last = now - rule.closed_cases_days * 86_400
    query = select(CaseRow.case_id, CaseRow.household_id).where(CaseRow.closed_at < last)
    return [(case, household) for case, household in session.execute(query)]


def _item(row: CaseRow) -> Item:
    facts = [
        Fact("Purpose", row.purpose),
        Fact("State", row.state),
        Fact("Opened on", day_text(row.opened_at)),
        Fact("Who decided to open it", row.opened_by),
        Fact("Why", row.why, may_name_others=True, field="why"),
        Fact("Team", row.team or ""),
        Fact("Who works on it", row.worker or ""),
        Fact("Group of the scores", row.band or ""),
        Fact("To be looked at again on", row.review_on or ""),
        Fact("Closed on", "" if row.closed_at is None else day_text(row.closed_at)),
        Fact("Outcome", row.outcome or ""),
        *_assessment(row.assessment),
    ]
    return Item(row.case_id, f"Case {row.case_id}", tuple(one for one in facts if one.value))


def _assessment(stored: str) -> Iterator[Fact]:
    """The score as it was when the case was opened."""
    document: dict[str, Any] = json.loads(stored or "{}")
    if "score" not in document:
        return
    when = document.get("reference_date", "")
    yield Fact("Score then", f"{document['score']} of {document.get('highest')} on {when}")
    for one in document.get("contributions", ()):
        points = "not known" if one.get("points") is None else f"{one['points']} points"
        yield Fact(f"Score then: {one.get('title')}", f"{points}. {one.get('words', '')}")
    for one in document.get("inputs", ()):
        if one.get("value") is not None:
            source = one.get("supplier") or one.get("source")
            yield Fact(f"Known then: {one.get('field')}", f"{one['value']} ({source})")
