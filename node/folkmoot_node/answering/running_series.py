"""Which running series a change of the policies would end, said before it takes effect.

A refusal is permanent, and a series that a council leaves cannot be joined again without
counting, and paying for, every household once more. So whoever signs or scores is told first.
Rounds and policies are looked at, never households.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from folkmoot_node.release.admission import AdmissionContext, judge
from folkmoot_node.release.series import series_progress
from folkmoot_operator.moments import day
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        position: Number of the last round that was paid for.
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


def running_series(home: NodeHome) -> tuple[Round, ...]:
    """Of each running series the round that would follow, which is not there yet.

    A series runs if this council has paid for a round of it, and rounds are left. A node that
    belongs to no region takes part in none.
    """
    try:
        book = home.round_book()
    except Problem:
        return ()
    paid = {debit.round_id for debit in home.ledger.debits()}
    last: dict[str, KnownRound] = {}
    for known in book.rounds():
        place = known.facts.series
        if place is None or known.round_id not in paid or home.clock() >= place.ends_at:
            continue
        before = last.get(place.series_id)
        if before is None or _position(before) < place.position:
            last[place.series_id] = known
    return tuple(
        _following(book.question(known))
        for known in last.values()
        if known.facts.series is not None and _position(known) < known.facts.series.length
    )


def ended_by(
    home: NodeHome,
    running: Sequence[Round],
    release_policy: ReleasePolicy,
    risk_policy: RiskPolicy,
) -> tuple[EndedSeries, ...]:
    """The running series that would end here if these policies were in force.

    Args:
        home: The node.
        running: As `running_series` gives them.
        release_policy: The release policy, as it would be signed.
        risk_policy: The risk stratification policy by which households would be scored.
    """
    found = []
    for following in running:
        series = following.series
        assert series is not None
        why = _objection(home, following, release_policy, risk_policy)
        last, ends = min(release_policy.sunset, risk_policy.sunset), day(series.ends_at)
        if not why and last < ends:
            why = f"the policies end on {last}, the series on {ends}"
        if why:
            at = series.position - 1
            found.append(EndedSeries(series.series_id, following.title, at, series.length, why))
    return tuple(found)


def _position(known: KnownRound) -> int:
    assert known.facts.series is not None
    return known.facts.series.position


def _following(last: Round) -> Round:
    assert last.series is not None
    series = replace(last.series, position=last.series.position + 1)
    return replace(last, round_id=_NOT_OPENED, series=series)


def _objection(
    home: NodeHome, following: Round, release_policy: ReleasePolicy, risk_policy: RiskPolicy
) -> str:
    """Why a round would have no answer under these policies; empty if it would have one."""
    now, loss, rounds = home.clock(), release_policy.loss, home.round_book().rounds()
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
    except Problem as not_begun:
        return f"not answered, because {not_begun.problem}"
    return f"refused, because {objection.detail}" if objection is not None else ""


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
