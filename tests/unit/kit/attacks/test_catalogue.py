"""The attempts: named, described, and written for every machine that we know."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from folkmoot_kit.attacks import system_calls
from folkmoot_kit.attacks.attempts import Attempt, Collection, Group, Refused, Targets, run
from folkmoot_kit.attacks.catalogue import ATTEMPTS
from folkmoot_kit.attacks.frames import changed
from folkmoot_kit.attacks.stage import Stage
from folkmoot_kit.attacks.verdicts import reported

ONLY_X86 = {
    "fork", "vfork", "modify_ldt", "iopl", "ioperm", "time", "rename",
}  # fmt: skip


def test_there_are_enough_in_every_group() -> None:
    counts = Counter(entry.group for entry in ATTEMPTS.values())
    assert len(ATTEMPTS) >= 40
    assert set(counts) == set(Group)
    assert min(counts.values()) >= 10


@pytest.mark.parametrize("entry", ATTEMPTS.values(), ids=ATTEMPTS)
def test_each_says_what_it_tries(entry: Attempt) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{2,40}", entry.id)
    assert re.fullmatch(r"[A-Z].{2,70}[^.]", entry.title)
    assert re.fullmatch(r"[A-Z].{10,200}\.", entry.tries)


def test_titles_are_not_repeated() -> None:
    titles = Counter(entry.title for entry in ATTEMPTS.values())
    assert [title for title, count in titles.items() if count > 1] == []


def test_an_attempt_that_is_called_like_another_refuses_to_load() -> None:
    from folkmoot_kit.attacks import catalogue

    twice = Collection(Group.CLOCK)
    twice.add(lambda at: None, "read-time", "Read", "Reads.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "_COLLECTIONS", (*catalogue._COLLECTIONS, twice))
        with pytest.raises(ValueError, match="read-time"):
            catalogue._by_id()


def test_a_misspelt_manner_refuses_to_load() -> None:
    with pytest.raises(TypeError, match="must_fial"):
        Collection(Group.CLOCK).attempt("Read", must_fial=True)(lambda at: None)


def test_both_machines_have_the_same_system_calls() -> None:
    assert set(system_calls._X86) - set(system_calls._ARM) == ONLY_X86
    assert set(system_calls._ARM) <= set(system_calls._X86)
    for table in (system_calls._X86, system_calls._ARM):
        assert len(set(table.values())) == len(table)


def test_targets_cross_as_they_are() -> None:
    with Stage() as stage:
        targets = stage.targets(scratch=True, seconds=1.5)
    assert Targets.from_json(targets.to_json()) == targets


def attempt_of(function: object) -> Attempt:
    collection = Collection(Group.CLOCK)
    collection.attempt("Try")(function)  # type: ignore[arg-type]
    return collection.attempts[0]


def test_an_attempt_reports_what_came_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    def refused(at: object) -> None:
        raise Refused("by the\nkernel")

    def denied(at: object) -> None:
        raise PermissionError(1, "Operation not permitted", "/a/secret/path")

    def through(at: object) -> str:
        return "has it"

    def faulty(at: object) -> None:
        raise KeyError("a secret")

    def unmade(at: object) -> None:
        changed(b"abc", b"d", b"e")

    said = {}
    for function in (refused, denied, through, unmade):
        run(attempt_of(function), None)  # type: ignore[arg-type]
        said[function.__name__] = reported(capfd.readouterr().err)
    with pytest.raises(KeyError):
        run(attempt_of(faulty), None)  # type: ignore[arg-type]
    assert said["refused"] == {"begun": "refused", "refused": "by the kernel"}
    assert said["denied"]["refused"] == "PermissionError Operation not permitted"
    assert said["through"]["succeeded"] == "has it"
    assert "unmade" in said["unmade"]
    assert reported(capfd.readouterr().err) == {"begun": "faulty", "raised": "KeyError"}
