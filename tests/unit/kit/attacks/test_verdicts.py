"""When an attempt is contained: what the host saw goes before what the attacker said."""

from __future__ import annotations

from typing import Any

import pytest

from folkmoot_kit.attacks.attempts import Collection, Group, Runs
from folkmoot_kit.attacks.verdicts import Happened, Verdict, explanation_fault, judge

SECRET = "0123456789abcdef"
BEGUN = "folkmoot-attack begun try\n"
REFUSED = f"{BEGUN}folkmoot-attack refused PermissionError\n"
CONTAINED, NOT_CONTAINED, NOT_TRIED, KNOWN = (
    Verdict.CONTAINED,
    Verdict.NOT_CONTAINED,
    Verdict.NOT_TRIED,
    Verdict.KNOWN_LIMIT,
)


def verdict(manner: dict[str, Any], happened: dict[str, Any]) -> Verdict:
    collection = Collection(Group.CLOCK)
    collection.add(lambda at: None, "try", "Try", "Tries.", **manner)
    return judge(collection.attempts[0], Happened(**happened), SECRET).verdict


MUST_FAIL = {"must_fail": True}
EXPLAINS = {"runs": Runs.EXPLANATION}


@pytest.mark.parametrize(
    ("manner", "happened", "expected"),
    [
        ({}, {"said": REFUSED}, CONTAINED),
        ({}, {"said": BEGUN, "failure": "killed by signal 31"}, CONTAINED),
        ({}, {"said": f"noise {REFUSED}"}, CONTAINED),
        ({}, {"said": f"{BEGUN}folkmoot-attack succeeded read it"}, NOT_CONTAINED),
        ({}, {"said": REFUSED, "traces": ["a server was reached"]}, NOT_CONTAINED),
        ({}, {"said": "", "traces": ["a server was reached"]}, NOT_CONTAINED),
        ({}, {"said": REFUSED, "answer_is_own": False}, NOT_CONTAINED),
        ({}, {"said": REFUSED, "seconds": 31.0}, NOT_CONTAINED),
        ({}, {"said": "", "failure": "cannot be imported"}, NOT_TRIED),
        ({}, {"said": "something else"}, NOT_TRIED),
        ({}, {"said": f"{BEGUN}folkmoot-attack raised KeyError"}, NOT_TRIED),
        ({}, {"said": f"{BEGUN}folkmoot-attack unmade no such bytes"}, NOT_TRIED),
        (MUST_FAIL, {"said": BEGUN}, NOT_CONTAINED),
        (MUST_FAIL, {"said": BEGUN, "unending": True}, NOT_CONTAINED),
        (MUST_FAIL, {"said": BEGUN, "failure": "gave no answer"}, CONTAINED),
        (MUST_FAIL, {"said": REFUSED}, CONTAINED),
        (
            MUST_FAIL,
            {"said": BEGUN, "failure": "raised", "failure_texts": f"x{SECRET}x"},
            NOT_CONTAINED,
        ),
        (
            MUST_FAIL,
            {"said": f"{BEGUN}folkmoot-attack raised E", "failure": "raised E"},
            NOT_TRIED,
        ),
        (
            {**MUST_FAIL, "raises": True},
            {"said": f"{BEGUN}folkmoot-attack raised E", "failure": "raised E"},
            CONTAINED,
        ),
        (
            {"known_limit": "status"},
            {"said": f"{BEGUN}folkmoot-attack succeeded read it"},
            KNOWN,
        ),
        ({"known_limit": "status"}, {"said": REFUSED}, CONTAINED),
        (EXPLAINS, {"said": BEGUN, "explanation": "paid late"}, CONTAINED),
        (EXPLAINS, {"said": BEGUN, "explanation": "\x1b[2J"}, NOT_CONTAINED),
    ],
)
def test_verdicts(manner: dict[str, Any], happened: dict[str, Any], expected: Verdict) -> None:
    assert verdict(manner, happened) is expected


@pytest.mark.parametrize(
    "text", ["\x1b", "\x9b", "\u202e", "\u200b", "a\nb", "\ud800", "\U000e0041", "x" * 10_000]
)
def test_what_no_person_should_read(text: str) -> None:
    assert explanation_fault(f"paid {text}")


def test_what_a_person_may_read() -> None:
    assert explanation_fault("Owes £1,200 – since 3 April (Łódź, 東京)") == ""
