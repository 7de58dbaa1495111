"""What objections and requests hold about a household."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_node.casework.rights.kinds import ObjectionState, RequestState
from folkmoot_node.casework.rights.models import HoldRow, ObjectionRow, RequestRow
from folkmoot_node.casework.uk_time import uk_day_text
from folkmoot_operator.moments import day

ERASED = "erased"
"""What stands in place of a text that was erased."""


class RightsRecords(Records):
    """Objections, requests and legal holds. They have a retention of their own, not the case's."""

    room = "rights"
    title = "Requests and objections"
    stays = (
        "Of objections and requests the kind, the days and who answered stay, by the random id: "
        "they show that the council answered in time. What was said is erased. What an upheld "
        "objection changed stays in force, or the household would be scored and counted again "
        "against its will."
    )

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        return [
            *_objections(session, household),
            *_requests(session, household),
            *_holds(session, household),
        ]

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        objections = session.execute(
            update(ObjectionRow)
            .where(ObjectionRow.household_id == household)
            .values(said=ERASED, said_by=ERASED, field=None, answer=None, seen=None, ended_why=None)
        )
        requests = session.execute(
            update(RequestRow)
            .where(RequestRow.household_id == household)
            .values(asked_by=ERASED, shown=None, hidden=None, answer=None)
        )
        holds = session.execute(delete_rows(HoldRow).where(HoldRow.household_id == household))
        counted = [one.rowcount for one in (objections, requests, holds)]  # type: ignore[attr-defined]
        return sum(counted)

    def past_retention(
        self,
        session: Session,
        rule: RetentionPolicy,
        now: int,
        *,
        held: Select[str],
        delete: bool,
    ) -> int:
        """Those answered, and holds that ended, long ago; an objection in force stays until its
        effect ends.
        """
        last = now - rule.rights_days * 86_400
        ended = func.coalesce(ObjectionRow.ended_at, ObjectionRow.answered_at)
        lasting = (ObjectionState.OPEN, ObjectionState.UPHELD)
        past: dict[type[ObjectionRow | RequestRow | HoldRow], ColumnElement[bool]] = {
            ObjectionRow: ObjectionRow.state.not_in(lasting) & (ended < last),
            RequestRow: (RequestRow.state != RequestState.OPEN) & (RequestRow.answered_at < last),
            HoldRow: (HoldRow.lifted_at < last) | (HoldRow.until < day(last).isoformat()),
        }
        count = 0
        for table, is_over in past.items():
            old = is_over & table.household_id.not_in(held)
            count += session.scalar(select(func.count()).where(old)) or 0
            if delete:
                session.execute(delete_rows(table).where(old))
        return count


def _objections(session: Session, household: str) -> Iterator[Item]:
    query = select(ObjectionRow).where(ObjectionRow.household_id == household)
    for row in session.scalars(query.order_by(ObjectionRow.recorded_at)):
        facts = (
            Fact("Kind", row.kind),
            Fact(
                "About",
                row.field or "the processing as a whole",
                inputs=(row.field,) if row.field else (),
            ),
            Fact("What was said", row.said, may_name_others=True),
            Fact("By whom", row.said_by, may_name_others=True),
            Fact("Received on", row.received_on),
            Fact("To be answered by", row.due_on),
            Fact("Recorded by", row.recorded_by),
            Fact("State", row.state),
            Fact("What it changes", row.effect or ""),
            Fact("Answered by", row.answered_by or ""),
            Fact("Answer", row.answer or "", may_name_others=True),
            Fact("Why it ended", row.ended_why or "", may_name_others=True),
        )
        title = f"Objection of {row.received_on}"
        yield Item(row.objection_id, title, tuple(one for one in facts if one.value))


def _requests(session: Session, household: str) -> Iterator[Item]:
    query = select(RequestRow).where(RequestRow.household_id == household)
    for row in session.scalars(query.order_by(RequestRow.recorded_at)):
        facts = (
            Fact("By whom", row.asked_by, may_name_others=True),
            Fact("Received on", row.received_on),
            Fact("To be answered by", row.due_on),
            Fact("Recorded by", row.recorded_by),
            Fact("State", row.state),
            Fact("Answered by", row.answered_by or ""),
            Fact("Answer", row.answer or "", may_name_others=True),
        )
        title = f"Request for {row.kind} of {row.received_on}"
        yield Item(row.request_id, title, tuple(one for one in facts if one.value))


def _holds(session: Session, household: str) -> Iterator[Item]:
    query = select(HoldRow).where(HoldRow.household_id == household)
    for row in session.scalars(query.order_by(HoldRow.placed_at)):
        facts = (
            Fact("Until", row.until),
            Fact("Why", row.why, may_name_others=True),
            Fact("Placed by", row.placed_by),
            Fact("Lifted on", "" if row.lifted_at is None else uk_day_text(row.lifted_at)),
        )
        yield Item(row.hold_id, "Legal hold", tuple(one for one in facts if one.value))
