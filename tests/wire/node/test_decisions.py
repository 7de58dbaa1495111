"""What an operator decides holds until the answer is stored, whatever happens meanwhile."""

from __future__ import annotations

import json
import time

import pytest
from stage import Stage, ask, ask_for_approval

from folkmoot import round_codec
from folkmoot.privacy import Rho
from folkmoot.refusal import RefusalReason
from folkmoot_node.answering.visit import consider, learn, poll
from folkmoot_node.evidence.fitted_policies import PROPOSED, PUBLISHED, weights_mark
from folkmoot_node.evidence.outbox import AnswerKind
from folkmoot_node.evidence.round_book import Decision, KnownRound
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.release.steps import AnswerStage
from tests.commands import run_inside


class PowerCut(BaseException):
    """Ends an answer where a test wants it to."""


def cut_after_the_debit(step: AnswerStage) -> None:
    if step is AnswerStage.DEBITED:
        raise PowerCut


def learned(home: NodeHome) -> tuple[KnownRound, ...]:
    with home.connect() as client:
        assert list(learn(home, client, client.negotiate())) == []
    return home.round_book().rounds()


def visit(home: NodeHome) -> None:
    with home.connect() as client:
        list(poll(home, client))


def test_an_approval_taken_back_after_the_debit_holds_even_if_little_is_left(stage: Stage) -> None:
    ask_for_approval(stage)
    stage.coordinator.rounds = [
        round_codec.encode_round(ask(number, loss=Rho.of("0.4"))) for number in (1, 2)
    ]
    with open_home(stage.home) as home:
        first, second = learned(home)
        for known in (first, second):
            home.round_book().decide(known, Decision.APPROVED, "operator", 1, home.outbox)
        list(consider(home, first))
    with open_home(stage.home, observe=cut_after_the_debit) as home, pytest.raises(PowerCut):
        list(consider(home, second))
    with open_home(stage.home) as home:
        home.round_book().undecide(second, "operator", 3, home.outbox)
        visit(home)
        assert home.outbox.find(second.round_id) is None
        home.round_book().decide(second, Decision.APPROVED, "operator", 2, home.outbox)
        visit(home)
        assert home.balance().spent == Rho.of("0.8")
    assert len(stage.coordinator.submissions) == 2


@pytest.mark.parametrize("approval", [True, False])
def test_a_round_declined_while_it_is_answered_is_not_released(
    stage: Stage, approval: bool
) -> None:
    if approval:
        ask_for_approval(stage)
    stage.coordinator.rounds = [round_codec.encode_round(ask())]

    def decline_meanwhile(step: AnswerStage) -> None:
        if step is AnswerStage.SAMPLED:
            with open_home(stage.home) as other:
                (known,) = other.round_book().rounds()
                if known.decision is not None:
                    other.round_book().undecide(known, "operator", 3, other.outbox)
                other.round_book().decide(known, Decision.DECLINED, "operator", 2, other.outbox)

    with open_home(stage.home, observe=decline_meanwhile) as home:
        (known,) = learned(home)
        if approval:
            home.round_book().decide(known, Decision.APPROVED, "operator", 1, home.outbox)
        (event,) = consider(home, known)
        assert event.is_problem
        assert "decided otherwise" in event.text
        assert home.outbox.answers() == ()
        list(consider(home, known))
        (answer,) = home.outbox.answers()
        assert (answer.kind, answer.reason) == (AnswerKind.REFUSAL, RefusalReason.DECLINED)


def test_nothing_is_advised_about_a_round_that_is_over_but_what_helps(stage: Stage) -> None:
    ask_for_approval(stage)
    now = int(time.time())
    over = ask(opened_at=now - 7200, deadline=now - 10)
    stage.coordinator.rounds = [round_codec.encode_round(over)]
    with open_home(stage.home, clock=lambda: now - 60) as home:
        learned(home)
    stage.coordinator.rounds = []
    for command in ("release", "approve", "decline"):
        done = run_inside("folkmoot-node", command, over.round_id, "--home", stage.home)
        assert done.code == 5
        assert "the round is past its deadline" in done.stderr
        assert "approve" not in done.stderr
        assert "ask the region to open another round" in done.stderr


def test_whoever_decides_reads_that_the_scores_are_by_a_fitted_policy(stage: Stage) -> None:
    ask_for_approval(stage)
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        (known,) = learned(home)

        def note(body: dict[str, str]) -> None:
            with home.state.transaction() as connection:
                home.audit.append(connection, home.clock(), body)

        policy = home.risk_policy()
        marks = {"proposed_sha256": "00" * 32, "weights": weights_mark(policy)}
        rounds = ["folkmoot-node", "rounds"]
        shown = [*rounds, "show", known.round_id[:12], "--home", stage.home]
        listed = [*rounds, "list", "--offline", "--home", stage.home]
        assert "`fit`" not in run_inside(*shown).said() + run_inside(*listed).stderr

        note({"action": PROPOSED, "run": "a1b2", **marks})
        said = " ".join(run_inside(*shown).said().split())
        assert "The risk policy has the weights of the one that `fit` proposed" in said
        assert "Warning: the risk policy has the weights" in run_inside(*listed).stderr
        assert json.loads(run_inside(*shown, "--json").said())["fitted_policy"]["run"] == "a1b2"

        note({"action": PUBLISHED, "file_sha256": policy.digest.hex(), "decided_by": "DPO"})
        assert "Warning" not in run_inside(*listed).stderr
        said = " ".join(run_inside(*shown).said().split())
        assert "DPO decided on" in said
        assert "which the guarantee does not cover" in said
