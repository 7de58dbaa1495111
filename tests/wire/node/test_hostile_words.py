"""What a coordinator writes does not trick, crash or follow the operator of a node."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import COUNCIL, Stage, ask
from typer.testing import CliRunner, Result

from folkmoot import round_codec
from folkmoot.privacy import Rho
from folkmoot.rejection import Rejection, RejectionReason
from folkmoot.rounds import MAX_LOSS
from folkmoot_coordinator.signing import SigningKey
from folkmoot_node.answering.deliver import deliver
from folkmoot_node.answering.visit import consider, learn, poll
from folkmoot_node.cli import app
from folkmoot_node.evidence import round_book as rounds
from folkmoot_node.evidence.outbox import Answer
from folkmoot_node.federation.client import CoordinatorClient
from folkmoot_node.federation.enrolment import read_invitation
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.federation.rejected import RejectedByCoordinator
from folkmoot_node.home import NodeHome, open_home
from folkmoot_operator.problems import Problem

INVITATION = """\
schema = 1
region = "Test"
council = "E08000009"
token = "{0}"
expires = 2030-01-01T00:00:00Z
address = {1}
enrolment_address = "coordinator.example:7444"
authority = "pem"
signing_key = "{0}"
"""


def learn_all(home: NodeHome) -> list[str]:
    with home.connect() as client:
        return [event.text for event in learn(home, client, client.negotiate())]


def command(stage: Stage, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(stage.home)])


@pytest.mark.parametrize("change", [{"title": "[/bold] [red]"}, {"loss": MAX_LOSS}], ids=str)
def test_every_round_that_is_kept_can_be_shown(stage: Stage, change: dict[str, object]) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask(**change))]
    with open_home(stage.home) as home:
        assert learn_all(home) == []
    listed = command(stage, "rounds", "list", "--offline")
    assert (listed.exit_code, listed.exception) == (0, None)
    assert str(change.get("title", "Test")) in listed.output
    assert command(stage, "rounds", "show", "latest").exit_code == 0


def test_latest_is_not_approved_when_another_round_may_have_taken_its_place(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask(1))]
    with open_home(stage.home) as home:
        learn_all(home)
        stage.coordinator.rounds.append(round_codec.encode_round(ask(2, title="Slipped in")))
        learn_all(home)
    for verb in ("approve", "decline"):
        refused = command(stage, verb, "latest")
        assert isinstance(refused.exception, Problem)
        assert "may have changed" in refused.exception.problem
    assert command(stage, "approve", f"{1:032x}").exit_code == 0
    assert command(stage, "approve", "latest").exit_code == 0
    with open_home(stage.home) as home:
        assert home.round_book().undecided(home.outbox, home.clock()) == ()


def test_a_coordinator_cannot_fill_the_disk_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "MAX_ROUNDS_A_DAY", 3)
    stage.coordinator.rounds = [round_codec.encode_round(ask(number)) for number in range(1, 6)]
    with open_home(stage.home) as home:
        events = learn_all(home)
        assert len(events) == 2
        assert "more than 3 rounds" in events[0]
        assert len(home.round_book().rounds()) == 3
        stage.coordinator.rounds = stage.coordinator.rounds[:3]
        assert learn_all(home) == [], "rounds that are known are no new ones"


def test_answers_and_rounds_of_one_region_do_not_reach_another(
    stage: Stage, tmp_path: Path
) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask(1, loss=Rho.of("0.1")))]
    with open_home(stage.home) as home:
        learn_all(home)
        (known,) = home.round_book().rounds()
        list(consider(home, known))
        assert len(home.outbox.pending()) == 1
    with open_home(stage.home) as home:
        stage.coordinator.rounds = [round_codec.encode_round(ask(2))]
        learn_all(home)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = SigningKey.create(tmp_path / "elsewhere")
    first, stage.coordinator.signing = stage.coordinator.signing, elsewhere
    key = KeyFiles(stage.home / "keys").coordinator_key
    key.write_text(elsewhere.public.hex())
    stage.coordinator.rounds = []
    with open_home(stage.home) as home, home.connect() as client:
        events = list(poll(home, client))
        assert {"another region" in event.text for event in events} == {True}
        assert len(home.ledger.debits()) == 1
    assert stage.coordinator.submissions == []
    stage.coordinator.signing = first
    key.write_text(first.public.hex())
    with open_home(stage.home) as home, home.connect() as client:
        list(deliver(home, client))
        assert home.outbox.pending() == ()


@pytest.mark.parametrize("reason", [RejectionReason.CERTIFICATE, RejectionReason.VERSION])
def test_an_answer_outlives_a_rejection_that_is_not_about_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, reason: RejectionReason
) -> None:
    def reject(client: CoordinatorClient, answer: Answer) -> None:
        raise RejectedByCoordinator(Rejection(reason, "not\n\x1b[2Jnow"))

    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        with monkeypatch.context() as patch:
            patch.setattr(CoordinatorClient, "deliver", reject)
            with home.connect() as client, pytest.raises(RejectedByCoordinator) as caught:
                list(poll(home, client))
        assert str(caught.value).isprintable()
        assert len(home.outbox.pending()) == 1
        with home.connect() as client:
            list(poll(home, client))
        assert home.outbox.pending() == ()


@pytest.mark.parametrize(
    "address, good",
    [
        ('"coordinator.example:7443"', True),
        ('"[2001:db8::1]:7443"', True),
        ("'h:1\"\\n[store]\\npath = \"elsewhere'", False),
        ('"h:1\\"\\n[store]\\npath = \\"elsewhere"', False),
        ('"unix:/tmp/socket"', False),
        ('"dns://198.51.100.1/name:1"', False),
    ],
)
def test_an_invitation_writes_nothing_but_addresses(
    tmp_path: Path, address: str, good: bool
) -> None:
    path = tmp_path / "invitation.toml"
    path.write_text(INVITATION.format("ab" * 32, address))
    if good:
        assert read_invitation(path, COUNCIL)
    else:
        with pytest.raises(Problem, match="address"):
            read_invitation(path, COUNCIL)
