"""Whether an attempt was contained: what the attacker said, and what the host saw."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from folkmoot_kit.attacks.attempts import (
    BEGUN,
    MARK,
    RAISED,
    REFUSED,
    SUCCEEDED,
    UNMADE,
    Attempt,
    Runs,
)

_MARGIN_SECONDS = 10.0
"""How much longer than it is granted a call may take until the host has ended it."""
_LONGEST_EXPLANATION = 5_000
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode's categories of signs that are not seen, that steer a screen, or that are none."""


class Verdict(StrEnum):
    """What came of an attempt."""

    CONTAINED = "contained"
    NOT_CONTAINED = "NOT contained"
    NOT_TRIED = "not tried"
    KNOWN_LIMIT = "known limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What is known of one call in which an attempt was made.

    Attributes:
        said: What the attacker has written to the descriptor of errors.
        failure: Why the host ended the call, in its own words; empty if it took the answer.
        failure_texts: Every text of that failure, to be looked through for what it may quote.
        explanation: The text that the host took; None if none was asked for.
        answer_is_own: Whether the scores that the host took are those of the plugin.
        unending: Whether the host would have gone on reading.
        seconds: Wall-clock time of the call.
        traces: What the host found done outside.
    """

    said: str
    failure: str = ""
    failure_texts: str = ""
    explanation: str | None = None
    answer_is_own: bool = True
    unending: bool = False
    seconds: float = 0.0
    traces: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on an attempt.

    Attributes:
        attempt: The attempt.
        verdict: What came of it.
        how: How it was refused, or what it got, in words.
    """

    attempt: Attempt
    verdict: Verdict
    how: str


def reported(said: str) -> Mapping[str, str]:
    """What an attempt has reported: a text for each word."""
    found: dict[str, str] = {}
    for line in said.splitlines():
        _, mark, rest = line.partition(f"{MARK} ")
        if mark:
            word, _, text = rest.partition(" ")
            found.setdefault(word, text)
    return found


def judge(attempt: Attempt, happened: Happened, secret: str) -> Outcome:
    """Decides; what the host saw goes before what the attacker said.

    Args:
        attempt: What was tried.
        happened: What is known of it.
        secret: What the attacker may neither read nor bring into a text of the host.
    """
    words = reported(happened.said)
    if UNMADE in words or (RAISED in words and not attempt.manner.raises):
        fault = words.get(UNMADE) or words.get(RAISED, "")
        return Outcome(attempt, Verdict.NOT_TRIED, f"the attempt is faulty ({fault})")
    hole = _hole(attempt, happened, words, secret)
    if hole and attempt.manner.known_limit:
        return Outcome(attempt, Verdict.KNOWN_LIMIT, f"{hole}: {attempt.manner.known_limit}")
    if hole:
        return Outcome(attempt, Verdict.NOT_CONTAINED, hole)
    if BEGUN not in words:
        return Outcome(attempt, Verdict.NOT_TRIED, happened.failure or "the attacker did not run")
    return Outcome(attempt, Verdict.CONTAINED, _how(happened, words))


def _hole(attempt: Attempt, happened: Happened, words: Mapping[str, str], secret: str) -> str:
    if happened.traces:
        return "; ".join(happened.traces)
    if secret in happened.failure_texts:
        return "what the host says of the failure quotes the secret"
    if SUCCEEDED in words:
        return words[SUCCEEDED]
    if happened.unending:
        return "the host goes on reading without end"
    if happened.seconds > attempt.manner.seconds + _MARGIN_SECONDS:
        return f"the host waited for {happened.seconds:.0f} seconds"
    if happened.failure:
        return ""
    if attempt.manner.must_fail and BEGUN in words and REFUSED not in words:
        return "the host took its answer"
    if not happened.answer_is_own:
        return "the host took other scores than the plugin's"
    if attempt.manner.runs is Runs.EXPLANATION and happened.explanation is not None:
        return explanation_fault(happened.explanation)
    return ""


def explanation_fault(text: str) -> str:
    """What is wrong with a text that people will read; empty if nothing is."""
    if len(text) > _LONGEST_EXPLANATION:
        return f"the host took an explanation of {len(text)} letters"
    unseen = sorted(
        {f"U+{ord(sign):04X}" for sign in text if unicodedata.category(sign) in _UNSEEN}
    )
    if unseen:
        return f"the host took an explanation with {', '.join(unseen[:5])}"
    return ""


def _how(happened: Happened, words: Mapping[str, str]) -> str:
    if REFUSED in words:
        refused = f"refused: {words[REFUSED]}".strip()
        return f"{refused}; {happened.failure}" if happened.failure else refused
    return happened.failure or "the host took what is sound in it"
