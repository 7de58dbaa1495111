"""How far rounds are: a line about each, and where each council stands that was invited."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Subquery, func, select

from folkmoot.geography import GssCode
from folkmoot.refusal import RefusalReason
from folkmoot.rounds import Round, RoundState
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, CouncilRow, RoundRow
from folkmoot_coordinator.rounds.round_store import stored_round
from folkmoot_coordinator.rounds.withdrawal import Withdrawal


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """One line about a round.

    Attributes:
        round_id: 32 hexadecimal digits.
        title: For people.
        state: Where it stands.
        invited: Councils invited.
        released: Councils that released.
        refused: Councils that refused.
        opened_at: Seconds since 1970-01-01T00:00:00Z.
        deadline: Seconds since 1970-01-01T00:00:00Z.
        closed_at: Seconds since 1970-01-01T00:00:00Z; None while open.
        withdrawal: That its result is wrong; None if it stands.
    """

    round_id: str
    title: str
    state: RoundState
    invited: int
    released: int
    refused: int
    opened_at: int
    deadline: int
    closed_at: int | None
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class CouncilResponse:
    """Where one invited council stands in a round.

    Attributes:
        council: GSS code.
        answered_at: When its answer was stored; None if there is none yet.
        refusal: Why it refused; None for a release or no answer.
        refused_attribute: Attribute of the round that the refusal names, or None.
        enrolled: True if it has ever enrolled.
        last_seen: When it last called; None if never.
    """

    council: GssCode
    answered_at: int | None
    refusal: RefusalReason | None
    refused_attribute: str | None
    enrolled: bool
    last_seen: int | None

    @property
    def released(self) -> bool:
        """True if the council released."""
        return self.answered_at is not None and self.refusal is None

    @property
    def answer(self) -> str:
        """`released`, `refused` or `waiting`."""
        if self.answered_at is None:
            return "waiting"
        return "released" if self.refusal is None else "refused"


def answer_counts() -> Subquery:
    """By `round_id`, the number of `answers`, and of `refusals` among them."""
    return (
        select(
            AnswerRow.round_id.label("round_id"),
            func.count().label("answers"),
            func.count(AnswerRow.reason).label("refusals"),
        )
        .group_by(AnswerRow.round_id)
        .subquery()
    )


def summaries(database: Database) -> list[RoundSummary]:
    """Every round, newest first."""
    counts = answer_counts()
    query = (
        select(RoundRow, counts.c.answers, counts.c.refusals)
        .outerjoin(counts, counts.c.round_id == RoundRow.round_id)
        .order_by(RoundRow.opened_at.desc(), RoundRow.round_id)
    )
    with database.reading() as session:
        found = session.execute(query).all()
    result = []
    for row, answers, refusals in found:
        round_ = stored_round(row).round_
        result.append(
            RoundSummary(
                round_id=row.round_id,
                title=round_.title,
                state=RoundState(row.state),
                invited=len(round_.councils),
                released=(answers or 0) - (refusals or 0),
                refused=refusals or 0,
                opened_at=row.opened_at,
                deadline=row.deadline,
                closed_at=row.closed_at,
                withdrawal=Withdrawal.of(row),
            )
        )
    return result


def council_responses(database: Database, round_: Round) -> list[CouncilResponse]:
    """Where each invited council stands, in order of their codes."""
    with database.reading() as session:
        answers = {
            row.council: row
            for row in session.execute(
                select(
                    AnswerRow.council,
                    AnswerRow.reason,
                    AnswerRow.attribute_number,
                    AnswerRow.received_at,
                ).where(AnswerRow.round_id == round_.round_id)
            )
        }
        seen = {
            row.code: row.last_seen
            for row in session.execute(select(CouncilRow.code, CouncilRow.last_seen))
        }
    result = []
    for council in round_.councils:
        answer = answers.get(council)
        result.append(
            CouncilResponse(
                council=council,
                answered_at=answer.received_at if answer else None,
                refusal=RefusalReason(answer.reason) if answer and answer.reason else None,
                refused_attribute=round_.workload.attributes[answer.attribute_number - 1].name
                if answer and answer.attribute_number
                else None,
                enrolled=council in seen,
                last_seen=seen.get(council),
            )
        )
    return result
