"""How a node stands, as metrics: read from its files when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from folkmoot.refusal import RefusalReason
from folkmoot_node.evidence.scoring_runs import ACTIONS, BEGUN, INCOMPLETE, STORED
from folkmoot_node.federation.certificate_lives import AUTHORITY, NODE, certificates
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.signals import metrics
from folkmoot_operator.checks import free_share
from folkmoot_operator.metrics import Readings
from folkmoot_operator.problems import Problem

_CERTIFICATES = {NODE: "node", AUTHORITY: "authority"}


def look_at(folder: Path) -> Callable[[Readings], None]:
    """What brings the gauges of a node up to date.

    Args:
        folder: The node's home.
    """

    def look(readings: Readings) -> None:
        with open_home(folder) as home:
            for part in (_runs, _answers, _budget, _certificates, _disk):
                with suppress(Problem):  # the others are known all the same
                    part(home, readings)

    return look


def _runs(home: NodeHome, readings: Readings) -> None:
    begun: dict[str, int] = {}
    ended: tuple[int, int] | None = None
    failed = False
    for entry in home.audit.entries(ACTIONS):
        action, run = entry.body["action"], str(entry.body.get("run", ""))
        if action == BEGUN:
            begun[run] = entry.at
        elif action in {STORED, INCOMPLETE}:
            ended, failed = (begun.get(run, entry.at), entry.at), action == INCOMPLETE
    if ended is not None:
        readings.set(metrics.SCORES_AGE, max(0, home.clock() - ended[1]))
        readings.set(metrics.RUN_DURATION, metrics.coarse(ended[1] - ended[0]))
    readings.set(metrics.PLUGINS_FAILED, failed)
    readings.set(metrics.PAUSED, home.pause() is not None)
    readings.set(metrics.RUN_STOPPED, home.stopped_run() is not None)


def _answers(home: NodeHome, readings: Readings) -> None:
    kinds = dict.fromkeys(("release", "refusal"), 0)
    reasons = dict.fromkeys(RefusalReason, 0)
    for (kind, reason), number in home.outbox.counted().items():
        kinds[kind] += number
        if reason is not None:
            reasons[reason] += number
    for kind, number in kinds.items():
        readings.set(metrics.ANSWERS, number, kind=kind)
    for reason, number in reasons.items():
        readings.set(metrics.REFUSALS, number, reason=reason.name.lower())
    readings.set(metrics.UNDELIVERED, home.outbox.owed())
    if home.keys.coordinator_key.exists():
        waiting = home.round_book().unanswered(home.outbox, home.clock())
        readings.set(metrics.ROUNDS_WAITING, len(waiting))


def _budget(home: NodeHome, readings: Readings) -> None:
    balance = home.balance()
    for of, left, cap in (
        ("period", balance.period_remaining, balance.cap),
        ("lifetime", balance.lifetime_remaining, balance.lifetime_cap),
    ):
        readings.set(metrics.BUDGET_LEFT, left.nano / cap.nano if cap.nano else 0.0, of=of)


def _certificates(home: NodeHome, readings: Readings) -> None:
    readings.forget(metrics.CERTIFICATE_DAYS)
    for one in certificates(home.keys, home.clock()):
        name = _CERTIFICATES[one.name]
        readings.set(metrics.CERTIFICATE_DAYS, round(one.days_left, 3), certificate=name)


def _disk(home: NodeHome, readings: Readings) -> None:
    readings.set(metrics.DISK_FREE, free_share(home.config.home))
