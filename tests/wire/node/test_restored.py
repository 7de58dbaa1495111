"""A node whose files are older than what has left it, and a coordinator that has forgotten."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from stage import COUNCIL, Stage, ask
from test_decisions import PowerCut, ask_for_approval, cut_after_the_debit
from typer.testing import CliRunner

from folkmoot import round_codec
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.receipt import Receipt
from folkmoot.refusal import RefusalReason
from folkmoot_coordinator.signing import SigningKey
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.reconcile import recover
from folkmoot_node.answering.visit import poll
from folkmoot_node.cli import app
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.home import open_home
from folkmoot_node.release.steps import AnswerStage
from folkmoot_operator.problems import ExitCode, Problem

FIRST, SECOND = f"{1:032x}", f"{2:032x}"


def visit(stage: Stage) -> list[Event]:
    with open_home(stage.home) as home, home.connect() as client:
        return list(poll(home, client))


def ask_rounds(stage: Stage, *numbers: int, **changes: object) -> None:
    stage.coordinator.rounds += [
        round_codec.encode_round(ask(number, **changes)) for number in numbers
    ]


def back_up(stage: Stage, folder: Path) -> Callable[[], None]:
    """Copies the node's files; the result puts the copy back."""
    copy = folder / "backup"
    shutil.copytree(stage.home, copy)

    def restore() -> None:
        shutil.rmtree(stage.home)
        shutil.copytree(copy, stage.home)

    return restore


def stops(stage: Stage) -> Problem:
    with pytest.raises(Problem) as caught:
        visit(stage)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    return caught.value


def command(stage: Stage, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--home", str(stage.home)])
    assert done.exit_code == 0, (done.output, done.exception)
    return " ".join(done.output.split())


def refused_command(stage: Stage, *arguments: str) -> Problem:
    done = CliRunner().invoke(app, [*arguments, "--home", str(stage.home)])
    assert isinstance(done.exception, Problem), done.output
    return done.exception


def spent(stage: Stage) -> Rho:
    with open_home(stage.home) as home:
        return home.balance().spent


def test_nothing_leaves_a_restored_node_until_what_it_forgot_is_recovered(
    stage: Stage, tmp_path: Path
) -> None:
    restore = back_up(stage, tmp_path)
    ask_rounds(stage, 1)
    visit(stage)
    restore()
    ask_rounds(stage, 2)
    problem = stops(stage)
    assert "older than what has left" in problem.problem
    assert "ledger recover" in problem.remedy
    assert len(stage.coordinator.submissions) == 1
    with open_home(stage.home) as home:
        assert home.round_book().rounds() == (), "no round is even learned of"
    stops(stage)

    assert "rho 0.1 debited; the round stays answered" in command(
        stage, "ledger", "recover", "--yes"
    )
    visit(stage)
    visit(stage)
    assert len(stage.coordinator.submissions) == 2
    assert spent(stage) == Rho.of("0.2")
    with open_home(stage.home) as home:
        (first,) = [known for known in home.round_book().rounds() if known.round_id == FIRST]
        answer = home.outbox.find(FIRST)
        assert "restored" in first.status(answer, approval=False, now=int(time.time())).value
        assert stage.coordinator.held[FIRST].answer_digest == answer.digest  # type: ignore[union-attr]
    assert "2, each signed" in command(stage, "ledger", "verify")
    assert "Nothing is missing" in command(stage, "ledger", "recover", "--yes")


def test_every_command_that_could_let_something_out_refuses_and_the_others_say_why(
    stage: Stage, tmp_path: Path
) -> None:
    ask_for_approval(stage)
    ask_rounds(stage, 1, 2)
    command(stage, "rounds", "list")
    restore = back_up(stage, tmp_path)
    command(stage, "approve", FIRST)
    command(stage, "release", FIRST)
    restore()
    for arguments in (
        ["rounds", "list"],
        ["rounds", "list", "--offline"],
        ["approve", SECOND],
        ["decline", SECOND],
        ["release", FIRST],
        ["serve", "--until-idle"],
        ["ledger", "show"],
        ["ledger", "show", "--json"],
        ["ledger", "verify"],
    ):
        problem = refused_command(stage, *arguments)
        assert problem.exit_code is ExitCode.VERIFICATION, arguments
        assert "older than what has left" in problem.problem
    listed = CliRunner().invoke(app, ["rounds", "list", "--offline", "--home", str(stage.home)])
    assert "answered, but the answer is not in this node's files" in listed.output
    examined = CliRunner().invoke(app, ["doctor", "--offline", "--home", str(stage.home)])
    assert examined.exit_code == 3
    assert "older than what has left" in " ".join(examined.output.split())
    asked = CliRunner().invoke(app, ["ledger", "recover", "--home", str(stage.home)], input="n\n")
    assert asked.exit_code == 1
    assert spent(stage) == Rho.of("0")
    assert len(stage.coordinator.submissions) == 1

    command(stage, "ledger", "recover", "--yes")
    assert "receipt held" in command(stage, "release", FIRST)
    command(stage, "approve", SECOND)
    assert "Ledger head 2:" in command(stage, "release", SECOND)
    assert len(stage.coordinator.submissions) == 2
    assert spent(stage) == Rho.of("0.2")


def test_a_backup_from_between_debit_and_answer_is_found_and_paid_once(
    stage: Stage, tmp_path: Path
) -> None:
    ask_rounds(stage, 1)
    with (
        open_home(stage.home, observe=cut_after_the_debit) as home,
        home.connect() as client,
        pytest.raises(PowerCut),
    ):
        list(poll(home, client))
    restore = back_up(stage, tmp_path)
    visit(stage)
    restore()
    stops(stage)
    assert "rho 0 debited" in command(stage, "ledger", "recover", "--yes")
    visit(stage)
    assert spent(stage) == Rho.of("0.1")
    assert len(stage.coordinator.submissions) == 1


def test_a_recovery_that_is_broken_off_is_not_a_recovery(stage: Stage, tmp_path: Path) -> None:
    restore = back_up(stage, tmp_path)
    ask_rounds(stage, 1)
    visit(stage)
    restore()
    stops(stage)
    with open_home(stage.home, clock=lambda: 1) as home:  # before any accounting period
        (lost,) = home.lost_answers.outstanding()
        with pytest.raises(Problem):
            recover(home, lost)
        assert home.outbox.find(FIRST) is not None
    stops(stage)
    command(stage, "ledger", "recover", "--yes")
    visit(stage)
    assert spent(stage) == Rho.of("0.1")
    assert len(stage.coordinator.submissions) == 1


def test_an_answer_whose_receipt_was_lost_is_not_a_lost_answer(stage: Stage) -> None:
    ask_rounds(stage, 1)

    def cut(step: AnswerStage) -> None:
        if step is AnswerStage.DELIVERED:
            raise PowerCut

    with (
        open_home(stage.home, observe=cut) as home,
        home.connect() as client,
        pytest.raises(PowerCut),
    ):
        list(poll(home, client))
    assert not [event for event in visit(stage) if event.is_problem]
    assert len(set(stage.coordinator.submissions)) == 1


def test_a_refusal_that_was_forgotten_stays_the_answer(stage: Stage, tmp_path: Path) -> None:
    restore = back_up(stage, tmp_path)
    ask_rounds(stage, 1, purpose="other")
    visit(stage)
    restore()
    stops(stage)
    command(stage, "ledger", "recover", "--yes")
    visit(stage)
    assert len(stage.coordinator.refusals) == 1
    assert not stage.coordinator.submissions
    assert spent(stage) == Rho.of("0")


def test_a_node_made_afresh_is_not_a_node_that_has_spent_nothing(stage: Stage) -> None:
    ask_rounds(stage, 1, 2, loss=Rho.of("0.4"))
    visit(stage)
    for file in stage.home.glob("state.sqlite*"):
        file.unlink()
    StateDatabase(stage.home / "state.sqlite", create=True).close()
    stops(stage)
    command(stage, "ledger", "recover", "--yes")
    ask_rounds(stage, 3, loss=Rho.of("0.4"))
    visit(stage)
    assert spent(stage) == Rho.of("0.8")
    (refusal,) = stage.coordinator.refusals
    assert refusal.reason == RefusalReason.BUDGET_EXHAUSTED


def test_newest_ledger_entries_that_were_cut_off_are_found(stage: Stage) -> None:
    ask_rounds(stage, 1)
    visit(stage)
    with open_home(stage.home) as home, home.state.transaction() as connection:
        guard = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'ledger_stays'")
        (statement,) = guard.fetchone()
        connection.execute("DROP TRIGGER ledger_stays")
        connection.execute("DELETE FROM ledger")
        connection.execute(statement)
    stops(stage)
    assert spent(stage) == Rho.of("0")
    command(stage, "ledger", "recover", "--yes")
    visit(stage)
    assert spent(stage) == Rho.of("0.1")
    command(stage, "ledger", "verify")


def test_what_a_coordinator_hides_is_found_by_a_head_noted_elsewhere(
    stage: Stage, tmp_path: Path
) -> None:
    restore = back_up(stage, tmp_path)
    ask_rounds(stage, 1)
    visit(stage)
    with open_home(stage.home) as home:
        noted = str(home.ledger.head())
    command(stage, "ledger", "verify", "--expect", noted)
    honest = dict(stage.coordinator.held)
    restore()
    stage.coordinator.held.clear()
    problem = refused_command(stage, "ledger", "verify", "--expect", noted)
    assert problem.exit_code is ExitCode.VERIFICATION
    assert noted in problem.problem

    visit(stage)  # asking cannot find it: the round is paid and answered a second time
    assert len(set(stage.coordinator.submissions)) == 2
    stage.coordinator.held = honest  # until the coordinator shows what it holds
    stops(stage)
    command(stage, "ledger", "recover", "--yes")
    visit(stage)
    assert spent(stage) == Rho.of("0.2"), "both releases count"
    command(stage, "ledger", "verify")
    assert len(stage.coordinator.submissions) == 2


@pytest.mark.parametrize("purpose", ["winter_support", "other"])
def test_what_the_coordinator_lost_is_sent_again_byte_for_byte(stage: Stage, purpose: str) -> None:
    ask_rounds(stage, 1, purpose=purpose)
    visit(stage)
    with open_home(stage.home) as home:
        (before,) = home.outbox.answers()
    stage.coordinator.held.clear()
    rounds, stage.coordinator.rounds = stage.coordinator.rounds, []
    assert visit(stage) == [], "the round is not open there any more"
    examined = CliRunner().invoke(app, ["doctor", "--home", str(stage.home)])
    assert "the coordinator has lost 1 answers" in " ".join(examined.output.split())
    stage.coordinator.rounds = rounds
    (event,) = visit(stage)
    assert event.is_problem
    assert "the same bytes were sent again" in event.text
    assert visit(stage) == []
    sent = stage.coordinator.submissions or [
        refusal.SerializeToString() for refusal in stage.coordinator.refusals
    ]
    assert len(sent) == 2
    assert len(set(sent)) == 1
    with open_home(stage.home) as home:
        assert home.outbox.answers() == (before,), "the first receipt is kept"
        assert len(home.ledger.debits()) == (purpose == "winter_support")


def test_what_both_sides_lost_is_never_answered_again(stage: Stage, tmp_path: Path) -> None:
    restore = back_up(stage, tmp_path)
    ask_rounds(stage, 1)
    visit(stage)
    restore()
    stops(stage)
    command(stage, "ledger", "recover", "--yes")
    stage.coordinator.held.clear()
    (event,) = visit(stage)
    assert event.is_problem
    assert "not answered again" in event.text
    assert len(stage.coordinator.submissions) == 1


FORGED = Receipt(SECOND, COUNCIL, b"a" * 32, 1, b"r" * 32, Rho.of("0.1"), b"e" * 32)


def test_lists_that_contradict_themselves_stop_the_visit(stage: Stage, tmp_path: Path) -> None:
    ask_rounds(stage, 1)
    coordinator, genuine = stage.coordinator, stage.coordinator.signed
    other_council = dataclasses.replace(FORGED, council=GssCode("E08000001"))
    (tmp_path / "other").mkdir()
    other_key = dataclasses.replace(coordinator, signing=SigningKey.create(tmp_path / "other"))
    for held, signed in (
        ({SECOND: other_council}, genuine),
        ({SECOND: FORGED}, other_key.signed),
        ({SECOND: FORGED}, lambda _: genuine(dataclasses.replace(FORGED, round_id="f" * 32))),
    ):
        coordinator.held = held
        coordinator.signed = signed  # type: ignore[method-assign]
        assert "the coordinator lists" in stops(stage).problem
    assert not coordinator.submissions
    coordinator.held, coordinator.signed = {}, genuine  # type: ignore[method-assign]
    visit(stage)
    assert len(coordinator.submissions) == 1


def test_a_receipt_for_another_loss_than_the_rounds_is_not_recovered(stage: Stage) -> None:
    ask_for_approval(stage)
    ask_rounds(stage, 1)
    command(stage, "rounds", "list")
    with open_home(stage.home) as home:
        (known,) = home.round_book().rounds()
    cheap = dataclasses.replace(FORGED, round_id=FIRST, round_digest=known.digest, loss=Rho(1))
    stage.coordinator.held = {FIRST: cheap}
    assert (
        "another question or loss" in refused_command(stage, "ledger", "recover", "--yes").problem
    )
    assert stops(stage)


@pytest.mark.parametrize("days", [-2, 2])
def test_clocks_far_apart_answer_nothing_until_they_agree(stage: Stage, days: int) -> None:
    ask_rounds(stage, 1)
    stage.coordinator.clock_ahead = days * 86_400
    with pytest.raises(Problem) as caught:
        visit(stage)
    assert caught.value.exit_code is ExitCode.UNREACHABLE, "serve goes on trying"
    assert "clock" in caught.value.problem
    assert ("ahead of" if days < 0 else "behind") in caught.value.problem
    with open_home(stage.home) as home:
        assert home.ledger.debits() == ()
    stage.coordinator.clock_ahead = days * 3_600
    visit(stage)
    assert len(stage.coordinator.submissions) == 1


@pytest.mark.parametrize("days", [-2, 2])
def test_nothing_is_recovered_into_an_accounting_period_that_cannot_be_told(
    stage: Stage, tmp_path: Path, days: int
) -> None:
    restore = back_up(stage, tmp_path)
    ask_rounds(stage, 1)
    visit(stage)
    restore()
    stage.coordinator.clock_ahead = days * 86_400
    assert "clock" in refused_command(stage, "ledger", "recover", "--yes").problem
    assert spent(stage) == Rho(0)
    stage.coordinator.clock_ahead = 0
    assert "rho 0.1 debited" in command(stage, "ledger", "recover", "--yes")
