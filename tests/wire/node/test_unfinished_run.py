"""After a scoring run that did not end well, rounds wait until a person decides or a run ends well.

The coordinator sees what it sees of a council that asks for approval: visits, and no answer.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from stage import Stage, ask, ask_for_approval

from folkmoot import codec
from folkmoot_node.answering.answer import poll
from folkmoot_node.evidence.database import Clock, StateDatabase, system_clock
from folkmoot_node.evidence.round_book import Decision, RoundStatus
from folkmoot_node.evidence.unfinished_run import UnfinishedRun, noting_its_end
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.release.steps import AnswerStage
from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside

BAD_ROWS = "".join(f"not-a-uprn-{number},1,N,E01006151\n" for number in range(200))


def visit(home: NodeHome) -> list[str]:
    with home.connect() as client:
        return [event.text for event in poll(home, client)]


def problem(code: ExitCode) -> Problem:
    return Problem("stopped", where="a test", remedy="None", exit_code=code)


def stop(stage: Stage, error: BaseException, clock: Clock = system_clock) -> None:
    with pytest.raises(type(error)), noting_its_end(state_of(stage), clock):
        raise error


def state_of(stage: Stage) -> Path:
    return load_config(stage.home).state_path


def asked(stage: Stage, number: int = 1) -> None:
    stage.coordinator.rounds = [codec.encode_round(ask(number))]


@pytest.mark.parametrize(
    "error",
    [
        problem(ExitCode.DATA),
        problem(ExitCode.FAULT),
        problem(ExitCode.SETTINGS),
        problem(ExitCode.REFUSED),
        MemoryError(),
        KeyboardInterrupt(),
    ],
    ids=lambda error: str(getattr(error, "exit_code", type(error).__name__)),
)
def test_whatever_stopped_a_run_rounds_wait(stage: Stage, error: BaseException) -> None:
    asked(stage)
    stop(stage, error)
    with open_home(stage.home) as home:
        (text,) = visit(home)
        assert "waits, since a scoring run has not ended well" in text
        assert home.outbox.answers() == ()
    assert stage.coordinator.submissions == []
    assert stage.coordinator.refusals == []


def test_what_could_not_be_reached_stops_no_round(stage: Stage) -> None:
    asked(stage)
    stop(stage, problem(ExitCode.UNREACHABLE))
    with open_home(stage.home) as home:
        visit(home)
        assert len(home.outbox.answers()) == 1


def test_what_could_not_be_reached_does_not_end_the_waiting_for_an_earlier_stop(
    stage: Stage,
) -> None:
    asked(stage)
    stop(stage, problem(ExitCode.DATA))
    stop(stage, problem(ExitCode.UNREACHABLE))
    with open_home(stage.home) as home:
        visit(home)
        assert home.outbox.answers() == ()


def test_a_run_that_was_killed_counts_as_stopped(stage: Stage) -> None:
    asked(stage)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from folkmoot_node.evidence.unfinished_run import noting_its_end\n"
        "with noting_its_end(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(state_of(stage))], check=False)
    assert done.returncode == -9
    with open_home(stage.home) as home:
        visit(home)
        assert home.outbox.answers() == ()
    with noting_its_end(state_of(stage)):
        pass
    with open_home(stage.home) as home:
        visit(home)
        assert len(home.outbox.answers()) == 1


def test_an_approval_of_before_the_stop_does_not_count_and_one_of_after_does(stage: Stage) -> None:
    ask_for_approval(stage)
    asked(stage)
    now = int(time.time())
    with open_home(stage.home) as home:
        visit(home)
        (known,) = home.round_book().rounds()
        home.round_book().decide(known, Decision.APPROVED, "operator", now - 10, home.outbox)
    stop(stage, problem(ExitCode.DATA), lambda: now - 5)
    with open_home(stage.home) as home:
        visit(home)
        assert home.outbox.answers() == ()
        (known,) = home.round_book().rounds()
        waits_since = home.unfinished_run.since
        status = known.status(None, approval=True, now=now, waits_since=waits_since)
        assert status is RoundStatus.WAITING_FOR_APPROVAL
        home.round_book().undecide(known, home.outbox)
        home.round_book().decide(known, Decision.APPROVED, "operator", now, home.outbox)
        visit(home)
        assert len(home.outbox.answers()) == 1


def test_a_run_that_begins_while_an_answer_is_made_keeps_it_from_leaving(stage: Stage) -> None:
    asked(stage)

    def begin_meanwhile(step: AnswerStage) -> None:
        if step is AnswerStage.SAMPLED:
            with StateDatabase(state_of(stage)) as state:
                UnfinishedRun(state).begin(1)

    with open_home(stage.home, observe=begin_meanwhile) as home:
        (text,) = visit(home)
        assert "a scoring run began while the answer was made" in text
        assert home.outbox.answers() == ()
    assert stage.coordinator.submissions == []


def test_by_the_commands_a_stopped_run_makes_rounds_wait_and_resume_lets_them_go_on(
    stage: Stage,
) -> None:
    asked(stage)
    extract = stage.home / "extracts" / "council_tax.csv"
    good = extract.read_text()
    extract.write_text(good + BAD_ROWS)

    def said(*words: str, expect: int = 0) -> str:
        return run_inside("folkmoot-node", *words, "--home", stage.home).said(expect)

    said("score", "--reference-date", "2026-11-23", expect=ExitCode.DATA)
    assert "rounds resume" in said("release", "latest", expect=ExitCode.REFUSED)
    assert stage.coordinator.submissions == []
    said("rounds", "resume", "--reason", "seen")
    with open_home(stage.home) as home:
        last = list(home.audit.entries())[-1].body
        assert (last["action"], last["reason"]) == ("rounds resumed", "seen")
    said("release", "latest")
    assert len(stage.coordinator.submissions) == 1


def test_by_the_commands_a_good_run_lets_rounds_go_on(stage: Stage) -> None:
    asked(stage)
    stop(stage, problem(ExitCode.DATA))
    home = ("--home", stage.home)
    run_inside("folkmoot-node", "score", "--reference-date", "2026-11-23", *home).said()
    run_inside("folkmoot-node", "release", "latest", *home).said()
    assert len(stage.coordinator.submissions) == 1
