"""A node that people have stopped: nothing is scored, answered or sent, until they let it go on."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence import scoring_runs
from folkmoot_node.evidence.pauses import paused, paused_in
from folkmoot_node.evidence.scoring_runs import STOPPED
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.operations.doctor import examine
from folkmoot_node.operations.pausing import pause, resume
from folkmoot_node.release.steps import AnswerStage
from folkmoot_node.running.serve import serve, visit
from folkmoot_node.store.pause_note import noted_pause
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import Done, run_inside

WHY = "a mistake in the tax extract"


def node(stage: Stage, *arguments: str) -> Done:
    return run_inside("folkmoot-node", *arguments, "--home", stage.home)


def look(home: Path) -> list[Event]:
    events: list[Event] = []
    with open_home(home) as opened:
        visit(opened, events.append)
    return events


@pytest.fixture
def asked(stage: Stage) -> Stage:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    return stage


def store_digest(stage: Stage) -> str:
    return hashlib.sha256((stage.home / "store" / "households.duckdb").read_bytes()).hexdigest()


def test_while_it_is_paused_nothing_leaves_and_afterwards_the_round_is_answered(
    asked: Stage,
) -> None:
    said = node(asked, "pause", "--reason", WHY).said()
    assert WHY in said
    assert "folkmoot-node resume --reason" in said
    again = node(asked, "pause", "--reason", "another").said()
    assert "the node was already paused since" in again
    assert WHY in again
    [event] = look(asked.home)
    assert event.is_problem
    assert WHY in event.text
    assert not asked.coordinator.metadata, "not even a greeting is sent"
    with open_home(asked.home) as opened, opened.connect() as client:
        (found,) = [one for one in poll(opened, client) if one.round_id]
    assert "no round is answered" in found.text
    assert not asked.coordinator.submissions
    assert not asked.coordinator.refusals

    assert "goes on" in node(asked, "resume", "--reason", "it was corrected").said()
    look(asked.home)
    assert len(asked.coordinator.submissions) == 1


def test_an_answer_that_waits_is_not_sent(asked: Stage) -> None:
    stop: list[AnswerStage] = []
    with open_home(asked.home) as opened:

        def observe(stage: AnswerStage) -> None:
            stop.append(stage)
            if stage is AnswerStage.STORED:
                pause(opened, WHY, current_operator())

        watched = NodeHome(opened.config, opened.state, opened.clock, observe)
        with watched.connect() as client, pytest.raises(Problem, match="no answer is sent"):
            list(poll(watched, client))
        assert len(watched.outbox.pending()) == 1
    assert not asked.coordinator.submissions


def test_a_pause_while_the_answer_is_made_stores_none_and_it_is_paid_for_once(
    asked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from folkmoot_node.answering import answer

    original = answer._tabulate

    def meanwhile(home: NodeHome, *arguments: object) -> object:
        with open_home(asked.home) as other:
            pause(other, WHY, current_operator())
        return original(home, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(answer, "_tabulate", meanwhile)
    events = look(asked.home)
    assert any(WHY in event.text for event in events)
    monkeypatch.undo()
    with open_home(asked.home) as opened:
        assert opened.outbox.answers() == ()
        resume(opened, "settled", current_operator())
    look(asked.home)
    assert len(asked.coordinator.submissions) == 1
    with open_home(asked.home) as opened:
        assert len(opened.ledger.debits()) == 1


def test_nothing_is_scored(stage: Stage) -> None:
    before = store_digest(stage)
    node(stage, "pause", "--reason", WHY)
    done = node(stage, "score")
    assert done.code == ExitCode.REFUSED
    assert WHY in done.stderr
    assert store_digest(stage) == before


def test_a_run_that_is_going_on_ends_before_its_scores_are_stored(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, looks = store_digest(stage), []

    def first_pause_then_look(state: Path) -> object:
        looks.append(state)
        if len(looks) == 2:  # after the run has begun to read
            with open_home(stage.home) as other:
                pause(other, WHY, current_operator())
        return paused_in(state)

    monkeypatch.setattr(scoring_runs, "paused_in", first_pause_then_look)
    monkeypatch.setattr(scoring_runs, "_LOOK_SECONDS", 0)
    done = node(stage, "score")
    assert done.code == ExitCode.REFUSED
    assert "nothing is scored" in done.stderr
    assert len(looks) == 2
    assert store_digest(stage) == before
    with open_home(stage.home) as opened:
        assert [entry.body["action"] for entry in opened.audit.entries((STOPPED,))] == [STOPPED]


def test_a_pause_lasts_over_restarts_and_is_in_the_audit_log(stage: Stage) -> None:
    node(stage, "pause", "--reason", WHY)
    again = json.loads(node(stage, "pause", "--reason", "another", "--json").said())
    assert again["reason"] == WHY, "the first reason stays"
    with open_home(stage.home) as opened:
        found = paused(opened)
        assert found is not None
        assert (found.reason, found.by) == (WHY, current_operator().account)
        entries = [entry.body["action"] for entry in opened.audit.entries()]
        opened.verify_evidence()
    assert entries.count("paused") == 1
    failed = [one for one in examine(stage.home, offline=True) if one.state is State.FAIL]
    assert [one.name for one in failed] == ["pauses"]
    assert "folkmoot-node resume --reason" in failed[0].remedy
    node(stage, "resume", "--reason", "settled")
    with open_home(stage.home) as opened:
        assert paused(opened) is None
        assert noted_pause(opened.config.store_path) is None
    assert node(stage, "resume", "--reason", "settled").code == ExitCode.REFUSED


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_pause_without_a_reason_is_refused(stage: Stage, reason: str) -> None:
    assert node(stage, "pause", "--reason", reason).code == ExitCode.USAGE
    with open_home(stage.home) as opened:
        assert paused(opened) is None


def test_serve_that_runs_stops_answering_and_goes_on(asked: Stage) -> None:
    """In one thread, with the loop of `serve`: a pause by another process is heard of."""
    with (asked.home / "node.toml").open("a") as settings:
        settings.write("\n[prefect]\nenabled = false\n")
    stop, told = threading.Event(), []

    def report(event: Event) -> None:
        told.append(event.text)
        if WHY in event.text:
            stop.set()

    with open_home(asked.home) as other:
        pause(other, WHY, current_operator())
    with open_home(asked.home) as opened:
        serve(opened, report, stop=stop, poll_seconds=0.1)
    assert not asked.coordinator.metadata
    with open_home(asked.home) as opened, pytest.raises(Problem, match="no round is answered"):
        serve(opened, report, stop=threading.Event(), until_idle=True, poll_seconds=0.1)
    with open_home(asked.home) as other:
        resume(other, "settled", current_operator())
    with open_home(asked.home) as opened:
        serve(opened, report, stop=threading.Event(), until_idle=True, poll_seconds=0.1)
    assert len(asked.coordinator.submissions) == 1


def test_a_certificate_is_still_renewed(asked: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    monkeypatch.setattr(NodeHome, "keep_certificate", lambda home: kept.append(home))
    with open_home(asked.home) as other:
        pause(other, WHY, current_operator())
    look(asked.home)
    assert len(kept) == 1


def test_pages_stay_closed_where_a_pause_or_its_end_was_interrupted(stage: Stage) -> None:
    with open_home(stage.home) as opened, closing(opened.state):
        store = opened.config.store_path
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("folkmoot_node.operations.pausing.entry_of", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                pause(opened, WHY, current_operator())
        assert noted_pause(store) is not None
        assert paused(opened) is None
        with pytest.raises(Problem, match="closed all the same"):
            resume(opened, "settled", current_operator())
        assert noted_pause(store) is None
        pause(opened, WHY, current_operator())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("folkmoot_node.operations.pausing.forget_pause", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                resume(opened, "settled", current_operator())
        assert paused(opened) is None
        assert noted_pause(store) is not None


def test_a_note_that_cannot_be_read_means_that_pages_are_closed(tmp_path: Path) -> None:
    store = tmp_path / "households.duckdb"
    assert noted_pause(store) is None
    (tmp_path / "households.duckdb.paused").write_text("{")
    assert noted_pause(store) == "why cannot be read"


@pytest.mark.slow
def test_a_real_serve_hears_of_a_pause_and_of_its_end(stage: Stage) -> None:
    with (stage.home / "node.toml").open("a") as settings:
        settings.write("\n[prefect]\nenabled = false\n")
    program = str(Path(sys.executable).with_name("folkmoot-node"))
    serving = subprocess.Popen(
        [program, "serve", "--poll-seconds", "0.2", "--home", str(stage.home)],
        stderr=subprocess.DEVNULL,
    )
    guard = threading.Timer(240, serving.kill)
    guard.start()
    coordinator = stage.coordinator

    def until(what: Callable[[], object]) -> None:
        limit = time.monotonic() + 100
        while not what():
            assert serving.poll() is None, "serve has ended"
            assert time.monotonic() < limit
            time.sleep(0.1)

    try:
        until(lambda: coordinator.metadata)
        node(stage, "pause", "--reason", WHY).said()
        time.sleep(1)
        visits = len(coordinator.metadata)
        coordinator.rounds = [round_codec.encode_round(ask())]
        time.sleep(2)
        assert len(coordinator.metadata) - visits <= 1, "the visit that was going on, at most"
        assert not coordinator.submissions
        node(stage, "resume", "--reason", "settled").said()
        until(lambda: coordinator.submissions)
    finally:
        serving.terminate()
        serving.wait(60)
        guard.cancel()
