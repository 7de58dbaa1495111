"""Erasure of what casework holds on a household, and what stays in its way.

Casework is emptied of the household, and its random id no longer leads to a UPRN. The council's
own records are not casework's to erase: the next scoring run reads them again.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.models import HouseholdRow
from folkmoot_node.casework.holdings import Records
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opening.log import household_in_log
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.rights.answerers import require_answerer
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.casework.rights.kinds import Ground, ObjectionState, RequestKind, RequestState
from folkmoot_node.casework.rights.models import ErasureRow, HoldRow, ObjectionRow, RequestRow
from folkmoot_node.casework.rights.requests import Requests
from folkmoot_node.casework.uk_time import uk_day_text
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.visitors import Visitor

ERASED = "household erased"
HOLD_PLACED = "legal hold placed"
HOLD_LIFTED = "legal hold lifted"
"""Actions of the log."""
STAYS = (
    "The log of who looked at what, and of decisions, stays: it has random ids, staff names and "
    "the reasons that staff gave. It shows that the council acted lawfully (article 17(3)(b) and "
    "(e)), and is chained, so that nothing can be taken out of it.",
    "The privacy ledger, answers to the region and their receipts have nothing about any "
    "household in them.",
    "That a household was erased stays, by the random id, with the day and the ground. Nothing "
    "connects the id with a property any more.",
    "The council's own records, such as council tax, are not erased by this. The next scoring run "
    "reads them again, and the household gets a new score, unless an objection was upheld that "
    "leaves it out. Whoever runs that system decides about erasing there.",
    "The score of the last run stays until the next run replaces it, or its retention ends. What "
    "is kept for counts of the region about a past date stays until another date replaces it, or "
    "its retention ends.",
    "A count over several months that has counted the household keeps its property number, "
    "encrypted, until the count ends: without it the household could be counted twice.",
    "Backups keep copies until they are deleted by the council's own rule.",
)
"""What an erasure does not reach, and why, besides what single rooms keep."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold in force.

    Attributes:
        hold_id: Random.
        why: The reason.
        until: Its last day.
        placed_by: Who placed it.
    """

    hold_id: str
    why: str
    until: datetime.date
    placed_by: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would do.

    Attributes:
        rooms: Title of each room that holds something, and how many entries.
        stays: What stays, and why.
        obstacles: Why it cannot be done now; empty if it can.
    """

    rooms: tuple[tuple[str, int], ...]
    stays: tuple[str, ...]
    obstacles: tuple[str, ...]


class Erasure:
    """Erases households from casework."""

    def __init__(self, bench: Bench, records: Sequence[Records]) -> None:
        """Names the rooms.

        Args:
            bench: Casework.
            records: Of every room, `holders.RECORDS`.
        """
        self._bench = bench
        self._records = records
        self._state = bench.state

    def preview(self, opened: Opened, request_id: str | None = None) -> Preview:
        """What an erasure would do.

        Args:
            opened: The household.
            request_id: The request that asks for it; it is answered by erasing.
        """
        with self._state.database.reading() as session:
            rooms = [
                (one.title, len(list(one.held_on(session, opened.household))))
                for one in self._records
            ]
            obstacles = tuple(self._obstacles(session, opened.household, request_id))
        kept = tuple(one.stays for one in self._records if one.stays)
        return Preview(tuple(one for one in rooms if one[1]), (*kept, *STAYS), obstacles)

    def erase(
        self,
        opened: Opened,
        ground: Ground,
        by: Visitor,
        *,
        request: tuple[str, int] | None = None,
    ) -> dict[str, int]:
        """Erases a household from casework, whole or not at all.

        Args:
            opened: The household.
            ground: Why, of those that the law names.
            by: Who decides.
            request: The request that asks for it, and its version; it counts as answered.

        Returns:
            How many entries each room had.

        Raises:
            WebProblem: Status 403, if they may not; 409, if something stands in the way.
        """
        household = opened.household
        with self._state.database.writing() as session:
            require_answerer(session, by, household)
            obstacles = self._obstacles(session, household, request[0] if request else None)
            if obstacles:
                raise WebProblem(
                    409,
                    "This household cannot be erased now",
                    " ".join(obstacles),
                    "Settle that first, or refuse the request and say why.",
                )
            if request is not None:
                answering = Requests(self._bench)
                answering.answer(*request, by, session=session, ground=ground)
            counts = {one.room: one.erase(session, household) for one in self._records}
            counts = {room: count for room, count in counts.items() if count}
            session.execute(delete(HouseholdRow).where(HouseholdRow.household_id == household))
            session.add(
                ErasureRow(
                    household_id=household,
                    ground=ground,
                    erased_at=self._bench.clock(),
                    erased_by=by.name,
                    counts=json.dumps(counts),
                )
            )
            detail = {"household": household, "ground": ground, "erased": counts}
            self._state.audit.record(session, ERASED, by.name, detail)
        self._state.database.forget_deleted()
        return counts

    def hold(self, opened: Opened, why: str, until: datetime.date, by: Visitor) -> str:
        """Places a legal hold: nothing about the household is deleted before its end.

        Args:
            opened: The household.
            why: Such as a claim that is before a court.
            until: Its last day.
            by: Who places it.
        """
        with self._state.database.writing() as session:
            row = HoldRow(
                hold_id=new_id(),
                household_id=opened.household,
                why=why,
                until=until.isoformat(),
                placed_at=self._bench.clock(),
                placed_by=by.name,
            )
            session.add(row)
            detail = {"hold": row.hold_id, "household": opened.household, "until": row.until}
            self._state.audit.record(session, HOLD_PLACED, by.name, detail)
            return row.hold_id

    def lift(self, opened: Opened, hold_id: str, by: Visitor) -> None:
        """Lifts a legal hold; WebProblem of status 404 if the household has none of this id."""
        with self._state.database.writing() as session:
            row = session.get(HoldRow, hold_id)
            if row is None or row.household_id != opened.household or row.lifted_at is not None:
                raise problem_of_status(404)
            row.lifted_at, row.lifted_by = self._bench.clock(), by.name
            detail = {"hold": hold_id, "household": opened.household}
            self._state.audit.record(session, HOLD_LIFTED, by.name, detail)

    def holds(self, opened: Opened) -> list[Hold]:
        """Legal holds that are in force."""
        with self._state.database.reading() as session:
            return holds_of(session, opened.household, self._bench.today())

    def _obstacles(self, session: Session, household: str, request_id: str | None) -> list[str]:
        found = [
            f"A legal hold lasts until {one.until}."
            for one in holds_of(session, household, self._bench.today())
        ]
        objection = select(ObjectionRow.objection_id).where(
            ObjectionRow.household_id == household, ObjectionRow.state == ObjectionState.OPEN
        )
        if session.scalar(objection.limit(1)) is not None:
            found.append("An objection of the household is not answered yet.")
        waiting = select(RequestRow.request_id).where(
            RequestRow.household_id == household,
            RequestRow.state == RequestState.OPEN,
            RequestRow.request_id != (request_id or ""),
            RequestRow.kind != RequestKind.ERASURE,
        )
        if session.scalar(waiting.limit(1)) is not None:
            found.append("Another request of the household is not answered yet.")
        return found


def require_not_erased(session: Session, case_id: str) -> None:
    """Checks that a case which is not there did not go with its household.

    The log has the household's random id beside the case's, and the erasure has it with its day:
    nothing is kept for this.

    Raises:
        WebProblem: Status 410, with the day.
    """
    household = household_in_log(session, case_id)
    row = None if household is None else session.get(ErasureRow, household)
    if row is None:
        return
    raise WebProblem(
        410,
        "This case is not held any more",
        f"The household asked for it, and its data were erased on {uk_day_text(row.erased_at)}.",
        "Nobody can bring them back. The log keeps that people looked at the case and why.",
    )


def _in_force(today: datetime.date) -> ColumnElement[bool]:
    return HoldRow.lifted_at.is_(None) & (HoldRow.until >= today.isoformat())


def households_held(today: datetime.date) -> Select[str]:
    """A query of ids of households under a legal hold on a day."""
    return select(HoldRow.household_id).where(_in_force(today))


def holds_of(session: Session, household: str, today: datetime.date) -> list[Hold]:
    """Legal holds of a household that are in force on a day."""
    query = select(HoldRow).where(HoldRow.household_id == household, _in_force(today))
    return [
        Hold(row.hold_id, row.why, datetime.date.fromisoformat(row.until), row.placed_by)
        for row in session.scalars(query)
    ]
