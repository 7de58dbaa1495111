"""Changes of cases in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from folkmoot_node.casework.cases.cases import CaseState, Change
from folkmoot_node.casework.pages.people import People
from folkmoot_node.casework.pages.template_helpers import date_text

_TITLES = {
    "worker": "Worker",
    "team": "Team",
    "state": "State",
    "review_on": "Review on",
    "outcome": "Outcome",
}
"""Of the columns that pages show; ids and times say nothing to people."""


@dataclass(frozen=True, slots=True)
class Told:
    """A change, for people.

    Attributes:
        who: Who made it.
        what: What they did: `case assigned`.
        at: Seconds since 1970-01-01T00:00:00Z.
        values: Title, value before and value after.
    """

    who: str
    what: str
    at: int
    values: list[tuple[str, str, str]]


def told(change: Change, people: People) -> Told:
    """A change in words."""
    values = [
        (title, _shown(name, change.changed[name][0], people), _shown(name, after, people))
        for name, title in _TITLES.items()
        if name in change.changed
        for after in [change.changed[name][1]]
    ]
    return Told(people.shown(change.by), change.action, change.at, values)


def _shown(name: str, value: Any, people: People) -> str:
    if name == "worker":
        return people.shown(value)
    if value is None:
        return "none"
    if name == "state":
        return "in work" if value == CaseState.OPEN else str(value)
    return date_text(value) if name == "review_on" else str(value)
