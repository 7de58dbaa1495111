"""Whom a round waits for and why, and waiting until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select

from folkmoot.rounds import Round, RoundState
from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, RoundRow
from folkmoot_coordinator.rounds.progress import CouncilResponse
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

LOOK_SECONDS = 0.5
"""Between two looks into the database. A round lasts hours; this costs two short queries."""
OVERDUE_SECONDS = 30
"""How long after its deadline a round may be open before nobody seems to be serving."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How far a round has come.

    Attributes:
        invited: Councils invited.
        released: Councils that released.
        refused: Councils that refused.
    """

    invited: int
    released: int
    refused: int

    def __str__(self) -> str:
        answered = f"{self.released + self.refused} of {self.invited} councils have answered"
        return f"{answered}, {self.refused} refused" if self.refused else answered


def wait_until_ended(
    database: Database, round_: Round, clock: Clock, report: Callable[[Answers], None]
) -> None:
    """Returns when a round has ended: all have answered, somebody closed it, or its time is up.

    Writes nothing, so that it may be broken off at any moment; closing is the server's.

    Args:
        database: Where the rounds are.
        round_: The round.
        clock: Gives the time.
        report: Told at once how many have answered, and again whenever that changes.

    Raises:
        Problem: If the round stays open beyond its deadline, because no server is running.
    """
    seen: Answers | None = None
    while True:
        answers, state = _look(database, round_)
        if answers != seen:
            report(answers)
            seen = answers
        if state is not RoundState.OPEN:
            return
        if clock() > round_.deadline + OVERDUE_SECONDS:
            raise Problem(
                f"is still open, though its deadline was {to_text(round_.deadline)}",
                where=f"round {round_.round_id}",
                remedy="Start `folkmoot-coordinator serve`, which closes rounds when they are "
                "due, or run `folkmoot-coordinator round close`",
                exit_code=ExitCode.UNREACHABLE,
            )
        time.sleep(LOOK_SECONDS)


def _look(database: Database, round_: Round) -> tuple[Answers, RoundState]:
    with database.reading() as session:
        answers, refused = session.execute(
            select(func.count(), func.count(AnswerRow.reason)).where(
                AnswerRow.round_id == round_.round_id
            )
        ).one()
        state = session.scalars(
            select(RoundRow.state).where(RoundRow.round_id == round_.round_id)
        ).one()
    return Answers(len(round_.councils), answers - refused, refused), RoundState(state)


def why_waiting(response: CouncilResponse, *, is_closed: bool) -> str:
    """Why a council is not in a round, and what to do; empty if it has released.

    Args:
        response: Where the council stands.
        is_closed: True if the round has closed.
    """
    if response.refusal:
        which = f" ({response.refused_attribute})" if response.refused_attribute else ""
        return f"{response.refusal.meaning}{which}. {response.refusal.next_step}"
    if response.answered_at is not None:
        return ""
    if not response.enrolled:
        return "not enrolled. Invite the council"
    if is_closed:
        return "did not answer in time. Ask the council what `folkmoot-node rounds show` says"
    return "no answer yet. Ask the council what `folkmoot-node rounds show` says"
