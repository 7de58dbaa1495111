"""The households that are kept for rounds about a past date: until when, and which rounds wait."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from folkmoot_node.answering.scores_wait import require_scores_for
from folkmoot_node.evidence.round_book import Decision
from folkmoot_node.home import NodeHome
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.use import KEEP_SNAPSHOT, end_of_keeping, end_of_use, open_snapshot
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.status_screen import Status

_NAME = "kept for rounds"
_NONE = "no households are kept as they were known on a past date"
COMMAND = "folkmoot-node evaluate FILE --for-rounds DATE"
"""What keeps them."""


@dataclass(frozen=True, slots=True)
class PastHouseholds:
    """What is kept for rounds that ask for an outcome.

    Attributes:
        known_on: The past date; None if nothing is kept.
        usable_until: The last day on which rounds may count it.
        kept_until: The last day on which it may be kept.
        is_usable: Whether a round may count it today.
        policy_is_current: Whether it is by the policy that `node.toml` names.
        waiting: Ids of open rounds that wait for other households.
    """

    known_on: datetime.date | None
    usable_until: datetime.date | None
    kept_until: datetime.date | None
    is_usable: bool
    policy_is_current: bool
    waiting: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, dates as ISO 8601."""
        days = (
            ("known_on", self.known_on),
            ("usable_until", self.usable_until),
            ("kept_until", self.kept_until),
        )
        return {
            **{name: one.isoformat() if one else None for name, one in days},
            "policy_is_current": self.policy_is_current,
            "rounds_waiting": list(self.waiting),
        }

    @property
    def wrong(self) -> str:
        """Why they have to be kept again, in words; empty if they need not."""
        if self.known_on is None:
            return _NONE if self.waiting else ""
        if not self.policy_is_current:
            return "they are by another policy than the one in node.toml"
        if not self.is_usable:
            return f"they may not be counted any more, since {self.usable_until} is over"
        return ""

    @property
    def waits(self) -> str:
        """Which rounds wait, in words; empty if none does."""
        if not self.waiting:
            return ""
        return f"rounds that wait: {', '.join(one[:12] for one in self.waiting)}"


def past_households(home: NodeHome) -> PastHouseholds | None:
    """Looks at what is kept; None if no round could ask for it and nothing is kept.

    Raises:
        Problem: If the policy, or what is kept, cannot be read.
    """
    config, policy = home.config, home.risk_policy()
    if not config.snapshot_path.exists():
        if not policy.outcomes:
            return None
        return PastHouseholds(None, None, None, False, False, _waiting(home, None))
    with open_snapshot(config) as snapshot:
        run = snapshot.run
    use = end_of_use(run, policy).last_day
    return PastHouseholds(
        known_on=run.reference_date,
        usable_until=use,
        kept_until=end_of_keeping(run, policy).last_day,
        is_usable=home.today() <= use,
        policy_is_current=run.policy_digest == policy.digest,
        waiting=_waiting(home, run),
    )


def section(status: Status, home: NodeHome) -> dict[str, Any] | None:
    """The part of `status`; adds what needs somebody."""
    found = past_households(home)
    if found is None:
        return None
    if found.known_on and found.kept_until and home.today() > found.kept_until:
        what = f"households as known on {found.known_on} must be deleted"
        status.need(f"{what}: they are kept until {found.kept_until}", "folkmoot-node purge", 7)
    elif found.wrong:
        about = "" if found.known_on is None else "households as known on a past date: "
        what = f"{about}{found.wrong}"
        status.need("; ".join(filter(None, (what, found.waits))), COMMAND, 16)
    return found.as_json()


def past_households_check(home: NodeHome) -> Check:
    """Whether rounds that ask for an outcome can be answered; nothing is said where none can be."""

    def look() -> Iterator[Finding]:
        found = past_households(home)
        if found is None:
            return
        if found.known_on is None:
            what = f"{_NONE}, and a round that asks for an outcome waits"
        else:
            what = f"households as known on {found.known_on}, for rounds until {found.usable_until}"
            what += f"; {found.wrong}" if found.wrong else ""
        what += f"; {found.waits}" if found.waits else ""
        if found.wrong:
            yield Finding(_NAME, State.WARN, what, KEEP_SNAPSHOT)
        else:
            yield Finding(_NAME, State.OK, what)

    return Check(_NAME, look)


def _waiting(home: NodeHome, run: RunSummary | None) -> tuple[str, ...]:
    """Open rounds that ask for an outcome and cannot be counted from what a run has kept."""
    if not home.keys.certificate.exists():
        return ()
    book, answered, now = home.round_book(), home.outbox.digests(), home.clock()
    waiting = []
    for known in book.rounds():
        is_over = known.round_id in answered or int(known.facts.deadline) <= now
        if is_over or known.decision is Decision.DECLINED:
            continue
        round_ = book.question(known)
        if not home.counts_then(round_):
            continue
        try:
            if run is not None:
                require_scores_for(home, run, round_)
                continue
        except Problem as problem:
            if problem.exit_code is not ExitCode.DATA:
                raise
        waiting.append(known.round_id)
    return tuple(waiting)
