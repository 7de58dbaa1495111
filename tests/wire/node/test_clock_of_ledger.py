"""A clock that was fast for a day, seen from the commands of the node."""

from __future__ import annotations

import time

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.answering.visit import learn
from folkmoot_node.evidence.outbox import AnswerKind
from folkmoot_node.home import open_home
from folkmoot_operator.moments import to_text
from tests.commands import Done, run_inside


def command(stage: Stage, *arguments: str) -> Done:
    return run_inside("folkmoot-node", *arguments, "--home", stage.home)


@pytest.fixture
def ends(stage: Stage) -> str:
    """When the block ends by itself: a round was answered by a clock that was a day fast."""
    fast = int(time.time()) + 86_000
    stage.coordinator.rounds = [round_codec.encode_round(ask(1, deadline=fast + 3_600))]
    with open_home(stage.home, clock=lambda: fast) as home:
        with home.connect() as client:
            list(learn(home, client, 1))
        answer_round(home, home.round_book().resolve("latest"), 1)
    stage.coordinator.rounds = [round_codec.encode_round(ask(2))]
    return to_text(fast)


def test_doctor_and_release_say_when_it_ends_and_a_person_can_end_it(
    stage: Stage, ends: str
) -> None:
    for arguments in (("doctor",), ("release", f"{2:032x}")):
        said = " ".join(command(stage, *arguments).said(expect=None).split())
        assert ends in said
        assert "accept-clock" in said
    assert command(stage, "release", f"{2:032x}").code == 7
    done = command(stage, "ledger", "accept-clock", "--reason", "the clock was a day fast")
    assert ends in done.said()
    command(stage, "release", f"{2:032x}").said()
    with open_home(stage.home) as home:
        assert [one.kind for one in home.outbox.answers()] == [AnswerKind.RELEASE] * 2
        (entry,) = home.audit.entries(("clock accepted",))
        assert entry.body["reason"] == "the clock was a day fast"
    assert "clock: no entry of the ledger lies ahead" in command(stage, "doctor").said(expect=None)
    assert command(stage, "ledger", "accept-clock", "--reason", "again").code == 5


def test_a_clock_that_is_off_the_coordinators_is_not_accepted(stage: Stage, ends: str) -> None:
    stage.coordinator.clock_ahead = 3 * 86_400
    refused = command(stage, "ledger", "accept-clock", "--reason", "it is right")
    assert refused.code == 6
    assert "behind the coordinator's" in refused.stderr
    assert command(stage, "ledger", "accept-clock", "--reason", " ").code == 2
    done = command(stage, "ledger", "accept-clock", "--reason", "by radio", "--offline")
    assert ends in done.said()
