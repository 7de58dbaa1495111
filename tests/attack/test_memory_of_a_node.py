"""A hostile coordinator cannot fill a node's memory, nor its disk at once."""

from __future__ import annotations

import pytest
from stage import COUNCIL, Stage, ask, ask_for_approval

from folkmoot import round_codec
from folkmoot.attributes import Attribute
from folkmoot.privacy import Rho
from folkmoot.receipt import Receipt
from folkmoot.rounds import Round
from folkmoot.workload import Marginal, Workload
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence import round_book
from folkmoot_node.home import open_home
from tests.attack.visiting import visits

ROOM = 250
"""Mebibytes that the largest round may take while it is read."""


def invented(number: int) -> Receipt:
    """A receipt of an answer that this node never gave."""
    digest = number.to_bytes(32, "big")
    return Receipt(f"{number:032x}", COUNCIL, digest, 1, digest, Rho(1), digest)


def padding(size: int) -> bytes:
    """A field that no version knows, of so many bytes."""
    length = bytearray()
    left = size
    while left >= 128:
        length.append(left & 127 | 128)
        left >>= 7
    return bytes([15 << 3 | 2, *length, left]) + bytes(size)


def large(number: int, codes: int = 300_000) -> Round:
    """A round of about 2.5 MB that the policy allows to wait for an operator."""
    areas = tuple(f"{at:x}" for at in range(codes))
    band, unused = Attribute("band", ("none", "high")), Attribute("lsoa", (), {COUNCIL: areas})
    workload = Workload((band, unused), (Marginal(("band",)),))
    return ask(number, workload=workload)


def test_receipts_larger_than_one_can_be_are_not_kept(stage: Stage, intensity: int) -> None:
    honest = visits(stage.home)
    coordinator = stage.coordinator
    coordinator.held = {one.round_id: one for one in map(invented, range(1, 1 + 100 * intensity))}
    coordinator.padding = padding(4_000_000)
    hostile = visits(stage.home)
    assert "does not say which answers" in hostile.problem
    assert hostile.mebibytes - honest.mebibytes < 40
    with open_home(stage.home) as home:
        assert home.lost_answers.all() == ()


def test_receipts_without_number_are_checked_as_they_come(stage: Stage, intensity: int) -> None:
    honest = visits(stage.home)
    count = 5_000 * min(intensity, 19)
    stage.coordinator.held = {one.round_id: one for one in map(invented, range(1, count))}
    for _ in range(2):
        hostile = visits(stage.home)
        assert "answers have left this council" in hostile.problem
        assert hostile.mebibytes - honest.mebibytes < 60
    with open_home(stage.home) as home:
        assert len(home.lost_answers.all()) == 1_000


def test_the_receipt_of_an_answer_is_no_larger_than_one_can_be(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    stage.coordinator.padding = padding(4_000_000)
    assert "is not the coordinator's for this answer" in visits(stage.home).problem
    with open_home(stage.home) as home:
        (answer,) = home.outbox.pending()
        assert answer.receipt is None


def test_large_rounds_that_wait_are_read_one_at_a_time(stage: Stage, intensity: int) -> None:
    ask_for_approval(stage)
    honest = visits(stage.home)
    stage.coordinator.rounds = [
        round_codec.encode_round(large(number)) for number in range(1, 1 + 4 * intensity)
    ]
    hostile = visits(stage.home, 2)
    assert not hostile.problem
    assert all("waits for an operator" in text for visit in hostile.events for text in visit)
    assert hostile.mebibytes - honest.mebibytes < ROOM


@pytest.mark.parametrize(
    "limit, says",
    [("MAX_BYTES_A_DAY", "MiB in a day"), ("MAX_BYTES_OPEN", "MiB without an answer")],
)
def test_bytes_of_rounds_are_limited(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, limit: str, says: str
) -> None:
    ask_for_approval(stage)
    rounds = [round_codec.encode_round(large(number, 1_000)) for number in range(1, 6)]
    stage.coordinator.rounds = rounds
    monkeypatch.setattr(round_book, limit, 3 * len(rounds[0]) + 10)
    with open_home(stage.home) as home, home.connect() as client:
        for _ in range(2):
            told = [event.text for event in poll(home, client)]
            assert [says in text for text in told] == [True, True, False, False, False]
            assert len(home.round_book().rounds()) == 3


def test_rounds_that_cannot_be_read_are_read_once_and_few_of_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled = [round_codec.encode_round(ask(number)) + padding(1_000) for number in range(1, 9)]
    stage.coordinator.rounds = [*spoiled, round_codec.encode_round(ask(9))]
    monkeypatch.setattr(round_book, "MAX_BYTES_IN_VAIN", 2 * len(spoiled[0]))
    decoded: list[int] = []
    original = round_codec.decode_round

    def count(serialised: bytes) -> Round:
        decoded.append(len(serialised))
        return original(serialised)

    monkeypatch.setattr(round_codec, "decode_round", count)
    with open_home(stage.home) as home, home.connect() as client:
        for _ in range(3):
            assert len(list(poll(home, client))) >= len(spoiled)
        assert len(decoded) == 9, "three at a visit, each once, and then the good one"
        assert [answer.round_id for answer in home.outbox.answers()] == [f"{9:032x}"]
