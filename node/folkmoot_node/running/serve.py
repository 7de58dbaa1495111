"""The node's loop: visit the coordinator, answer, renew the certificate, come again.

Scheduled scoring and Prefect run beside it, in processes of their own (`background`).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext

from folkmoot_node.answering.answer import Event, is_open, load_release, poll
from folkmoot_node.federation.enrolment import renew
from folkmoot_node.home import NodeHome
from folkmoot_node.running.scheduler import TICK_SECONDS, Background, background
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.problems import ExitCode, Problem

MAX_WAIT = 300.0
"""Seconds between two tries while the coordinator cannot be reached, at most, unless visits are
planned at longer intervals."""
TIDY_SECONDS = 3600.0
"""Seconds between two looks at what is past its retention."""


def serve(
    home: NodeHome,
    report: Callable[[Event], None],
    *,
    stop: threading.Event,
    until_idle: bool = False,
    poll_seconds: float | None = None,
    tidy: Callable[[], Iterable[Event]] = tuple,
) -> None:
    """Answers rounds until stopped; scores when it is due, and keeps Prefect's history.

    A coordinator that cannot be reached is retried without end, with growing waits; a
    permanent refusal stops the loop.

    Args:
        home: The node.
        report: Told of each event.
        stop: Set it to end the loop after the current visit.
        until_idle: End when at least one round is known and none needs anything from this
            node; neither scheduled scoring nor Prefect is then started.
        poll_seconds: Seconds between visits, instead of the setting.
        tidy: Called at first and then every hour, unless `until_idle`; gives what it did.

    Raises:
        Problem: If the coordinator refuses this node permanently.
    """
    regular = poll_seconds or home.coordinator().poll_seconds
    with nullcontext() if until_idle else background(home, report) as beside:
        failures = 0
        due = tidy_due = time.monotonic()
        while not stop.is_set():
            if beside is not None:
                beside.attend()
                if time.monotonic() >= tidy_due:
                    _try_to_tidy(tidy, report)
                    tidy_due = time.monotonic() + TIDY_SECONDS
            if time.monotonic() >= due and (beside is None or beside.is_settled):
                failures = _try_visit(home, report, beside, failures)
                if until_idle and failures == 0 and is_idle(home):
                    return
                load_release()  # after the visit, when nobody waits
                due = time.monotonic() + _wait(regular, failures)
            wait = due - time.monotonic()
            stop.wait(wait if beside is None or 0 < wait < TICK_SECONDS else TICK_SECONDS)


def _try_to_tidy(tidy: Callable[[], Iterable[Event]], report: Callable[[Event], None]) -> None:
    """Tidies; what keeps it from that is said, and does not end the visits."""
    try:
        for event in tidy():
            report(event)
    except Problem as problem:
        report(Event("", f"{problem}. {problem.remedy}", is_problem=True))


def _try_visit(
    home: NodeHome, report: Callable[[Event], None], beside: Background | None, failures: int
) -> int:
    """One visit, recorded; returns how many in a row have failed."""
    events: list[Event] = []

    def note(event: Event) -> None:
        report(event)
        events.append(event)

    try:
        visit(home, note)
        failures = 0
    except Problem as problem:
        failed = Event("", str(problem), is_problem=True)
        events.append(failed)
        if problem.exit_code is not ExitCode.UNREACHABLE:
            raise
        failures += 1
        report(failed)
    finally:
        if beside is not None:
            beside.record(events)
    return failures


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
    since = home.unfinished_run.since
    statuses = (
        known.status(
            home.outbox.find(known.round_id), approval=approval, now=home.clock(), waits_since=since
        )
        for known in rounds
    )
    return bool(rounds) and not any(map(is_open, statuses))


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _wait(regular: float, failures: int) -> float:
    """Seconds to the next visit."""
    return Backoff(regular, MAX_WAIT).spread(failures) if failures else regular
