"""The node's loop: visit the coordinator, answer, renew the certificate, come again."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable

from folkmoot_node.answering import Event, is_open, poll
from folkmoot_node.enrolment import renew
from folkmoot_node.home import NodeHome
from folkmoot_operator.problems import ExitCode, Problem

LONGEST_WAIT = 300.0
"""Seconds between two tries while the coordinator cannot be reached, at most."""


def serve(
    home: NodeHome,
    report: Callable[[Event], None],
    *,
    stop: threading.Event,
    until_idle: bool = False,
    poll_seconds: float | None = None,
) -> None:
    """Answers rounds until stopped.

    A coordinator that cannot be reached is tried again for ever, with growing waits; a
    permanent refusal stops the loop.

    Args:
        home: The node.
        report: Told of each event.
        stop: Set it to end the loop after the current visit.
        until_idle: End when at least one round is known and none needs anything from this
            node.
        poll_seconds: Seconds between visits, instead of the setting.

    Raises:
        Problem: If the coordinator refuses this node for good.
    """
    regular = poll_seconds or home.coordinator().poll_seconds
    failures = 0
    while not stop.is_set():
        try:
            visit(home, report)
            failures = 0
        except Problem as problem:
            if problem.exit_code is not ExitCode.UNREACHABLE:
                raise
            failures += 1
            report(Event("", str(problem), is_problem=True))
        if until_idle and failures == 0 and is_idle(home):
            return
        stop.wait(_wait(regular, failures))


def visit(home: NodeHome, report: Callable[[Event], None]) -> None:
    """One visit to the coordinator, with a renewal of the certificate when it is due."""
    with home.connect() as client:
        for event in poll(home, client):
            report(event)
        identity = home.identity()
        if identity.is_due_for_renewal(home.clock()):
            renew(identity, client, home.keys, home.config.council)
            report(Event("", "certificate renewed"))


def is_idle(home: NodeHome) -> bool:
    """True if at least one round is known and none needs anything from this node."""
    rounds = home.round_book().rounds()
    approval = home.release_policy().policy.operator_approval
    return bool(rounds) and not any(
        is_open(
            known.status(
                home.outbox.find(known.round.round_id), approval=approval, now=home.clock()
            )
        )
        for known in rounds
    )


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _wait(regular: float, failures: int) -> float:
    """Seconds to the next visit: exponential with jitter after failures."""
    if failures == 0:
        return regular
    longest = min(LONGEST_WAIT, regular * 2 ** min(failures, 10))
    return random.uniform(regular / 2, longest)  # noqa: S311 - spreads retries, not secret
