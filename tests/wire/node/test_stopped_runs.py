"""After a scoring run that did not come to a good end, rounds wait until a person decides."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, ask, ask_for_approval

from folkmoot import round_codec
from folkmoot.privacy import Rho
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence.scoring_runs import recorded_run
from folkmoot_node.home import open_home
from folkmoot_node.operations.doctor import examine
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import Done, run_inside

EXTRACT = Path("extracts", "council_tax.csv")


def node(stage: Stage, *arguments: str) -> Done:
    return run_inside("folkmoot-node", *arguments, "--home", stage.home)


def visit(home: Path) -> list[Event]:
    with open_home(home) as opened, opened.connect() as client:
        return list(poll(opened, client))


def spoil(home: Path) -> str:
    """Makes the extract one that a run stops at; returns what it was."""
    path = home / EXTRACT
    before = path.read_text()
    spoiled = (f"{row},unreadable,Y,E01000001\n" for row in range(2 * before.count("\n")))
    path.write_text(before + "".join(spoiled))
    return before


def stop_a_run(stage: Stage) -> str:
    before = spoil(stage.home)
    done = node(stage, "score")
    assert done.code == ExitCode.DATA, done.stderr
    assert "Rounds wait now" in done.stderr
    assert "folkmoot-node rounds resume --reason" in done.stderr
    return before


@pytest.fixture
def asked(stage: Stage) -> Stage:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    return stage


def test_rounds_wait_after_a_run_that_data_has_stopped_until_a_person_decides(
    asked: Stage,
) -> None:
    stop_a_run(asked)
    assert any("rounds resume --reason" in event.text for event in visit(asked.home))
    assert asked.coordinator.submissions == asked.coordinator.refusals == []
    listed = " ".join(node(asked, "rounds", "list", "--offline").said().split())
    assert "waiting since a scoring run was stopped" in listed
    assert "folkmoot-node rounds resume --reason TEXT" in listed
    node(asked, "approve", "latest").said()
    assert "waits" in node(asked, "release", "latest").said(ExitCode.REFUSED)
    assert "wait" in node(asked, "serve", "--until-idle").stderr  # and it has ended
    assert asked.coordinator.submissions == []
    said = node(asked, "rounds", "resume", "--reason", "the extract comes on Friday").said()
    assert "the scores of 2026-11-23" in said
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1
    with open_home(asked.home) as home:
        recorded = [dict(entry.body) for entry in home.audit.entries()]
    (decided,) = [body for body in recorded if body["action"] == "rounds resumed"]
    assert decided["reason"] == "the extract comes on Friday"
    begun, stopped = recorded[:2]
    assert (begun["action"], stopped["action"]) == ("scoring run begun", "scoring run stopped")
    assert set(begun) == set(stopped)
    assert set(begun) - {"login", "claimed"} == {"action", "run", "by", "uid"}


def test_a_later_good_run_lets_rounds_go_on(asked: Stage) -> None:
    before = stop_a_run(asked)
    (asked.home / EXTRACT).write_text(before)
    node(asked, "score").said()
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1
    refused = node(asked, "rounds", "resume", "--reason", "none")
    assert "no round waits for a scoring run" in refused.said(ExitCode.REFUSED)


def test_a_run_that_the_machine_kills_was_stopped_too(asked: Stage) -> None:
    program = (
        "import os, signal, sys\n"
        "from folkmoot_node.pipeline import engine\n"
        "engine.score = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"sys.argv = ['folkmoot-node', 'score', '--home', {str(asked.home)!r}]\n"
        "from folkmoot_node.cli import main\n"
        "main()\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL
    visit(asked.home)
    assert asked.coordinator.submissions == []


def test_the_runs_that_serve_starts_are_recorded(asked: Stage) -> None:
    spoil(asked.home)
    module = [sys.executable, "-m", "folkmoot_node.running.worker", "score", str(asked.home)]
    assert subprocess.run(module, check=False).returncode == ExitCode.DATA
    visit(asked.home)
    assert asked.coordinator.submissions == []


def unreachable(state: Path) -> None:
    with pytest.raises(Problem), recorded_run(state, "T"):
        raise Problem("the database is away", remedy="-", exit_code=ExitCode.UNREACHABLE)


def test_a_source_that_cannot_be_reached_changes_nothing(asked: Stage) -> None:
    state = asked.home / "state" / "node.sqlite"
    with open_home(asked.home) as home:
        state = home.state.path
    unreachable(state)
    with open_home(asked.home) as home:
        assert home.stopped_run() is None
    with pytest.raises(ZeroDivisionError), recorded_run(state, "T"):
        raise ZeroDivisionError  # what a plugin does
    unreachable(state)
    visit(asked.home)
    assert asked.coordinator.submissions == []


def test_score_speaks_of_rounds_only_where_they_wait(
    asked: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    from folkmoot_node.cli.scoring import _says_that_rounds_wait

    with open_home(asked.home) as home:
        state = home.state.path
    for code, told in ((ExitCode.UNREACHABLE, False), (ExitCode.DATA, True)):
        failure = Problem("it failed", exit_code=code)
        with pytest.raises(Problem), _says_that_rounds_wait(asked.home), recorded_run(state, "T"):
            raise failure
        assert ("Rounds wait now" in capsys.readouterr().err) is told


def test_rounds_wait_while_a_run_goes_on_and_nobody_can_decide(asked: Stage) -> None:
    from folkmoot_node.store.encrypted_file import only_user

    with open_home(asked.home) as home:
        state, store = home.state.path, home.config.store_path
    with recorded_run(state, "T") as record, only_user(store, "in use", ""):
        record.stored(whole=True)
        (waits,) = [event for event in visit(asked.home) if "waits" in event.text]
        assert not waits.is_problem
        refused = node(asked, "rounds", "resume", "--reason", "in a hurry")
        assert "is going on" in refused.said(ExitCode.REFUSED)
        assert "going on" in node(asked, "rounds", "list", "--offline").said()
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1


def test_a_run_that_nobody_says_was_stored_was_stopped(asked: Stage) -> None:
    with open_home(asked.home) as home:
        state = home.state.path
    with recorded_run(state, "T"):
        pass  # a plugin can end it without an error
    visit(asked.home)
    assert asked.coordinator.submissions == []


def test_rounds_wait_after_a_run_that_went_on_without_a_plugins_factors(asked: Stage) -> None:
    with open_home(asked.home) as home:
        state = home.state.path
    with recorded_run(state, "T") as record:
        record.stored(whole=False)
    said = " ".join(event.text for event in visit(asked.home))
    assert "a plugin failed in the last scoring run" in said
    assert "rounds resume --reason" in said
    assert asked.coordinator.submissions == asked.coordinator.refusals == []
    listed = " ".join(node(asked, "rounds", "list", "--offline").said().split())
    assert "its factors are unknown for every household" in listed
    findings = [one for one in examine(asked.home, offline=True) if one.name == "scoring runs"]
    assert findings[0].state is State.FAIL
    assert "a plugin failed" in findings[0].what
    node(asked, "rounds", "resume", "--reason", "the others count").said()
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1


def test_the_last_run_says_why_rounds_wait(asked: Stage) -> None:
    with open_home(asked.home) as home:
        state = home.state.path
    with recorded_run(state, "T") as record:
        record.stored(whole=False)
    with pytest.raises(ZeroDivisionError), recorded_run(state, "T"):
        raise ZeroDivisionError
    with open_home(asked.home) as home:
        waits = home.stopped_run()
        assert waits is not None
        assert waits.is_incomplete  # these are the scores that would be counted
    with recorded_run(state, "T") as record:
        record.stored(whole=True)
    with open_home(asked.home) as home:
        assert home.stopped_run() is None


def test_doctor_fails_while_rounds_wait(asked: Stage) -> None:
    def found() -> Any:
        findings = examine(asked.home, offline=True)
        return next(one for one in findings if one.name == "scoring runs")

    assert found().state is State.OK
    stop_a_run(asked)
    assert found().state is State.FAIL
    assert "rounds resume" in found().remedy


def seen_by_the_coordinator(stage: Stage, home: Path) -> list[dict[str, Any]]:
    """All that two visits of a node have sent, as its log of what left has it."""
    stage.coordinator.held.clear()
    for _ in range(2):
        visit(home)
    with open_home(home) as opened:
        return [dict(entry.body) for entry in opened.state.chain("egress").entries()]


@pytest.mark.slow
def test_on_the_wire_a_stopped_run_looks_as_waiting_for_approval_does(
    stage: Stage, tmp_path: Path
) -> None:
    """Also to a coordinator that asks what the policy refuses, and what the store does not hold."""
    stage.coordinator.rounds = [
        round_codec.encode_round(ask(1)),
        round_codec.encode_round(ask(2, loss=Rho.of("0.7"))),  # the policy allows 0.5
        round_codec.encode_round(ask(3, purpose="something_else")),
        round_codec.encode_round(ask(4, policy_digest=bytes(32))),
    ]
    stopped, both = tmp_path / "stopped", tmp_path / "both"
    for copy in (stopped, both):
        shutil.copytree(stage.home, copy)
    ask_for_approval(stage)
    waiting = seen_by_the_coordinator(stage, stage.home)
    assert len(stage.coordinator.refusals) == 3
    for home in (stopped, both):
        spoil(home)
        run_inside("folkmoot-node", "score", "--home", home).said(ExitCode.DATA)
    assert seen_by_the_coordinator(stage, stopped) == waiting
    policy = both / "release-policy.toml"
    shutil.copy(stage.home / "release-policy.toml", policy)
    for signature in stage.home.glob("release-policy*.sig*"):
        shutil.copy(signature, both / signature.name)
    assert seen_by_the_coordinator(stage, both) == waiting
    assert stage.coordinator.submissions == []


def test_a_stopped_run_under_a_new_policy_refuses_nothing_in_its_name(asked: Stage) -> None:
    """A refusal is final: the good run would have answered."""
    policy = asked.home / "risk-policy.toml"
    policy.write_text(policy.read_text() + "\n# amended\n")
    digest = sha256(policy.read_bytes()).digest()
    asked.coordinator.rounds = [round_codec.encode_round(ask(policy_digest=digest))]
    before = stop_a_run(asked)
    visit(asked.home)
    assert asked.coordinator.refusals == []
    (asked.home / EXTRACT).write_text(before)
    node(asked, "score").said()
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1
