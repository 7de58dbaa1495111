"""Rounds that are decoded once, and kept within bounds."""

from __future__ import annotations

import gc
import hashlib
import threading
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from folkmoot.attributes import Attribute
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.round_codec import decode_round, encode_round
from folkmoot.rounds import Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.database.models import RoundRow
from folkmoot_coordinator.rounds import decoded_rounds
from folkmoot_coordinator.rounds.decoded_rounds import DecodedRounds
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.conftest import small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Digests of the rounds that were decoded, each time they were."""
    found: list[bytes] = []

    def decode(serialised: bytes) -> Round:
        found.append(hashlib.sha256(serialised).digest())
        return decode_round(serialised)

    monkeypatch.setattr(decoded_rounds, "decode_round", decode)
    return found


def many_codes(at: int, codes: int) -> bytes:
    """A serialised round of so many codes."""
    listed = tuple(f"code-of-some-length-{at}-{code:06d}" for code in range(codes))
    return encode_round(
        small_round(workload=Workload((Attribute("group", listed),), (Marginal(("group",)),)))
    )


def test_threads_that_ask_at_once_decode_a_round_once(decoded: list[bytes]) -> None:
    serialised = many_codes(1, 2_000)
    rounds = DecodedRounds()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(rounds.decode(serialised))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(one is found[0] for one in found)
    assert len(decoded) == 1


def test_answers_to_a_round_decode_it_once_and_plan_each_council_once(
    office: Office, decoded: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[GssCode] = []
    plan = Round.plan

    def counted(self: Round, council: GssCode) -> object:
        planned.append(council)
        return plan(self, council)

    stored = office.open()
    values = {council: [0] * plan(stored.round_, council).rows for council in (BOLTON, BURY)}
    monkeypatch.setattr(Round, "plan", counted)
    for _ in range(3):
        for council in (BOLTON, BURY):
            office.release(stored, council, values[council])
    assert decoded == [stored.digest]
    ours = 6  # `office.release` asks for the number of rows as well
    assert sorted(planned) == [BOLTON] * (1 + ours // 2) + [BURY] * (1 + ours // 2)


def test_as_many_rounds_and_bytes_are_kept_as_was_said(decoded: list[bytes]) -> None:
    rounds = DecodedRounds(max_rounds=2, max_bytes=1_000_000)
    first, second, third = (many_codes(at, 10) for at in range(3))
    for one in (first, second, first, third, first):
        rounds.decode(one)
    assert len(rounds) == 2
    assert len(decoded) == 3, "the one asked for last is kept"
    rounds.decode(second)
    assert len(decoded) == 4

    small = DecodedRounds(max_rounds=10, max_bytes=len(first) + len(second))
    for one in (first, second):
        small.decode(one)
    assert len(small) == 2
    large = many_codes(9, 1_000)
    assert small.decode(large).serialised == large
    assert len(small) == 1, "one that is larger than the bound is kept alone"


def test_memory_does_not_grow_with_the_number_of_large_rounds() -> None:
    size = len(many_codes(100, 1_000))
    rounds = DecodedRounds(max_bytes=3 * size)

    def taken(first: int, last: int) -> int:
        for at in range(first, last):
            rounds.decode(many_codes(at, 1_000))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        full = taken(100, 104)
        assert len(rounds) == 3
        assert full > 3 * size, "decoded rounds are held"
        assert taken(200, 209) < 1.2 * full
    finally:
        tracemalloc.stop()


def test_bytes_that_do_not_have_their_digest_are_damaged(office: Office) -> None:
    stored = office.open()
    assert find_round(office.database, "latest").round_ == stored.round_
    other = encode_round(replace(stored.round_, title="Another"))
    with office.database.writing() as session:
        session.execute(update(RoundRow).values(serialised=other))
    with pytest.raises(Problem, match="damaged") as caught:
        find_round(office.database, "latest")
    assert caught.value.exit_code is ExitCode.VERIFICATION

    with office.database.writing() as session:
        session.execute(update(RoundRow).values(digest=bytes(32)))
    with pytest.raises(Problem, match="damaged"):
        office.release(stored, BOLTON)


def test_damaged_bytes_are_not_kept() -> None:
    rounds = DecodedRounds()
    for serialised in (b"junk", encode_round(small_round())[:-1]):
        with pytest.raises(ContractError):
            rounds.decode(serialised)
    with pytest.raises(ContractError, match="digest"):
        rounds.find(bytes(32), lambda: encode_round(small_round()))
    assert len(rounds) == 0
