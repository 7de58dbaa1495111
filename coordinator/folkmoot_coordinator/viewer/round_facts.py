"""What the catalogue shows of rounds: kept in memory, because decoding a round takes long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot.rounds import RoundState
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import InvitedRow, RoundRow
from folkmoot_coordinator.publication.outcome_round import offered_groups, offered_outcomes
from folkmoot_coordinator.rounds.progress import answer_counts
from folkmoot_coordinator.rounds.round_store import decoded_round
from folkmoot_coordinator.rounds.withdrawal import Withdrawal
from folkmoot_coordinator.viewer.words import slug, table_title

_KEPT = 5000
_WITH_RESULT = (RoundState.COMPLETE, RoundState.PARTIAL)


@dataclass(frozen=True, slots=True)
class Question:
    """What a round asks, in short.

    Attributes:
        title: For people.
        purpose: Identifier.
        tables: Heading and slug of each table, in order.
        invited: Number of councils.
        event: Of a series, what is counted; else empty.
        length: Of a series, number of its rounds; else 0.
        is_by_outcome: Whether it counts bands by an outcome.
        is_by_group: Whether it counts bands by another attribute of all councils.
    """

    title: str
    purpose: str
    tables: tuple[tuple[str, str], ...]
    invited: int
    event: str
    length: int
    is_by_outcome: bool
    is_by_group: bool


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """A line of the catalogue.

    Attributes:
        round_id: Its id.
        question: What it asks.
        state: Where it stands.
        released: Councils in the figures, or so far.
        refused: Councils that refused.
        opened_at: Seconds since 1970-01-01T00:00:00Z.
        deadline: The same.
        closed_at: The same; None while open.
        withdrawal: That the result is wrong, itself or with an earlier round of its series; None if
            it stands.
        series_id: Of a series; None for a round by itself.
        position: In the series; 0 for a round by itself.
    """

    round_id: str
    question: Question
    state: RoundState
    released: int
    refused: int
    opened_at: int
    deadline: int
    closed_at: int | None
    withdrawal: Withdrawal | None
    series_id: str | None
    position: int

    @property
    def has_result(self) -> bool:
        """Whether figures are published."""
        return self.state in _WITH_RESULT

    @property
    def coverage(self) -> str:
        """Councils in the figures, in words."""
        return f"{self.released} of {self.question.invited} councils"


def round_facts(
    database: Database,
    *,
    council: str | None = None,
    series: str | None = None,
    round_id: str | None = None,
) -> list[RoundFacts]:
    """Rounds, newest first.

    Args:
        database: Where they are stored.
        council: Only those to which it was invited; None for all.
        series: Only those of this series; None for all.
        round_id: Only the one with this whole id; None for all.

    Raises:
        Problem: If a stored round is damaged.
    """
    counts = answer_counts()
    columns = (
        RoundRow.round_id, RoundRow.digest, RoundRow.state, RoundRow.opened_at, RoundRow.deadline,
        RoundRow.closed_at, RoundRow.series_id, RoundRow.series_position, RoundRow.withdrawn_at,
        RoundRow.withdrawn_reason, counts.c.answers, counts.c.refusals,
    )  # fmt: skip
    query = (
        select(*columns)
        .outerjoin(counts, counts.c.round_id == RoundRow.round_id)
        .order_by(RoundRow.opened_at.desc(), RoundRow.round_id)
    )
    if council is not None:
        invited = select(InvitedRow.round_id).where(InvitedRow.council == council)
        query = query.where(RoundRow.round_id.in_(invited))
    if series is not None:
        query = query.where(RoundRow.series_id == series)
    if round_id is not None:
        query = query.where(RoundRow.round_id == round_id)
    with database.reading() as session:
        wrong = _wrong_series(session)
        return [_facts(session, row, wrong) for row in session.execute(query)]


def _wrong_series(session: Session) -> dict[str, Withdrawal]:
    """By series the first withdrawal of one of its rounds: it counts for all later ones."""
    query = (
        select(
            RoundRow.series_id,
            RoundRow.series_position,
            RoundRow.withdrawn_at,
            RoundRow.withdrawn_reason,
        )
        .where(RoundRow.series_id.is_not(None), RoundRow.withdrawn_at.is_not(None))
        .order_by(RoundRow.series_position.desc())
    )
    return {
        row.series_id: Withdrawal(row.withdrawn_at, row.withdrawn_reason or "", row.series_position)
        for row in session.execute(query)
    }


def _withdrawal(row: Any, wrong: Mapping[str, Withdrawal]) -> Withdrawal | None:
    if row.withdrawn_at is not None:
        return Withdrawal(row.withdrawn_at, row.withdrawn_reason or "")
    found = wrong.get(row.series_id)
    if found is None or found.with_round is None or RoundState(row.state) not in _WITH_RESULT:
        return None
    return found if found.with_round < row.series_position else None


def _facts(session: Session, row: Any, wrong: Mapping[str, Withdrawal]) -> RoundFacts:
    refused = row.refusals or 0
    return RoundFacts(
        round_id=row.round_id,
        question=_QUESTIONS.of(session, row.round_id, row.digest),
        state=RoundState(row.state),
        released=(row.answers or 0) - refused,
        refused=refused,
        opened_at=row.opened_at,
        deadline=row.deadline,
        closed_at=row.closed_at,
        withdrawal=_withdrawal(row, wrong),
        series_id=row.series_id,
        position=row.series_position or 0,
    )


class _Questions:
    """Questions by digest: that of a round never changes."""

    def __init__(self) -> None:
        self._known: dict[bytes, Question] = {}

    def of(self, session: Session, round_id: str, digest: bytes) -> Question:
        found = self._known.get(digest)
        if found is None:
            round_ = decoded_round(session.connection(), round_id, digest).round_
            found = Question(
                round_.title,
                round_.purpose,
                tuple((table_title(one), slug(one)) for one in round_.workload.marginals),
                len(round_.councils),
                str(round_.series.event) if round_.series else "",
                round_.series.length if round_.series else 0,
                bool(offered_outcomes(round_)),
                bool(offered_groups(round_)),
            )
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[digest] = found
        return found


_QUESTIONS = _Questions()
