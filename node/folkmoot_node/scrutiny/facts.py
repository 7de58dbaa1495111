"""Facts about a node, each with where it comes from. None derives from one household."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

Value: TypeAlias = "str | int | float | bool | tuple[Value, ...] | Mapping[str, Value] | None"
"""What JSON can say. Days are ISO 8601."""


class Mark(StrEnum):
    """Who says so."""

    SYSTEM = "from the system"
    PERSON = "entered by a person"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a fact can be looked up.

    Attributes:
        place: File or table, as the council's IT knows it: "risk-policy.toml", "audit log".
        sha256: Of the file, hexadecimal; empty for a table.
        when: The time at which it was written there, with time zone; None if it is not known.
    """

    place: str
    sha256: str = ""
    when: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known, or is known to be missing.

    Attributes:
        key: Dotted path, from general to particular: "policy.risk.sunset".
        label: What it is, for people: "Last day on which the policy may be used".
        value: None if it is missing.
        mark: Who says so.
        provenance: Where it can be looked up; for a missing one, where it should be entered.
        own: Whether it is an exact figure over households, which stays at the council unless a
            named person decides otherwise.
        configuration: Whether it says how the node is set up, and not what it has done so far.
    """

    key: str
    label: str
    value: Value
    mark: Mark
    provenance: Provenance
    own: bool = False
    configuration: bool = False


def in_sentence(label: str) -> str:
    """A label in the middle of a sentence; an abbreviation keeps its capitals."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


@dataclass(frozen=True)
class FactBase:
    """All facts about a node at one time.

    Attributes:
        facts: Sorted by key, no key twice.
        gathered: When, with time zone.
    """

    facts: tuple[Fact, ...]
    gathered: datetime.datetime

    @cached_property
    def _by_key(self) -> Mapping[str, Fact]:
        return {fact.key: fact for fact in self.facts}

    def get(self, key: str) -> Fact | None:
        """The fact with this key; None if the node knows of no such thing."""
        return self._by_key.get(key)

    def below(self, prefix: str) -> Iterator[Fact]:
        """Facts whose keys begin with the prefix and a dot, by key."""
        return (fact for fact in self.facts if fact.key.startswith(prefix + "."))
