"""How a collection round ends.

    OPEN --every invited council released--------------------> COMPLETE
    OPEN --deadline, all answered or closed by hand,
           at least the minimum released---------------------> PARTIAL
    OPEN --the same, but fewer than the minimum released-----> VOID

A closed round never opens again.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.orm import Session

from folkmoot.rounds import Round, RoundState
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, RoundRow
from folkmoot_coordinator.rounds.decoded_rounds import DecodedRound
from folkmoot_coordinator.rounds.round_store import decoded_round

CLOSED = "round closed by hand"
"""Action of the audit log."""
_ROUNDS, _ANSWERS = RoundRow.__table__, AnswerRow.__table__
# Made once: SQLAlchemy takes longer to build a statement than SQLite to execute it.
_LOCKED = (
    select(_ROUNDS.c.state, _ROUNDS.c.digest)
    .where(_ROUNDS.c.round_id == bindparam("round_id"))
    .with_for_update()
)
_ANSWERED = select(func.count(), func.count().filter(_ANSWERS.c.reason.is_(None))).where(
    _ANSWERS.c.round_id == bindparam("round_id")
)
_CLOSE = (
    update(RoundRow.__table__)  # type: ignore[arg-type]  # it is a Table
    .where(_ROUNDS.c.round_id == bindparam("closing"))
    .values(state=bindparam("state"), closed_at=bindparam("closed_at"))
)


def close_round(
    database: Database, round_id: str, now: int, *, by_hand: bool = False
) -> RoundState:
    """Closes a round now, whoever has answered; a closed round stays as it is.

    Args:
        database: Where it is.
        round_id: Its whole id.
        now: Seconds since 1970-01-01T00:00:00Z.
        by_hand: True if a person closes it, which the audit log then says.
    """
    with database.connection(writes=True) as connection:
        row = connection.execute(_LOCKED, {"round_id": round_id}).one_or_none()
        if row is None:
            raise KeyError(round_id)
        if row.state != RoundState.OPEN.value:
            return RoundState(row.state)
        _, released = connection.execute(_ANSWERED, {"round_id": round_id}).one()
        state = _close(connection, decoded_round(connection, round_id, row.digest), released, now)
        if by_hand:
            with Session(connection) as session:
                details = {"round": round_id, "state": state.name.lower()}
                audit_log.note(session, now, CLOSED, details)
        return state


def close_due_rounds(database: Database, now: int) -> list[tuple[str, RoundState]]:
    """Closes every open round whose deadline has passed; returns those it closed."""
    due = select(RoundRow.round_id).where(
        RoundRow.state == RoundState.OPEN.value, RoundRow.deadline <= now
    )
    with database.reading() as session:
        identifiers = session.scalars(due).all()
    return [(identifier, close_round(database, identifier, now)) for identifier in identifiers]


def close_if_answered(connection: Connection, round_id: str, digest: bytes, now: int) -> RoundState:
    """Closes an open round if every invited council has answered; part of a transaction."""
    round_ = decoded_round(connection, round_id, digest)
    answers, released = connection.execute(_ANSWERED, {"round_id": round_id}).one()
    if answers < len(round_.round_.councils):
        return RoundState.OPEN
    return _close(connection, round_, released, now)


def _close(connection: Connection, round_: DecodedRound, released: int, now: int) -> RoundState:
    state = state_after(round_.round_, released)
    values = {"closing": round_.round_.round_id, "state": state.value, "closed_at": now}
    connection.execute(_CLOSE, values)
    return state


def state_after(round_: Round, released: int) -> RoundState:
    """The state in which a round ends after so many releases."""
    if released == len(round_.councils):
        return RoundState.COMPLETE
    return RoundState.PARTIAL if released >= round_.minimum_councils else RoundState.VOID
