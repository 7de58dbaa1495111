"""The register of incidents: what is entered stays, and says who was told."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from folkmoot_operator.hash_chain import Entry, HashChain, Remedies, create_chain
from folkmoot_operator.incidents import (
    ACTIONS,
    MAX_TEXT,
    Register,
    Told,
    export_of,
    incidents_of,
    moment_of,
)
from folkmoot_operator.problems import ExitCode, Problem

NOW = 1_800_000_000


@dataclass
class Log:
    """An audit log in memory."""

    path: Path = Path("audit")
    reader: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:"))

    def __post_init__(self) -> None:
        create_chain(self.reader, "audit")
        self.chain = HashChain(self, "audit", Remedies("", ""))

    def entries(self, actions: tuple[str, ...]) -> Iterable[Entry]:
        return self.chain.entries(actions)

    def append(self, body: Callable[[], Mapping[str, Any]]) -> Entry:
        return self.chain.append(self.reader, NOW, body())


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def register(log: Log) -> Register:
    return Register(log, lambda: NOW, "ann")


def test_an_incident_from_beginning_to_end(log: Log, register: Register) -> None:
    first = register.add("the wrong extract was scored", NOW - 90_000, NOW - 3600)
    assert (first.number, first.closed_at, first.told) == (1, None, ())
    assert first.ico_by == NOW - 3600 + 72 * 3600
    register.tell(1, Told.DPO, NOW - 1800, "head of revenues")
    register.tell(1, Told.ICO, NOW, "DPO", "IC-123")
    closed = register.close(1, "scored again")
    assert [(one.whom, one.by, one.note) for one in closed.told] == [
        (Told.DPO, "head of revenues", ""),
        (Told.ICO, "DPO", "IC-123"),
    ]
    assert closed.is_ico_told
    assert (closed.closed_at, closed.outcome) == (NOW, "scored again")
    assert closed.entries == (1, 2, 3, 4)
    register.tell(1, Told.RESIDENTS, NOW, "DPO")
    assert register.add("another", NOW, NOW).number == 2
    assert [one.number for one in register.all()] == [1, 2]
    assert log.chain.verify().length == 6


def test_it_is_closed_once(register: Register) -> None:
    register.add("a", NOW, NOW)
    register.close(1, "settled")
    with pytest.raises(Problem) as caught:
        register.close(1, "again")
    assert caught.value.exit_code is ExitCode.REFUSED


@pytest.mark.parametrize(
    "act",
    [
        lambda one: one.add("", NOW, NOW),
        lambda one: one.add("x" * (MAX_TEXT + 1), NOW, NOW),
        lambda one: one.add("a", NOW, NOW - 1),
        lambda one: one.add("a", NOW, NOW + 1),
        lambda one: one.tell(2, Told.ICO, NOW, "DPO"),
        lambda one: one.tell(1, Told.ICO, NOW + 1, "DPO"),
        lambda one: one.tell(1, Told.ICO, NOW - 1, "DPO"),
        lambda one: one.tell(1, Told.ICO, NOW, " "),
        lambda one: one.close(2, "settled"),
        lambda one: one.close(1, ""),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_entered(
    log: Log, register: Register, act: Callable[[Register], object]
) -> None:
    register.add("a", NOW, NOW)
    before = log.chain.head()
    with pytest.raises(Problem) as caught:
        act(register)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.remedy
    assert log.chain.head() == before


def test_an_export_can_be_checked(log: Log, register: Register) -> None:
    register.add("a – with a dash", NOW, NOW)
    document = json.loads(export_of(register.all(), log.entries(ACTIONS), str(log.chain.head())))
    canonical = json.dumps(
        document["register"], sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    assert hashlib.sha256(canonical.encode()).hexdigest() == document["sha256"]
    assert document["register"]["audit_log_head"] == str(log.chain.head())
    [entry] = document["register"]["entries"]
    assert entry["body"]["what"] == "a – with a dash"


def test_other_entries_of_the_log_are_no_incidents(log: Log, register: Register) -> None:
    log.append(lambda: {"action": "purged", "by": "ann"})
    register.add("a", NOW, NOW)
    assert len(list(incidents_of(log.entries(ACTIONS)))) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-15", 1_799_971_200),
        ("2027-01-15T08:00", NOW),
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T09:00+01:00", NOW),
    ],
)
def test_times_are_in_utc(text: str, seconds: int) -> None:
    assert moment_of(text, "--at") == seconds


def test_no_time() -> None:
    with pytest.raises(Problem, match="is no time"):
        moment_of("yesterday", "--at")
