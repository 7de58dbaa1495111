"""The node's loop: visit the coordinator, answer, renew the certificate, come again.

Scheduled scoring and Prefect run beside it, in processes of their own (`background`).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext

from folkmoot.catalogue import Catalogue
from folkmoot_node.answering.answer import load_release
from folkmoot_node.answering.catalogue import catalogue_here, publish_catalogue
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.stopped_run import is_scoring
from folkmoot_node.answering.visit import is_open, poll
from folkmoot_node.evidence.pauses import not_done, require_running
from folkmoot_node.evidence.round_book import RoundStatus
from folkmoot_node.federation.client import Renewal
from folkmoot_node.federation.connection_problems import ConnectionProblem
from folkmoot_node.federation.identity import ExpiredCertificate
from folkmoot_node.home import SERVE_LOCK, NodeHome
from folkmoot_node.running.certificate_watch import CertificateWatch
from folkmoot_node.running.scheduler import TICK_SECONDS, Background, background
from folkmoot_node.signals.events import (
    CERTIFICATE_NOT_RENEWED,
    CERTIFICATE_RENEWED,
    PAUSED,
    SERVE_IDLE,
    VISIT_FAILED,
)
from folkmoot_node.signals.metrics import VISITS
from folkmoot_node.signals.spans import VISIT
from folkmoot_operator import file_lock, service_manager
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.metrics import count
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.spans import span
from folkmoot_operator.stop_signal import stop_on

MAX_WAIT = 300.0
"""Seconds between two tries while the coordinator cannot be reached, at most, unless visits are
planned at longer intervals."""
TELL_AGAIN_SECONDS = 86_400.0
"""A state that lasts, such as a round that cannot be answered, is told once in this time."""
TIDY_SECONDS = 3600.0
"""How often what may be kept no longer is looked for."""


def serve(
    home: NodeHome,
    report: Callable[[Event], None],
    *,
    stop: threading.Event,
    until_idle: bool = False,
    no_plugins: bool = False,
    poll_seconds: float | None = None,
    tidy: Callable[[NodeHome], Iterable[Event]] = lambda _: (),
    make_catalogue: Callable[[NodeHome], Catalogue | None] = catalogue_here,
) -> None:
    """Answers rounds until stopped; scores when it is due, and keeps Prefect's history.

    A coordinator that cannot be reached is retried without end, with growing waits; a
    permanent refusal stops the loop.

    Args:
        home: The node.
        report: Told of each event.
        stop: Set it to end the loop after the current visit.
        until_idle: End when at least one round is known and none needs anything that this
            node does by itself; neither scheduled scoring nor Prefect is then started. A round
            that waits for a person, to approve it or since a scoring run was stopped, does not
            keep the loop going; it is reported.
        no_plugins: Refuse to score: this process may not make the namespaces for plugins.
        poll_seconds: Seconds between visits, instead of the setting.
        tidy: Deletes what may be kept no longer, and says what it did; called before the first
            visit and then every hour.
        make_catalogue: Makes what is published of the policies; see `publish_catalogue`.

    Raises:
        Problem: If the coordinator refuses this node permanently, another `serve` runs in this
            home, or the settings ask for scoring where no plugins run.
    """
    regular = poll_seconds or home.coordinator().poll_seconds
    with (
        file_lock.alone(home.config.home / SERVE_LOCK, "folkmoot-node serve"),
        nullcontext() if until_idle else background(home, report, scores=not no_plugins) as beside,
    ):
        failures, reached, news = 0, False, News(report)
        certificate = CertificateWatch(home, report)
        due = tidy_due = time.monotonic()
        said: list[Event] = []
        service_manager.ready("visits the coordinator")
        while not stop.is_set():
            service_manager.works()
            if time.monotonic() >= tidy_due:
                before, said = said, list(tidy(home))
                for event in said:
                    if event not in before:
                        report(event)
                tidy_due = time.monotonic() + TIDY_SECONDS
            certificate.attend()
            if beside is not None:
                beside.attend()
            if time.monotonic() >= due and (beside is None or beside.is_settled):
                failures = _try_visit(home, news, beside, failures, make_catalogue, reached=reached)
                reached = reached or failures == 0
                service_manager.status(_standing(failures))
                if until_idle:
                    require_running(home, "no round is answered")
                if until_idle and failures == 0 and is_idle(home):
                    _report_waiting(home, report)
                    return
                load_release()  # after the visit, when nobody waits
                due = time.monotonic() + _wait(regular, failures)
            wait = due - time.monotonic()
            stop.wait(wait if beside is None or 0 < wait < TICK_SECONDS else TICK_SECONDS)
        service_manager.stopping()


class News:
    """Reports what a visit tells, and what lasts not again at each visit: once a day."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        """Nothing has been told yet.

        Args:
            report: Told of each event.
        """
        self.report = report
        self._told: dict[Event, float] = {}
        self._seen: set[Event] = set()

    def tell(self, event: Event) -> None:
        """Reports an event, unless it is about a state that was told in the last day."""
        self._seen.add(event)
        lasts = event.is_problem or event.round_id
        now = time.monotonic()
        if lasts and now - self._told.get(event, -TELL_AGAIN_SECONDS) < TELL_AGAIN_SECONDS:
            return
        self._told[event] = now
        self.report(event)

    def end_visit(self) -> None:
        """After a visit that came to its end: what it did not tell is over, and new again."""
        self._told = {event: when for event, when in self._told.items() if event in self._seen}
        self._seen.clear()


def _try_visit(
    home: NodeHome,
    news: News,
    beside: Background | None,
    failures: int,
    make_catalogue: Callable[[NodeHome], Catalogue | None],
    *,
    reached: bool,
) -> int:
    """One visit, recorded; returns how many in a row have failed.

    If this process has reached the coordinator, its settings are right. Whatever stands in the
    way then, even another server at the coordinator's address, must not stop the node. Nor must a
    certificate that has ended since: what does not need the coordinator goes on, and the visit
    after an `enrol --again` succeeds.
    """
    events: list[Event] = []

    def note(event: Event) -> None:
        service_manager.works()
        news.tell(event)
        events.append(event)

    try:
        with span(VISIT) as traced:
            traced.say(result="failed")
            visit(home, note, make_catalogue)
            traced.say(result="reached")
        count(VISITS, result="reached")
        news.end_visit()
        failures = 0
    except Problem as problem:
        count(VISITS, result="failed")
        failed = Event("", str(problem), True, VISIT_FAILED)
        events.append(failed)
        if problem.exit_code is not ExitCode.UNREACHABLE and not (
            reached and isinstance(problem, ConnectionProblem | ExpiredCertificate)
        ):
            raise
        failures += 1
        news.report(failed)
    finally:
        if beside is not None:
            beside.record(events)
    return failures


def visit(
    home: NodeHome,
    report: Callable[[Event], None],
    make_catalogue: Callable[[NodeHome], Catalogue | None] = catalogue_here,
) -> None:
    """One visit to the coordinator, with a renewal of the certificate when it is due.

    While the node is paused nothing else leaves it than such a renewal.
    """
    pause = home.pause()
    if pause is not None:
        problem = not_done(pause, "nothing is scored, answered or sent")
        report(Event("", f"{problem}. {problem.remedy}", True, PAUSED))
        renewal = None if pause.is_final else home.keep_certificate()
        if renewal is not None:
            report(_renewed(renewal))
        return
    with home.connect() as client:
        if client.renewal is not None:
            report(_renewed(client.renewal))
        for event in poll(home, client):
            report(event)
        for event in publish_catalogue(home, client, client.agreed, make_catalogue):
            report(event)


def is_idle(home: NodeHome) -> bool:
    """True if at least one round is known and none needs what this node does by itself."""
    found = _statuses(home)
    return bool(found) and not any(map(is_open, found))


def _statuses(home: NodeHome) -> list[RoundStatus]:
    """Where each round stands; one that waits for a run that is going on is ready soon."""
    approval = home.release_policy().policy.operator_approval
    stopped = home.stopped_run() is not None and not is_scoring(home)
    return [
        known.status(
            home.outbox.find(known.round_id), approval=approval, now=home.clock(), stopped=stopped
        )
        for known in home.round_book().rounds()
    ]


def _report_waiting(home: NodeHome, report: Callable[[Event], None]) -> None:
    waiting = sum(status.is_for_a_person for status in _statuses(home))
    if waiting:
        text = f"idle; rounds that wait for a person: {waiting}. See `folkmoot-node rounds list`"
        report(Event("", text, True, SERVE_IDLE))


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    return stop_on(signal.SIGTERM, signal.SIGINT)


def _standing(failures: int) -> str:
    """How visits go, for `systemctl status`."""
    if failures:
        return f"the coordinator was not reached, {failures} times in a row; the log says why"
    return "visits the coordinator; the last visit ended well"


def _wait(regular: float, failures: int) -> float:
    """Seconds to the next visit."""
    return Backoff(regular, MAX_WAIT).spread(failures) if failures else regular


def _renewed(renewal: Renewal) -> Event:
    kind = CERTIFICATE_NOT_RENEWED if renewal.is_problem else CERTIFICATE_RENEWED
    return Event("", renewal.text, renewal.is_problem, kind)
