"""Where this node stands in a series: what it has measured, what arrived, what it pays.

Read from the ledger, the outbox and the rounds, never from households.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from folkmoot import round_codec
from folkmoot.privacy import Rho
from folkmoot.rounds import Round
from folkmoot.series import SeriesRow, cumulative_weights
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_node.evidence.outbox import AnswerKind, Outbox
from folkmoot_node.evidence.round_book import KnownRound
from folkmoot_node.policies.release_policy import LossPolicy


@dataclass(frozen=True, slots=True)
class OtherRound:
    """Another round of the series that was paid for or released.

    Attributes:
        round_id: Its id.
        position: Its place in the series.
        definition: `round_codec.series_digest` of it, 32 bytes.
        released: True if a release is stored.
        arrived: True if the release has a receipt.
        pending: True if it may still be delivered.
    """

    round_id: str
    position: int
    definition: bytes
    released: bool
    arrived: bool
    pending: bool


@dataclass(frozen=True)
class SeriesProgress:
    """Where a node stands when it judges and answers a round of a series.

    Attributes:
        position: Number of the round in the series.
        length: Number of rounds planned.
        definition: `round_codec.series_digest` of the round, 32 bytes.
        others: The other rounds of the series that were paid for or released, by position.
        charge: What the ledger asks for this round.
        unknown: Ids of rounds that were recovered from receipts alone, and may have been of
            this series: whom they counted is not known here.
    """

    position: int
    length: int
    definition: bytes
    others: tuple[OtherRound, ...]
    charge: Rho
    unknown: tuple[str, ...] = ()

    @property
    def last_position(self) -> int:
        """The largest position that is taken by another round; 0 if none is."""
        return max((one.position for one in self.others), default=0)

    @property
    def earlier(self) -> tuple[OtherRound, ...]:
        """The rounds before this one."""
        return tuple(one for one in self.others if one.position < self.position)

    @property
    def released(self) -> tuple[str, ...]:
        """Ids of the rounds that were measured, one for each step."""
        return tuple(one.round_id for one in self.earlier if one.released)

    @property
    def pending(self) -> tuple[str, ...]:
        """Ids of the rounds whose release may still be delivered."""
        return tuple(one.round_id for one in self.earlier if one.pending)

    @cached_property
    def rows(self) -> tuple[SeriesRow, ...]:
        """What the coordinator has of this council once the round arrives, this row last."""
        rows: list[SeriesRow] = []
        cohort = step = 1
        for one in self.earlier:
            if one.released:
                if one.arrived:
                    rows.append(SeriesRow(step, cohort))
                    cohort = step + 1
                step += 1
        return (*rows, SeriesRow(step, cohort))

    @property
    def row(self) -> SeriesRow:
        """What this round measures."""
        return self.rows[-1]

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """Weights of the rows in the cumulative counts that the region will have."""
        return cumulative_weights(self.rows, self.length)[-1]


def series_progress(
    round_: Round,
    rounds: Iterable[KnownRound],
    ledger: Ledger,
    outbox: Outbox,
    policy: LossPolicy,
    now: int,
) -> SeriesProgress:
    """Where the node stands in the series of a round.

    Args:
        round_: The round, which is in a series.
        rounds: All rounds that the node knows.
        ledger: What was paid.
        outbox: What was answered.
        policy: For the accounting period.
        now: Seconds since 1970-01-01T00:00:00Z.
    """
    assert round_.series is not None
    debits = ledger.debits()
    paid = {debit.round_id for debit in debits}
    known, others = set(), []
    for other in rounds:
        known.add(other.round_id)
        place = other.facts.series
        if (
            place is None
            or place.series_id != round_.series.series_id
            or other.round_id == round_.round_id
        ):
            continue
        answer = outbox.find(other.round_id)
        released = answer is not None and answer.kind is AnswerKind.RELEASE
        if not released and other.round_id not in paid:
            continue
        others.append(
            OtherRound(
                round_id=other.round_id,
                position=place.position,
                definition=place.definition,
                released=released,
                arrived=released and answer is not None and answer.receipt is not None,
                pending=released and answer is not None and answer.is_pending,
            )
        )
    others.sort(key=lambda one: one.position)
    return SeriesProgress(
        position=round_.series.position,
        length=round_.series.length,
        definition=round_codec.series_digest(round_),
        others=tuple(others),
        charge=charge_of(round_, (one.round_id for one in others), ledger, policy, now),
        # A receipt names no series, but a release of this one was charged one of its charges.
        unknown=tuple(
            debit.round_id
            for debit in debits
            if debit.recovered and debit.round_id not in known and debit.rho in round_.charges
        ),
    )


def charge_of(
    round_: Round, others: Iterable[str], ledger: Ledger, policy: LossPolicy, moment: int
) -> Rho:
    """What the ledger asks for a round of a series.

    The charges start again in each accounting period: a household that is first counted in
    it loses as much in it as if the series had begun there. So the losses of each period
    are within its cap, and a series within one period costs its total loss at most.

    Args:
        round_: The round; what it was charged before, it is charged again.
        others: Ids of the other rounds of its series that were paid for.
        ledger: What was paid.
        policy: For the accounting period.
        moment: Seconds since 1970-01-01T00:00:00Z.
    """
    debit = ledger.debit_of(round_.round_id)
    if debit is not None:
        return debit.rho
    of_series = set(others)
    count = sum(one.round_id in of_series for one in ledger.in_period(policy, moment))
    return round_.charges[min(count, len(round_.charges) - 1)]
