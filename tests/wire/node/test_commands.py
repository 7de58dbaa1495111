"""What the commands about rounds tell the person who decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stage import Stage, ask
from test_decisions import ask_for_approval
from typer.testing import CliRunner

from folkmoot import codec
from folkmoot.privacy import Rho
from folkmoot_node.cli import app

Node = Callable[..., str]


@pytest.fixture
def node(stage: Stage) -> Node:
    """Runs a command of the node; gives what it prints, in one line."""
    ask_for_approval(stage)
    stage.coordinator.rounds = [
        codec.encode_round(ask(1)),
        codec.encode_round(ask(2, loss=Rho.of("0.7"))),  # the policy allows 0.5
    ]

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--home", str(stage.home)])
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    return run


FIRST, SECOND = f"{1:032x}", f"{2:032x}"


def test_the_list_says_what_will_become_of_each_round(node: Node) -> None:
    listed = node("rounds", "list")
    assert "waiting for approval" in listed
    assert "refused by the release policy, not sent yet" in listed
    node("decline", FIRST)
    assert "declined, not sent yet" in node("rounds", "list")
    node("decline", FIRST, "--undo")
    assert "waiting for approval" in node("rounds", "list")


def test_a_round_is_shown_with_its_status_and_what_to_do(node: Node) -> None:
    node("rounds", "list")
    shown = node("rounds", "show", FIRST)
    assert "rho 1 left now, 0.9 after an answer" in shown
    assert "Status: waiting for approval." in shown
    assert f"Decide: `folkmoot-node approve {FIRST[:12]}`" in shown
    assert "Decide:" not in node("rounds", "show", SECOND)


def test_approving_says_what_comes_next(node: Node) -> None:
    node("rounds", "list")
    done = node("approve", FIRST)
    assert "approved." in done
    assert f"at once `folkmoot-node release {FIRST[:12]}`" in done
    assert "refuses" not in done
    assert "The release policy refuses it all the same: rho 0.7" in node("approve", SECOND)


def test_an_answered_round_costs_nothing_more(node: Node) -> None:
    node("rounds", "list")
    node("decline", FIRST)
    node("serve", "--until-idle", "--poll-seconds", "0.1")
    shown = node("rounds", "show", FIRST)
    assert "rho 1 left now." in shown
    assert "Status: refused, receipt held." in shown


def test_a_refusal_speaks_to_the_council(stage: Stage, node: Node) -> None:
    node("rounds", "list")
    from folkmoot_operator.problems import ExitCode, Problem

    done = CliRunner().invoke(app, ["release", SECOND, "--home", str(stage.home)])
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.REFUSED
    assert done.exception.remedy.startswith("The region is told so")
