"""Rounds are kept for ever, decoded when they are answered, and verified once."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot import round_codec
from folkmoot.attributes import Attribute
from folkmoot.refusal import Refusal, RefusalReason
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, Round, round_digest
from folkmoot.series import Series, SeriesEvent
from folkmoot.workload import Marginal, Workload
from folkmoot_node.evidence import round_book, round_table
from folkmoot_node.evidence.database import SCHEMA_VERSION, StateDatabase
from folkmoot_node.evidence.outbox import Outbox
from folkmoot_node.evidence.round_book import Decision, RoundBook
from folkmoot_node.evidence.round_cache import RoundCache
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.privacy_half import NOON, TRAFFORD, question

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
EVENT = SeriesEvent("band", ("high",))
LATER = NOON + 86_400


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDatabase]:
    with StateDatabase(tmp_path / "state.sqlite", create=True) as found:
        yield found


def signed(round_: Round, key: Ed25519PrivateKey = KEY) -> tuple[bytes, bytes]:
    serialised = round_codec.encode_round(round_)
    return serialised, key.sign(ROUND_SIGNATURE_DOMAIN + serialised)


def book_of(state: StateDatabase, cache: RoundCache | None = None) -> RoundBook:
    """As a process that starts has it."""
    return RoundBook(state, PUBLIC, cache)


def receive(state: StateDatabase, *rounds: Round) -> None:
    for round_ in rounds:
        book_of(state).receive(*signed(round_), NOON)


def refuse(state: StateDatabase, *rounds: Round) -> None:
    for round_ in rounds:
        digest = round_digest(round_codec.encode_round(round_))
        refusal = Refusal(round_.round_id, digest, TRAFFORD, RefusalReason.PURPOSE)
        Outbox(state).store_refusal(refusal, 1, NOON)


def of_series(number: int, position: int) -> Round:
    series = Series(f"{7:032x}", position, 12, EVENT, LATER)
    return question(number, series=series, deadline=NOON + 60)


def large(number: int, codes: int = 6_000) -> Round:
    """A round of some 100 kB."""
    listed = tuple(f"{number}_{at}" for at in range(codes))
    workload = Workload((Attribute("area", listed),), (Marginal(("area",)),))
    return question(number, workload=workload)


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is decoded, each time."""
    return counting(monkeypatch, round_codec, "decode_round", 0)


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What signatures are verified over, each time."""
    return counting(monkeypatch, round_book, "is_round_signature", 1)


def counting(patch: pytest.MonkeyPatch, module: Any, name: str, which: int) -> list[bytes]:
    seen: list[bytes] = []
    original: Callable[..., Any] = getattr(module, name)

    def count(*arguments: Any) -> Any:
        seen.append(arguments[which])
        return original(*arguments)

    patch.setattr(module, name, count)
    return seen


def test_what_is_kept_beside_a_round_is_what_it_says(state: StateDatabase) -> None:
    rounds = (question(1, title="Äpfel", deadline=LATER), of_series(2, 3))
    receive(state, *rounds)
    for known, round_ in zip(book_of(state).rounds(), rounds, strict=True):
        facts, series = known.facts, round_.series
        assert known.round_id == round_.round_id
        assert known.digest == round_digest(round_codec.encode_round(round_))
        assert (facts.title, facts.purpose) == (round_.title, round_.purpose)
        assert (facts.loss, facts.deadline) == (round_.loss, round_.deadline)
        if series is None:
            assert facts.series is None
        else:
            assert facts.series is not None
            assert facts.series.definition == round_codec.series_digest(round_)
            assert (facts.series.series_id, facts.series.position, facts.series.length) == (
                series.series_id, series.position, series.length,
            )  # fmt: skip
            assert facts.series.ends_at == series.ends_at


def test_looking_at_rounds_decodes_none_and_an_open_one_is_decoded_once(
    state: StateDatabase, decodes: list[bytes]
) -> None:
    ended = [question(number) for number in range(5)]
    answered = [question(number, deadline=LATER) for number in range(5, 10)]
    still_open = [question(number, deadline=LATER) for number in range(10, 13)]
    receive(state, *ended, *answered, *still_open)
    refuse(state, *answered)
    decodes.clear()
    cache, outbox, now = RoundCache(), Outbox(state), NOON + 7_200
    for _ in range(3):  # visits of one process
        book = book_of(state, cache)
        assert len(book.rounds()) == 13
        assert len(book.undecided(outbox, now)) == 8
        assert book.is_of_this_region(ended[0].round_id)
        assert book.resolve("latest").round_id == still_open[-1].round_id
        for round_ in still_open:
            book.receive(*signed(round_), now)  # the coordinator lists it again
        unanswered = book.unanswered(outbox, now)
        assert [book.question(known) for known in unanswered] == still_open
    assert decodes == [round_codec.encode_round(round_) for round_ in still_open]


def test_a_signature_is_verified_once_in_a_process(
    state: StateDatabase, verifications: list[bytes]
) -> None:
    rounds = [question(number) for number in range(4)]
    receive(state, *rounds)
    verifications.clear()
    cache = RoundCache()
    for _ in range(3):
        book = book_of(state, cache)
        assert len(book.rounds()) == 4
        assert all(book.is_of_this_region(round_.round_id) for round_ in rounds)
        book.receive(*signed(rounds[0]), NOON)
    assert sorted(verifications) == sorted(map(round_codec.encode_round, rounds))


def test_another_regions_rounds_are_not_listed(state: StateDatabase) -> None:
    other = Ed25519PrivateKey.generate()
    receive(state, question(1))
    RoundBook(state, other.public_key().public_bytes_raw()).receive(
        *signed(question(2), other), NOON
    )
    cache = RoundCache()
    for key, number in ((KEY, 1), (other, 2), (KEY, 1)):  # one process may join another region
        book = RoundBook(state, key.public_key().public_bytes_raw(), cache)
        (known,) = book.rounds()
        assert known.round_id == f"{number:032x}"
        assert not book.is_of_this_region(f"{3 - number:032x}")


@pytest.mark.parametrize("column", ["serialised", "signature", "round_digest"])
def test_a_round_that_was_changed_in_the_file_is_none(state: StateDatabase, column: str) -> None:
    receive(state, question(1), question(2))
    first = book_of(state).rounds()[0]
    other = round_codec.encode_round(replace(question(1), title="Another"))
    changed = {"serialised": other, "signature": bytes(64), "round_digest": bytes(32)}
    state.reader.execute(
        f"UPDATE rounds SET {column} = ? WHERE round_id = ?", (changed[column], first.round_id)
    )
    assert [known.round_id for known in book_of(state).rounds()] == [f"{2:032x}"]
    assert not book_of(state).is_of_this_region(first.round_id)


def test_bytes_that_were_changed_after_they_were_verified_are_not_decoded(
    state: StateDatabase, decodes: list[bytes]
) -> None:
    receive(state, question(1))
    book = book_of(state)
    (known,) = book.rounds()
    decodes.clear()
    other = round_codec.encode_round(replace(question(1), title="Another"))
    state.reader.execute("UPDATE rounds SET serialised = ?", (other,))
    with pytest.raises(Problem) as caught:
        book.question(known)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert decodes == []


def test_memory_does_not_grow_with_the_rounds_that_are_kept(state: StateDatabase) -> None:
    rounds = [large(number) for number in range(30)]
    size = len(round_codec.encode_round(rounds[0]))
    receive(state, *rounds)
    del rounds
    tracemalloc.start()
    try:
        book = book_of(state, RoundCache(max_bytes=3 * size))
        known = book.rounds()  # reads and verifies every one
        assert tracemalloc.get_traced_memory()[1] < 4 * size
        base, _ = tracemalloc.get_traced_memory()
        one = book.question(known[0])
        decoded = tracemalloc.get_traced_memory()[0] - base
        del one
        tracemalloc.reset_peak()
        for each in known:
            assert book.question(each).workload.attributes[0].codes
        held, peak = tracemalloc.get_traced_memory()
        assert held - base < 4 * decoded
        assert peak - base < 10 * decoded  # three held, one more being decoded
    finally:
        tracemalloc.stop()


def cached(cache: RoundCache, round_: Round, decodes: list[bytes]) -> bool:
    serialised = round_codec.encode_round(round_)
    before = len(decodes)
    assert cache.decoded(round_digest(serialised), lambda: serialised) == round_
    return len(decodes) == before


def test_the_cache_forgets_what_was_not_used_for_longest(decodes: list[bytes]) -> None:
    first, second, third = (question(number) for number in (1, 2, 3))
    cache = RoundCache(max_count=2)
    assert not cached(cache, first, decodes)
    assert not cached(cache, second, decodes)
    assert cached(cache, first, decodes)
    assert not cached(cache, third, decodes)
    assert cached(cache, first, decodes)
    assert not cached(cache, second, decodes)


def test_a_round_too_large_for_the_cache_drives_out_no_other(decodes: list[bytes]) -> None:
    small = question(1)
    cache = RoundCache(max_bytes=2 * len(round_codec.encode_round(small)))
    cached(cache, small, decodes)
    assert not cached(cache, large(2), decodes)
    assert not cached(cache, large(2), decodes)
    assert cached(cache, small, decodes)


VERSION_1 = """
CREATE TABLE rounds (
    round_id TEXT PRIMARY KEY,
    round_digest BLOB NOT NULL,
    serialised BLOB NOT NULL,
    signature BLOB NOT NULL,
    first_seen INTEGER NOT NULL,
    decision TEXT CHECK (decision IN ('approved', 'declined')),
    decided_by TEXT,
    decided_at INTEGER
) STRICT;
"""


def as_version_1(path: Path, rounds: list[tuple[Round, str | None]]) -> None:
    """A state file whose table of rounds is that of version 1."""
    StateDatabase(path, create=True).close()
    with sqlite3.connect(path) as connection:
        connection.executescript("DROP TABLE rounds;" + VERSION_1)
        for at, (round_, decision) in enumerate(rounds):
            serialised, signature = signed(round_)
            connection.execute(
                "INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (round_.round_id, round_digest(serialised), serialised, signature, NOON,
                 decision, decision and "operator", decision and NOON + at),
            )  # fmt: skip
        connection.execute("PRAGMA user_version = 1")
    connection.close()


def test_a_file_of_version_1_is_brought_up_to_date(tmp_path: Path, decodes: list[bytes]) -> None:
    path = tmp_path / "before.sqlite"
    as_version_1(path, [(question(9), "approved"), (of_series(3, 1), None), (question(5), None)])
    with StateDatabase(path) as state:
        known = book_of(state).rounds()
        assert [one.round_id for one in known] == [f"{number:032x}" for number in (9, 3, 5)]
        assert (known[0].decision, known[0].decided_by, known[0].decided_at) == (
            Decision.APPROVED, "operator", NOON,
        )  # fmt: skip
        assert [one.decision for one in known[1:]] == [None, None]
        assert known[1].facts == round_table.RoundFacts.of(of_series(3, 1))
        assert state.reader.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert len(decodes) == 3
    with StateDatabase(path) as state:
        assert book_of(state).rounds() == known
    assert len(decodes) == 3, "once"


def test_several_processes_may_open_a_file_of_version_1_at_once(tmp_path: Path) -> None:
    path = tmp_path / "before.sqlite"
    as_version_1(path, [(question(number), None) for number in range(40)])

    def opened(_: int) -> int:
        with StateDatabase(path) as state:
            return len(book_of(state).rounds())

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(opened, range(6))) == [40] * 6


def test_a_file_that_cannot_be_brought_up_to_date_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "before.sqlite"
    as_version_1(path, [(question(1), None), (question(2), None)])
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE rounds SET serialised = x'ff' WHERE round_id = ?", (f"{2:032x}",)
        )
    connection.close()
    with pytest.raises(Problem, match="cannot be read") as caught:
        StateDatabase(path)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM rounds").fetchone() == (2,)
        assert connection.execute(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'rounds_before'"
        ).fetchone() == (0,)
    connection.close()
