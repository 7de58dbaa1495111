"""Which running series a change of the policies would end, said before it takes effect.

A refusal is permanent, and a series that a council leaves cannot be joined again without
counting, and paying for, every household once more. So whoever signs or scores is told first.
Rounds and policies are looked at, never households.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from folkmoot_node.release.admission import AdmissionContext, judge
from folkmoot_node.release.series import series_progress
from folkmoot_operator.moments import day
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from folkmoot.rounds import Round
    from folkmoot_node.evidence.round_book import KnownRound
    from folkmoot_node.home import NodeHome
    from folkmoot_node.policies.release_policy import ReleasePolicy
    from folkmoot_node.policies.risk_policy import RiskPolicy

_NOT_OPENED = "0" * 32
"""Id of a series' next round, which is not there yet: nothing was paid for it."""


@dataclass(frozen=True, slots=True)
class EndedSeries:
    """A series in which this council could not go on.

    Attributes:
        series_id: 32 hexadecimal digits.
        title: Of its rounds; may be empty.
        position: Number of the last round that was answered or paid for.
        length: Number of rounds planned.
        why: Why its next round would be refused, or from when on.
    """

    series_id: str
    title: str
    position: int
    length: int
    why: str

    def __str__(self) -> str:
        named = f" ({self.title})" if self.title else ""
        return (
            f"series {self.series_id[:12]}{named}, after round {self.position} of "
            f"{self.length}: {self.why}"
        )


def ended_by(
    home: NodeHome, release_policy: ReleasePolicy, risk_policy: RiskPolicy
) -> tuple[EndedSeries, ...]:
    """The running series that would end here if these policies were in force.

    A series runs if this council has answered or paid for a round of it, and rounds are left.

    Args:
        home: The node.
        release_policy: The release policy, as it would be signed.
        risk_policy: The risk stratification policy by which households would be scored.
    """
    if home.config.coordinator is None:
        return ()
    book = home.round_book()
    rounds, now = book.rounds(), home.clock()
    latest = {
        one.facts.series.series_id: one
        for one in rounds
        if one.facts.series is not None and now < one.facts.series.ends_at
    }
    found = (
        _judged(home, book.question(known), rounds, release_policy, risk_policy)
        for known in latest.values()
    )
    return tuple(one for one in found if one is not None)


def _judged(
    home: NodeHome,
    last_round: Round,
    rounds: Sequence[KnownRound],
    release_policy: ReleasePolicy,
    risk_policy: RiskPolicy,
) -> EndedSeries | None:
    """The series of a round, if its next round could not be answered."""
    series, now, loss = last_round.series, home.clock(), release_policy.loss
    assert series is not None
    paid = {debit.round_id for debit in home.ledger.debits()}
    position = max(
        (
            one.facts.series.position
            for one in rounds
            if one.facts.series is not None
            and one.facts.series.series_id == series.series_id
            and one.round_id in paid
        ),
        default=0,
    )
    if not 1 <= position < series.length:
        return None
    following = replace(
        last_round, round_id=_NOT_OPENED, series=replace(series, position=position + 1)
    )
    try:
        context = AdmissionContext(
            council=home.config.council,
            release_policy=release_policy,
            risk_policy_digest=risk_policy.digest,
            risk_policy_sunset=risk_policy.sunset,
            codes=_own_codes(following),
            remaining=home.ledger.balance(loss, now).remaining,
            now=now,
            series=series_progress(following, rounds, home.ledger, home.outbox, loss, now),
            risk_policy_text=risk_policy.text,
        )
        objection = judge(following, context)
        why = f"refused, because {objection.detail}" if objection is not None else ""
    except Problem as not_begun:
        why = f"not answered, because {not_begun.problem}"
    last, ends = min(release_policy.sunset, risk_policy.sunset), day(series.ends_at)
    if not why and last < ends:
        why = f"the policies end on {last}, the series on {ends}"
    if not why:
        return None
    return EndedSeries(series.series_id, last_round.title, position, series.length, why)


def _own_codes(round_: Round) -> dict[str, tuple[str, ...] | None]:
    """The codes that the round asks for, as if published: policies do not list those of sources.

    Whether attributes that a policy defines are still the same is in what a series compares.
    """
    assert round_.series is not None
    event = round_.series.event
    codes: dict[str, tuple[str, ...] | None] = {
        one.name: None if one.is_area else one.codes for one in round_.workload.counted_by
    }
    held = codes.get(event.attribute) or ()
    codes[event.attribute] = tuple(dict.fromkeys([*held, *event.codes]))
    return codes
