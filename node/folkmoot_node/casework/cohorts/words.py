"""How pages and commands say conditions, values and counts."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from folkmoot_node.casework.cohorts.definition import Condition, Mark
from folkmoot_node.casework.cohorts.subjects import Subject, Type, phrase

MARKS = {
    Mark.OBJECTED: "an objection was upheld",
    Mark.IN_CASE: "in a case",
    Mark.SUPPORTED: "supported lately",
    Mark.DEATH_REPORTED: "a death was reported",
    Mark.DECIDED_AGAINST: "decided against",
}
GONE = {
    "left_frame": "not in the records any more",
    "not_met": "does not meet the conditions any more",
    "not_known": "not known any more",
} | {str(mark): text for mark, text in MARKS.items()}
"""Why a household of the run before is not in this one."""
NOT_KNOWN = "not known"


def condition_text(condition: Condition, subject: Subject) -> str:
    """A condition: `council tax arrears more than 1,000 pounds`, `band: low or high`."""
    is_compared = condition.is_known is not None or any(condition.bounds)
    return f"{subject.title}{'' if is_compared else ':'} {_comparison(condition, subject)}"


def _comparison(condition: Condition, subject: Subject) -> str:
    if condition.is_known is not None:
        return "known" if condition.is_known else NOT_KNOWN
    if condition.in_ is not None:
        return _or([phrase(code) for code in condition.in_])
    if condition.is_ is not None:
        return value_text(condition.is_, subject)
    is_date = subject.type is Type.DATE
    words = {
        "above": "after {}" if is_date else "more than {}",
        "at_least": "on or after {}" if is_date else "{} or more",
        "under": "before {}" if is_date else "less than {}",
        "at_most": "on or before {}" if is_date else "{} or less",
    }
    return " and ".join(
        words[key].format(value_text(value, subject)) for key, value in condition.bounds
    )


def value_text(value: object, subject: Subject) -> str:
    """A value of a household or a condition, with its unit: `2,600 pounds`."""
    if value is None:
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if subject.type is Type.DATE:
        day = value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))
        return f"{day:%-d %B %Y}"
    if isinstance(value, int | float):
        return f"{number_text(value)} {subject.unit}".strip()
    return phrase(str(value))


def number_text(value: float) -> str:
    """A number with commas, and only the decimals it has."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.3f}".rstrip("0")


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
