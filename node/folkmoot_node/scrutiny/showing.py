"""Facts for people and for programs. Exact figures over households are shown if asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from folkmoot.public_facts import for_people
from folkmoot_node.scrutiny.facts import Fact, FactBase, Mark
from folkmoot_operator.moments import to_text
from folkmoot_operator.shown_values import shown

SCHEMA = 1
"""Of the JSON: keys are added without a new number, and never change their meaning."""
KEPT = "kept at the council"
"""In place of an exact figure over households."""


def as_json(base: FactBase, facts: Iterable[Fact], *, own: bool) -> dict[str, Any]:
    """For programs.

    Args:
        base: All facts.
        facts: Those of them that are shown.
        own: Whether exact figures over households are shown too; else their value is null, and
            `withheld` true.
    """
    return {
        "schema": SCHEMA,
        "gathered": to_text(base.gathered.timestamp()),
        "facts": [_fact(fact, own=own) for fact in facts],
    }


def _fact(fact: Fact, *, own: bool) -> dict[str, Any]:
    withheld = is_withheld(fact, own=own)
    place = fact.provenance
    return {
        "key": fact.key,
        "label": fact.label,
        "value": None if withheld else fact.value,
        "mark": fact.mark.value,
        "own": fact.own,
        "withheld": withheld,
        "configuration": fact.configuration,
        "provenance": {
            "place": place.place,
            "sha256": place.sha256 or None,
            "when": to_text(place.when.timestamp()) if place.when else None,
        },
    }


def is_withheld(fact: Fact, *, own: bool) -> bool:
    """Whether a fact is an exact figure over households that is not shown."""
    return fact.own and not own and fact.mark is not Mark.MISSING


def in_words(fact: Fact, *, own: bool) -> str:
    """The value of a fact for people."""
    if is_withheld(fact, own=own):
        return KEPT
    return "missing" if fact.mark is Mark.MISSING else shown(for_people(fact.key, fact.value))
