"""On the way of an answer each thing is asked once, and a round is decoded once.

Where something is asked again, the code says why; a third time nobody could.
"""

from __future__ import annotations

from collections import Counter

from stage import Stage, ask, ask_for_approval

from folkmoot import round_codec
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence.outbox import AnswerKind
from folkmoot_node.evidence.round_book import Decision
from folkmoot_node.home import NodeHome, open_home


def visit(home: NodeHome) -> list[str]:
    with home.connect() as client:
        return [event.text for event in poll(home, client)]


def test_a_visit_asks_each_once_and_the_next_one_nothing(stage: Stage, asked: Counter[str]) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask(number)) for number in (1, 2)]
    with open_home(stage.home) as home:
        visit(home)
        assert [answer.kind for answer in home.outbox.answers()] == [AnswerKind.RELEASE] * 2
        assert dict(asked) == {
            "judge": 2,
            "decode": 2,
            "signature": 2,
            # By the caller, which then needs no scores; by the door; and what was stored.
            "outbox": 6,
        }
        asked.clear()
        for _ in range(2):
            visit(home)
        assert dict(asked) == {}, "the coordinator still lists both"
    with open_home(stage.home) as home:  # another process
        visit(home)
        assert dict(asked) == {"signature": 2}


def test_a_round_that_waits_for_an_operator_is_decoded_once(
    stage: Stage, asked: Counter[str]
) -> None:
    ask_for_approval(stage)
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        for _ in range(3):
            assert any("waits for an operator" in text for text in visit(home))
        assert (asked["judge"], asked["decode"]) == (3, 1), "the policy may change between visits"
        (known,) = home.round_book().rounds()
        home.round_book().decide(known, Decision.APPROVED, "operator", 1, home.outbox)
        visit(home)
        assert (asked["judge"], asked["decode"]) == (4, 1)
        assert [answer.kind for answer in home.outbox.answers()] == [AnswerKind.RELEASE]
