"""The command `folkmoot-plugin attack`, whose outcomes are made up here: see `tests/attack`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from folkmoot_kit.attacks import confined, unconfined
from folkmoot_kit.attacks.attempts import Attempt
from folkmoot_kit.attacks.catalogue import ATTEMPTS
from folkmoot_kit.attacks.unconfined import Control
from folkmoot_kit.attacks.verdicts import Outcome, Verdict
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside

ONE = "connect-ipv4"


def with_outcome(monkeypatch: pytest.MonkeyPatch, verdict: Verdict) -> None:
    def outcomes(attempts: list[Attempt]) -> Iterator[Outcome]:
        return (Outcome(entry, verdict, "as it was") for entry in attempts)

    monkeypatch.setattr(confined, "outcomes", outcomes)


@pytest.mark.parametrize(
    ("verdict", "code", "said"),
    [
        (Verdict.CONTAINED, ExitCode.OK, "1 of 1 attempts were contained"),
        (Verdict.KNOWN_LIMIT, ExitCode.OK, "1 came through where nothing else is promised"),
        (Verdict.NOT_CONTAINED, ExitCode.FAULT, "0 of 1 attempts were contained"),
        (Verdict.NOT_TRIED, ExitCode.FAULT, "0 of 1 attempts were contained"),
    ],
)
def test_it_fails_unless_all_are_contained(
    monkeypatch: pytest.MonkeyPatch, verdict: Verdict, code: int, said: str
) -> None:
    with_outcome(monkeypatch, verdict)
    done = run_inside("folkmoot-plugin", "attack", "--only", ONE)
    assert done.code == code
    assert said in done.stdout
    assert f"{verdict.value:<14} {ONE}: {ATTEMPTS[ONE].title} (as it was)" in done.stdout


def test_all_are_made_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with_outcome(monkeypatch, Verdict.CONTAINED)
    found = json.loads(run_inside("folkmoot-plugin", "attack", "--json").said())
    expected = [entry.id for entry in ATTEMPTS.values() if entry.applies]
    assert [one["id"] for one in found] == expected
    assert found[0].keys() == {"id", "group", "title", "tries", "verdict", "how"}


def test_it_lists_what_is_tried() -> None:
    said = run_inside("folkmoot-plugin", "attack", "--list").said()
    assert f"{ONE}: {ATTEMPTS[ONE].title}. {ATTEMPTS[ONE].tries}" in said
    assert f"{len(ATTEMPTS)} attempts" in said
    found = json.loads(run_inside("folkmoot-plugin", "attack", "--list", "--json").said())
    assert len(found) == len(ATTEMPTS)


def test_the_control_says_what_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    through = {"connect-ipv4": True, "cipher-socket": False, "kill-host": None}

    def controls(attempts: list[Attempt]) -> Iterator[Control]:
        return (Control(entry, through[entry.id], "so") for entry in attempts)

    monkeypatch.setattr(unconfined, "controls", controls)
    only = [word for name in through for word in ("--only", name)]
    said = run_inside("folkmoot-plugin", "attack", "--control", *only).said()
    assert "comes through  connect-ipv4" in said
    assert "fails here too cipher-socket" in said
    assert "not tried      kill-host" in said
    assert "1 of 2 attempts come through where nothing confines them" in said


def test_an_attempt_that_there_is_not() -> None:
    done = run_inside("folkmoot-plugin", "attack", "--only", "connect-ipv5")
    assert done.code == ExitCode.SETTINGS
    assert "connect-ipv" in done.stderr
    assert "--list" in done.stderr


def test_a_machine_that_cannot_confine_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem("cannot confine", remedy="Enable it", exit_code=ExitCode.REFUSED)
    monkeypatch.setattr(confined.confinement, "unmet", lambda: problem)
    done = run_inside("folkmoot-plugin", "attack", "--only", ONE)
    assert done.code == ExitCode.REFUSED
    assert "Enable it" in done.stderr
