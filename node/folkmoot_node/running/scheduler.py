"""What `serve` does besides its visits: scoring on a schedule, and Prefect's history of it all."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from folkmoot_node.answering.event import Event
from folkmoot_node.answering.stopped_run import RESUME, why_rounds_wait
from folkmoot_node.evidence.pauses import PauseWatch
from folkmoot_node.evidence.scoring_runs import INCOMPLETE, STORED
from folkmoot_node.home import NodeHome
from folkmoot_node.running.prefect_connection import council_environment, own_server
from folkmoot_node.signals import events
from folkmoot_operator import child_process, readings_socket
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.events import Level, LogEvent
from folkmoot_operator.moments import to_text
from folkmoot_operator.prefect_process import history_environment
from folkmoot_operator.prefect_server import PrefectServer, ServerState
from folkmoot_operator.problems import ExitCode, Problem

TICK_SECONDS = 1.0
"""How often `attend` is to be called."""
SETTLE_SECONDS = 60.0
"""How long visits and scoring wait at first for the Prefect server."""
STOP_SECONDS = 20.0
"""How long a process may take to end."""
REPEAT_SECONDS = 86_400.0
"""The same event of a visit is recorded once in this time."""
_RETRIES = Backoff(300.0, 7200.0)
_MAX_RECORDERS = 2
_CLOCK_STEP = 3600
"""Seconds by which the clock has to go back before scoring is planned again."""
WORKER = ("-m", "folkmoot_node.running.worker")
"""Arguments of Python that start a process of `worker`."""


class Background:
    """Children of one `serve`; to be used from its main thread. Use `background`."""

    def __init__(
        self, home: NodeHome, report: Callable[[Event], None], *, scores: bool = True
    ) -> None:
        """Starts nothing yet."""
        self._scores = scores
        self._home = home
        self._pauses = PauseWatch(home)
        self._report = report
        self._server: PrefectServer | None = None
        self._council: dict[str, str] | None = None
        self._scoring: subprocess.Popen[bytes] | None = None
        self._score_due: float | None = None
        self._planned_at = 0
        self._score_failures = 0
        self._begun_after = 0
        self._recorders: list[subprocess.Popen[bytes]] = []
        self._recorded: dict[tuple[str, str], float] = {}
        self._unsettled_until = 0.0

    def open(self) -> None:
        """Starts Prefect if it is ours to start, and finds out when scoring is due.

        Raises:
            Problem: If another `serve` runs here, or a setting does not hold.
        """
        config = self._home.config
        if config.schedule is not None and not self._scores:
            raise Problem(
                "this `serve` starts no plugins (--no-plugins), and so it cannot score",
                where="node.toml: schedule.score",
                remedy="Delete the key, and let the timer score: `systemctl enable --now "
                "folkmoot-score.timer`; or start `serve` without the option, in a unit that lets "
                "plugins be confined (drop-ins/folkmoot-node-scores.conf)",
                exit_code=ExitCode.SETTINGS,
            )
        if config.prefect.enabled and config.prefect.url is None:
            if config.on_cluster and not config.dask.is_here:
                raise Problem(
                    "workers on other machines cannot reach the Prefect server that `serve` runs",
                    where="node.toml: prefect",
                    remedy="Set url to a Prefect server that they reach, or enabled = false",
                    exit_code=ExitCode.SETTINGS,
                )
            self._server = own_server(config, self._say_of_prefect)
            self._server.open()
            self._unsettled_until = time.monotonic() + SETTLE_SECONDS
        elif config.prefect.enabled:
            self._council = council_environment(config)
        if config.schedule is not None:
            self._plan_first(config.schedule.latest(self._home.clock()))

    @property
    def is_settled(self) -> bool:
        """True once visits need not wait for Prefect any more."""
        return (
            self._server is None
            or self._server.state is not ServerState.STARTING
            or time.monotonic() > self._unsettled_until
        )

    def attend(self) -> None:
        """Looks after the processes, and scores when it is due."""
        if self._server is not None:
            self._server.attend()
        self._recorders = [child for child in self._recorders if child.poll() is None]
        if self._pauses.pause() is not None:
            self._stop_scoring()
        elif self._scoring is not None:
            if self._scoring.poll() is not None:
                self._scored(self._scoring.returncode)
        elif self._score_due is not None and self._home.clock() < self._planned_at - _CLOCK_STEP:
            # Planned by a clock that was ahead: that time may be months away.
            self._say(events.SCORING_CLOCK, "the clock was set back")
            self._plan_next()
        elif (
            self._score_due is not None
            and self._home.clock() >= self._score_due
            and self.is_settled
        ):
            self._score()

    def record(self, events: Sequence[Event]) -> None:
        """Has Prefect record what a visit did, if it did something that is not recorded yet."""
        now = time.monotonic()
        self._recorded = {
            key: when for key, when in self._recorded.items() if now - when < REPEAT_SECONDS
        }
        news = [one for one in events if (one.round_id, one.text) not in self._recorded]
        environment = self._environment()
        if not news or environment is None or len(self._recorders) >= _MAX_RECORDERS:
            return
        self._recorded.update({(one.round_id, one.text): now for one in news})
        moment = to_text(self._home.clock())
        apart = history_environment(environment)
        child = self._start(apart, "record", moment, stdin=subprocess.PIPE)
        assert child.stdin is not None
        text = json.dumps([(one.round_id, one.text, one.is_problem) for one in news])
        with child.stdin as pipe:
            pipe.write(text.encode())
        self._recorders.append(child)

    def close(self) -> None:
        """Ends all processes, those first that the Prefect server is still told of."""
        if self._scoring is not None:
            child_process.stop(self._scoring, STOP_SECONDS)
        limit = time.monotonic() + STOP_SECONDS
        for child in self._recorders:
            try:
                child.wait(max(0.0, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                child_process.stop(child, 1)
        if self._server is not None:
            self._server.close()

    def _plan_first(self, latest: int) -> None:
        """Scores at once if the scores are older than the last time they were due."""
        scored = self._scored_at()
        if scored is not None and scored >= latest:
            self._plan_next()
            return
        self._score_due = self._home.clock()
        what = "there are no scores yet" if scored is None else "the scores are older than planned"
        self._say(events.SCORING_DUE, f"{what}: they are made now")

    def _plan_next(self) -> None:
        schedule = self._home.config.schedule
        assert schedule is not None
        self._planned_at = self._home.clock()
        self._score_due = due = schedule.next(self._planned_at)
        self._say(events.SCORING_PLANNED, f"next scoring at {schedule.shown(due)}")

    def _scored_at(self) -> int | None:
        try:
            with self._home.open_store() as store:
                return store.run.started_at
        except Problem:
            return None

    def _is_stored(self) -> bool:
        """True if the run has recorded that its scores are stored: exit codes can be anybody's."""
        entries = self._home.audit.entries((STORED, INCOMPLETE))
        return any(entry.sequence > self._begun_after for entry in entries)

    def _score(self) -> None:
        environment = self._environment()
        recorded = [] if environment is None else ["--recorded"]
        self._say(events.SCORING_STARTED, "scoring starts")
        self._begun_after = self._home.audit.head().length
        self._scoring = self._start(
            environment or dict(os.environ), "score", str(self._home.config.home), *recorded
        )

    def _stop_scoring(self) -> None:
        """The node is paused: a run that is going on ends, and what is due waits."""
        if self._scoring is None:
            return
        child, self._scoring = self._scoring, None
        if child.poll() is None:
            child_process.stop(child, STOP_SECONDS)
            self._say(events.SCORING_PAUSED, "scoring was stopped: the node is paused")
        self._score_due = self._home.clock()

    def _scored(self, code: int) -> None:
        self._scoring = None
        schedule = self._home.config.schedule
        assert schedule is not None
        if code == ExitCode.UNREACHABLE:
            self._score_failures += 1
            wait = _RETRIES.seconds(self._score_failures - 1)
            due = self._home.clock() + wait
            if due < schedule.next(self._home.clock()):
                self._score_due = due
                self._say(
                    events.SCORING_UNREACHED,
                    f"scoring could not reach what it needs; again in {wait:.0f} s",
                )
                return
        self._score_failures = 0
        if code == ExitCode.OK and not self._is_stored():
            self._say(
                events.SCORING_UNRECORDED,
                "scoring ended without an error and has recorded no scores: a plugin may have "
                "ended it; the last good scores stay, and rounds wait: see `folkmoot-node doctor`",
            )
        elif code == ExitCode.OK and (stopped := self._home.stopped_run()) is not None:
            self._say(
                events.SCORING_ROUNDS_WAIT,
                f"scored, and rounds wait: {why_rounds_wait(stopped)}. {RESUME}",
            )
        elif code == ExitCode.OK:
            self._say(events.SCORING_ENDED, "scored")
        else:
            waits = f". Rounds wait: {RESUME}" if self._home.stopped_run() is not None else ""
            self._say(
                events.SCORING_FAILED,
                f"scoring failed (exit code {code}); the last good scores stay{waits}",
            )
        self._plan_next()

    def _environment(self) -> dict[str, str] | None:
        """Variables of a process whose flows are recorded; None if there is no Prefect now."""
        if self._server is None:
            return self._council
        ready = self._server.state is ServerState.READY
        return self._server.client_environment() if ready else None

    def _start(
        self, environment: dict[str, str], *arguments: str, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        home = self._home.config.home
        kept = readings_socket.inherited()
        if kept:
            environment = {**environment, readings_socket.VARIABLE: str(kept[0])}
        return child_process.start(
            (*WORKER, *arguments), environment, home, stdin=stdin, keep_open=kept
        )

    def _say_of_prefect(self, text: str, is_problem: bool) -> None:
        self._say(events.PREFECT_FAILED if is_problem else events.PREFECT_CHANGED, text)

    def _say(self, kind: LogEvent, text: str) -> None:
        self._report(Event("", text, kind.level > Level.INFO, kind))


@contextmanager
def background(
    home: NodeHome, report: Callable[[Event], None], *, scores: bool = True
) -> Iterator[Background]:
    """What runs beside the visits; ended at the end, however it comes.

    Args:
        home: The node.
        report: Told of each event.
        scores: Whether it may score.
    """
    beside = Background(home, report, scores=scores)
    try:
        beside.open()
        yield beside
    finally:
        beside.close()
