"""Whether the numbers in an explanation can come from the values that it explains."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from folkmoot_sdk.conformance.direction import numbers_of
from folkmoot_sdk.factor import RiskFactor

_NUMBER = re.compile(r"(?<![\w.])[0-9][0-9,]*(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_CONSTANT = 3
"""A number that as many households share whose values do not give it is a threshold."""
_COUNTED = 12
"""Numbers up to this count things, or stand for words."""
_PER = (1, 12, 52, 100, 7, 365, 12 / 52, 52 / 12)
"""Years, months, weeks, days and hundredths into each other."""


def invented(
    factor: RiskFactor,
    told: Sequence[tuple[Mapping[str, Any], float, str]],
    today: datetime.date,
) -> str | None:
    """Looks for a number that neither the household nor the parameters can have given.

    Allowed is much: values, parameters and scores, as they are, rounded, their sums,
    differences, products and ratios in pairs, in other periods; the parts of dates and the
    time since; and thresholds, which many households share.

    Args:
        factor: With its parameters.
        told: Values, score and text of households.
        today: The reference date.

    Returns:
        What was seen, in words; None if every number can be explained.
    """
    parameters = [abs(number) for number in numbers_of(factor.parameters)]
    strange: list[tuple[str, str]] = []
    for values, score, text in told:
        found = dict.fromkeys(_NUMBER.findall(text))
        if not found:
            continue
        possible = sorted({*_possible(values, score, parameters, today)})
        strange += [(word, text) for word in found if not _given(word, possible)]
    shared = Counter(word for word, _ in strange)
    for word, text in strange:
        if shared[word] < _CONSTANT:
            return f"`explain` says {word} in {text!r}, which is not among the household's values"
    return None


def _given(word: str, possible: Sequence[float]) -> bool:
    plain = word.replace(",", "")
    number = float(plain)
    plain, _, exponent = plain.partition("e")
    whole, _, decimals = plain.partition(".")
    if not decimals and number <= _COUNTED:
        return True
    zeros = 0 if decimals else len(whole) - len(whole.rstrip("0"))
    tolerance = 0.5 * 10.0 ** (zeros - len(decimals) + int(exponent or 0)) * (1 + 1e-9)
    return any(abs(number - one) <= tolerance + 1e-12 * number for one in possible)


def _possible(
    values: Mapping[str, Any], score: float, parameters: list[float], today: datetime.date
) -> Iterator[float]:
    yield from (today.year, today.month, today.day)
    own: list[float] = [score] if score == score else []
    for value in values.values():
        if isinstance(value, datetime.date):
            days = abs((today - value).days)
            yield from (value.year, value.day, value.month)
            own += [days, days / 7, days / 30.44, days / 365.25]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            own.append(abs(float(value)))
    base = [*own, *parameters]
    for number in (*base, sum(own)):
        yield from (number * per for per in _PER)
        yield from (number / per for per in _PER)
    for one, other in combinations(base, 2):
        yield from (one + other, abs(one - other), one * other)
        for above, below in ((one, other), (other, one)):
            if below:
                yield from (above / below, 100 * above / below)
