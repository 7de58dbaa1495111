"""An explanation fits the score, says what is known, and gives nobody away."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from folkmoot_sdk import samples
from folkmoot_sdk.conformance.amounts import invented
from folkmoot_sdk.conformance.findings import Check, Finding, Found, Severity
from folkmoot_sdk.conformance.trial import TODAY, Arrays, Trial
from folkmoot_sdk.factor import FactorArray, RiskFactor
from folkmoot_sdk.schema import FieldType

EXPLAIN_WORDS = Check(
    "explain-words", "factor", "What is unknown is said in words",
    "`nan` and `None` mean nothing to a resident, or are read as a value.",
    "Say in words that it is not known",
)  # fmt: skip
EXPLAIN_UNKNOWN = Check(
    "explain-unknown", "factor", "A score that is unknown is explained unlike one that is known",
    "A resident of whom nothing is known would hear that all is well.",
    "Ask each value whether it is None before you compare it with anything",
)  # fmt: skip
EXPLAIN_SAME = Check(
    "explain-same", "factor", "A score of 0 and a score of 1 are explained differently",
    "The text does not say why the household has this score, and nobody can object to it.",
    "Say which values led to the score",
)  # fmt: skip
EXPLAIN_CHANGES = Check(
    "explain-changes", "factor", "The same household is explained alike every time",
    "Two people who look at one household would read different reasons.",
    "Use no random choice of words, clock or counter; take the date from `context`",
)  # fmt: skip
EXPLAIN_AMOUNTS = Check(
    "explain-amounts", "factor", "Numbers in an explanation come from the household's values",
    "A resident is told an amount that no record holds: of another household, or in other units.",
    "Print the values that `explain` is given; compare their units with the text",
)  # fmt: skip
EXPLAIN_IDENTIFIERS = Check(
    "explain-identifiers", "factor", "An explanation names nobody",
    "Texts are read aloud, copied into letters and kept where names must not be.",
    "Say what your declared inputs mean, and nothing else; give ages instead of dates of birth",
)  # fmt: skip
EXPLAIN_DIGITS = Check(
    "explain-digits", "factor", "An explanation holds no long row of digits",
    "Long numbers are identifiers, or carry more than a reader can see.",
    "Round numbers, and write amounts with commas: f'{amount:,.0f}'",
)  # fmt: skip
EXPLAIN_LONG = Check(
    "explain-long", "factor", "An explanation has one or two sentences",
    "A caseworker reads it out on the telephone.",
    "Shorten it to what led to the score",
    Severity.WARNING,
)  # fmt: skip

_LONGEST = 600
_UNSPOKEN = re.compile(r"NaN|NaT|None|\bnan\b|\binf\b|<[\w.]+ object at")
_DIGITS = re.compile(r"[0-9]{9,}")
PLANTED: Mapping[str, Any] = {
    "uprn": 100_023_336_956,
    "forename": "Zebedee",
    "surname": "Quillfeather",
    "date_of_birth": datetime.date(1987, 3, 14),
    "address": "14 Larkspur Mews",
    "postcode": "ZZ99 4QX",
    "nhs_number": "9434765919",
}
"""Made-up identifiers beside a household's values: none is declared, so none may come back."""


def explanations(trial: Trial, drawn: Arrays, scores: FactorArray) -> list[Finding]:
    """Explains made-up households, and compares texts with values and scores.

    Args:
        trial: The factor.
        drawn: Arrays of shape (households,).
        scores: What it gave for them.
    """
    findings: dict[Check, Finding] = {}
    try:
        factor = trial.fresh()
        told = [*_told(trial, factor, drawn, scores)]
    except Found as found:
        return [found.finding]
    for values, score, text in told:
        for finding in _of_one(trial, factor, values, score, text):
            findings.setdefault(finding.check, finding)
    for finding in (*_compared(trial, told), *_planted(trial, factor, told)):
        findings.setdefault(finding.check, finding)
    amount = invented(factor, told, TODAY)
    if amount is not None:
        findings[EXPLAIN_AMOUNTS] = trial.finding(EXPLAIN_AMOUNTS, amount)
    return list(findings.values())


Told = tuple[Mapping[str, Any], float, str]


def _told(trial: Trial, factor: RiskFactor, drawn: Arrays, scores: FactorArray) -> Iterator[Told]:
    """Households with their scores and texts: made-up ones, nothing known, and zeros."""
    for at in range(min(trial.explained, len(scores))):
        values = samples.household(drawn, trial.inputs, at)
        yield values, float(scores[at]), trial.explain(factor, values, float(scores[at]))
    for made in (_nothing(trial), _zeros(trial)):
        score = float(trial.score(factor, made, "one household")[0])
        values = samples.household(made, trial.inputs, 0)
        yield values, score, trial.explain(factor, values, score)


def _nothing(trial: Trial) -> Arrays:
    return samples.frozen({entry.name: samples.unknowns(entry, 1) for entry in trial.inputs})


def _zeros(trial: Trial) -> Arrays:
    return samples.frozen({entry.name: samples.zeros(entry, TODAY, 1) for entry in trial.inputs})


def _of_one(
    trial: Trial, factor: RiskFactor, values: Mapping[str, Any], score: float, text: str
) -> Iterator[Finding]:
    word = _UNSPOKEN.search(text)
    if word:
        yield trial.finding(EXPLAIN_WORDS, f"`explain` says {word[0]!r}")
    if _DIGITS.search(text):
        yield trial.finding(EXPLAIN_DIGITS, f"`explain` says {_DIGITS.findall(text)[0]}")
    if len(text) > _LONGEST:
        yield trial.finding(EXPLAIN_LONG, f"`explain` says {len(text)} characters")
    for entry in trial.inputs:
        value = values[entry.name]
        is_birth = entry.type is FieldType.DATE and _born(entry.name)
        if is_birth and value is not None and any(day in text for day in _dates(value)):
            yield trial.finding(EXPLAIN_IDENTIFIERS, f"`explain` quotes `{entry.name}`")


def _born(name: str) -> bool:
    return bool(re.search(r"birth|born|(?:^|_)dob(?:_|$)", name))


def _dates(day: datetime.date) -> tuple[str, ...]:
    return (
        day.isoformat(), f"{day:%d/%m/%Y}", f"{day.day} {day:%B %Y}", f"{day:%d %B %Y}",
        f"{day.day} {day:%b %Y}", f"{day.day}/{day.month}/{day.year}",
    )  # fmt: skip


def _compared(trial: Trial, told: list[Told]) -> Iterator[Finding]:
    known = {text: score for _, score, text in told if not np.isnan(score)}
    shared = [text for _, score, text in told if np.isnan(score) and text in known]
    if shared:
        seen = (
            f"`explain` says {_short(shared[0])} of an unknown score, and of {known[shared[0]]:g}"
        )
        yield trial.finding(EXPLAIN_UNKNOWN, seen)
    nothing, zeros = told[-2][2], told[-1][2]
    if nothing == zeros:
        seen = "`explain` says the same of what is not known as of zero"
        yield trial.finding(EXPLAIN_UNKNOWN, seen)
    none, full = ({text for _, score, text in told if score == s} for s in (0.0, 1.0))
    if none & full:
        seen = f"`explain` says {_short(min(none & full))} of a score of 0 and of a score of 1"
        yield trial.finding(EXPLAIN_SAME, seen)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _planted(trial: Trial, factor: RiskFactor, told: list[Told]) -> Iterator[Finding]:
    """Explains again: in the opposite order, and with identifiers beside the values."""
    for values, score, text in reversed(told[:40]):
        try:
            again = trial.explain(factor, values, score)
            beside = trial.explain(factor, {**values, **PLANTED}, score)
        except Found as found:
            yield found.finding
            return
        if again != text:
            seen = f"`explain` says {_short(text)}, and later {_short(again)}"
            yield trial.finding(EXPLAIN_CHANGES, seen)
        back = [name for name, value in PLANTED.items() if _comes_back(value, beside, text)]
        if back:
            seen = f"`explain` quotes {', '.join(back)} where these stand beside its inputs"
            yield trial.finding(EXPLAIN_IDENTIFIERS, seen)


def _comes_back(value: Any, text: str, without: str) -> bool:
    shown = _dates(value) if isinstance(value, datetime.date) else (str(value), f"{value:,}"
            if isinstance(value, int) else str(value))  # fmt: skip
    return any(word in text and word not in without for word in shown)
