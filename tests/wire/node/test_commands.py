"""What the commands about rounds tell the person who decides."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from stage import Stage, ask
from test_decisions import ask_for_approval
from typer.testing import CliRunner

from folkmoot import round_codec
from folkmoot.attributes import Attribute
from folkmoot.privacy import Rho
from folkmoot.rejection import Rejection, RejectionReason
from folkmoot.workload import Marginal, Workload
from folkmoot_node.answering.visit import poll
from folkmoot_node.cli import app
from folkmoot_node.home import open_home
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside

Node = Callable[..., str]


@pytest.fixture
def node(stage: Stage) -> Node:
    """Runs a command of the node; gives what it prints, in one line."""
    ask_for_approval(stage)
    stage.coordinator.rounds = [
        round_codec.encode_round(ask(1)),
        round_codec.encode_round(ask(2, loss=Rho.of("0.7"))),  # the policy allows 0.5
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
    assert "rho 1 in this accounting period, 0.9 after an answer; rho 2 for all time, 1.9" in shown
    assert "Status: waiting for approval." in shown
    assert f"Decide: `folkmoot-node approve {FIRST[:12]}`" in shown
    assert "Decide:" not in node("rounds", "show", SECOND)


def test_precision_and_loss_are_told_in_plain_english(node: Node) -> None:
    """Six cells at rho 0.1: variance 1 / (2 rho) = 5 each, standard error 2.24."""
    node("rounds", "list")
    shown = node("rounds", "show", FIRST)
    assert "by band and lsoa: 6 counts, each within 4.5 of the truth 19 times in 20" in shown
    assert "(standard error 2.24), so that 100 would be reported as 95 to 105." in shown
    assert "Counts under 12 would be unreliable; from 23 on they are reliable." in shown
    assert "would be right at most 62 times in 100; tossing a coin gives 50" in shown
    assert "Households in none of them are LEFT OUT of the whole round" in shown
    found = json.loads(node("rounds", "show", FIRST, "--json"))
    (marginal,) = found["marginals"]
    assert (marginal["unreliable_under"], marginal["reliable_from"]) == (12, 23)
    assert found["guess_rate_at_most"] == pytest.approx(0.612, abs=0.001)
    left_out = {one["attribute"]: one["leaves_households_out"] for one in found["attributes"]}
    assert left_out == {"band": False, "lsoa": True}


def test_approving_says_what_comes_next(node: Node) -> None:
    node("rounds", "list")
    done = node("approve", FIRST)
    assert "approved." in done
    assert f"at once `folkmoot-node release {FIRST[:12]}`" in done
    assert "refuses" not in done
    assert "The release policy still refuses it: rho 0.7" in node("approve", SECOND)


def test_an_answered_round_costs_nothing_more(node: Node) -> None:
    node("rounds", "list")
    node("decline", FIRST)
    node("serve", "--until-idle", "--poll-seconds", "0.1")
    shown = node("rounds", "show", FIRST)
    assert "Budget left: rho 1 in this accounting period; rho 2 for all time." in shown
    assert "Status: refused, receipt held." in shown


def test_serving_until_idle_starts_no_prefect_server(stage: Stage, node: Node) -> None:
    node("rounds", "list")
    node("decline", FIRST)
    node("serve", "--until-idle", "--poll-seconds", "0.1")
    assert not (stage.home / "prefect").exists()


def test_a_refusal_speaks_to_the_council(stage: Stage, node: Node) -> None:
    node("rounds", "list")
    done = CliRunner().invoke(app, ["release", SECOND, "--home", str(stage.home)])
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.REFUSED
    assert done.exception.remedy.startswith("The region is told so")


@pytest.mark.parametrize("reason", [RejectionReason.ROUND_CLOSED, RejectionReason.LOSS])
@pytest.mark.parametrize("which", [FIRST, SECOND])
def test_release_fails_if_the_answer_is_not_accepted(
    stage: Stage, node: Node, which: str, reason: RejectionReason
) -> None:
    node("rounds", "list")
    node("approve", which)
    stage.coordinator.rejects_answers = Rejection(reason, "no")
    for _ in range(2):  # nor is it accepted when the command is run again
        done = CliRunner().invoke(app, ["release", which, "--home", str(stage.home)])
        assert isinstance(done.exception, Problem)
        assert done.exception.exit_code is ExitCode.REFUSED
        assert reason.name.lower().replace("_", " ") in str(done.exception)
        assert "did not accept the answer" in str(done.exception)
        assert "answered, but the coordinator did not accept it" in done.output


def test_a_policy_signed_anew_inherits_what_was_spent(stage: Stage) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    policy = stage.home / "release-policy.toml"
    written = policy.read_text()

    def sign(period_start: datetime.date) -> str:
        policy.write_text(written.replace("2026-04-01", period_start.isoformat()))
        arguments = ["policy", "sign", "--signer", "T", "--home", str(stage.home)]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    with open_home(stage.home, clock=lambda: int(time.time()) - 10 * 86_400) as home:
        loss = home.release_policy().policy.loss
        home.ledger.debit("0" * 32, b"d" * 32, Rho.of("0.3"), loss, b"p" * 32, home.clock())
    for period_start in (today - datetime.timedelta(days=100), today):
        told = sign(period_start)
        assert "rho 0.3 spent, 0.7 left" in told
        assert "For all time: rho 0.3 of 2 spent, 1.7 left" in told
    assert "the first accounting period begins" in sign(today + datetime.timedelta(days=1))


def test_a_question_that_leaves_a_code_out_says_so(stage: Stage) -> None:
    ask_for_approval(stage)
    narrow = Workload((Attribute("band", ("high",)),), (Marginal(("band",)),))
    stage.coordinator.rounds = [
        round_codec.encode_round(ask(1)),
        round_codec.encode_round(ask(2, workload=narrow)),
    ]
    home = ["--home", str(stage.home)]
    assert CliRunner().invoke(app, ["rounds", "list", *home]).exit_code == 0
    whole = CliRunner().invoke(app, ["rounds", "show", FIRST, *home]).output
    assert "band: none, high" in whole
    assert "lsoa: 3 areas" in whole
    assert "LEFT OUT" in whole  # households in no area of the list
    assert "band: none, high." in whole
    part = CliRunner().invoke(app, ["rounds", "show", SECOND, *home]).output
    assert "band: high. Households with none are LEFT OUT of the whole round." in " ".join(
        part.split()
    )


def test_what_was_spent_is_shown_whatever_became_of_the_policy(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home, home.connect() as client:
        list(poll(home, client))
    policy = stage.home / "release-policy.toml"
    policy.write_text(policy.read_text() + "# changed\n")
    shown = CliRunner().invoke(app, ["ledger", "show", "--home", str(stage.home)])
    assert "Spent since this node exists: rho 0.1" in shown.output
    assert isinstance(shown.exception, Problem)
    assert "changed after it was signed" in shown.exception.problem


def test_scores_are_made_and_listed_by_one_command(stage: Stage, tmp_path: Path) -> None:
    home = ["--home", str(stage.home)]
    at_once, afterwards = tmp_path / "at-once.csv", tmp_path / "afterwards.csv"
    scored = CliRunner().invoke(app, ["score", "--households", str(at_once), *home])
    assert scored.exit_code == 0, scored.output
    assert f"Wrote 300 households to {at_once}." in " ".join(scored.output.split())
    assert CliRunner().invoke(app, ["households", "--out", str(afterwards), *home]).exit_code == 0
    assert at_once.read_bytes() == afterwards.read_bytes()
    with open_home(stage.home) as node:
        done = [entry.body["action"] for entry in node.audit.entries()]
    assert done.count("households exported") == 2


def test_a_list_that_cannot_be_written_is_refused_before_scoring(
    stage: Stage, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (stage.home / "store").iterdir()}
    command = ["score", "--home", str(stage.home), "--households"]
    tried = CliRunner().invoke(app, [*command, str(tmp_path / "calls.csv"), "--try"])
    assert tried.exit_code == 2
    other = CliRunner().invoke(app, [*command, str(tmp_path / "calls.xlsx")])
    assert isinstance(other.exception, Problem)
    assert "unknown ending" in other.exception.problem
    assert {path: path.stat().st_mtime_ns for path in (stage.home / "store").iterdir()} == before
    assert list(tmp_path.glob("calls*")) == []


def test_places_that_cannot_be_written_are_named_before_anything_is_done(
    stage: Stage, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    with open_home(stage.home) as node:
        head = node.audit.head()
    for place in ("file/calls.csv", "missing/calls.csv", "folder.csv", f"{'n' * 300}.csv"):
        for command in (("score", "--households"), ("households", "--out")):
            done = run_inside("folkmoot-node", *command, tmp_path / place, "--home", stage.home)
            assert done.code == 3
            assert f"{tmp_path / place}: the place cannot be used" in done.stderr
    with open_home(stage.home) as node:
        assert node.audit.head() == head, "nothing was exported or scored"
