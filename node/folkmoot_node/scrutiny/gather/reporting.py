"""What gatherers share: where a fact comes from, and values as JSON has them."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydantic import BaseModel

from folkmoot_node.scrutiny.facts import Fact, FactBase, Mark, Provenance, Value
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.problems import ExitCode, Problem

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+")
_NO_SLUG = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes facts that have one place in common.

    Attributes:
        place: Where they can be looked up.
        mark: Who says so.
        own: As `Fact`.
        configuration: As `Fact`.
    """

    place: Provenance
    mark: Mark = Mark.SYSTEM
    own: bool = False
    configuration: bool = False

    def __call__(self, key: str, label: str, value: object) -> Fact:
        """A fact; a missing one if the value is None or an empty text."""
        plain_value = plain(value)
        is_missing = plain_value is None or plain_value == ""
        return Fact(
            key,
            label,
            None if is_missing else plain_value,
            Mark.MISSING if is_missing else self.mark,
            self.place,
            own=self.own,
            configuration=self.configuration,
        )


def of_file(home: Path, path: Path, when: datetime.datetime | None = None) -> Provenance:
    """Where a fact from a file can be looked up.

    Args:
        home: The node's folder; what lies in it is named from there.
        path: The file. One that is not there has no digest and no time.
        when: When it was written, if that is known better than from the file system.
    """
    name = str(path.relative_to(home)) if path.is_relative_to(home) else str(path)
    try:
        content, changed = path.read_bytes(), path.stat().st_mtime
    except FileNotFoundError:
        return Provenance(name)
    except OSError as error:
        raise Problem(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy="Check the permissions",
            exit_code=ExitCode.SETTINGS,
        ) from None
    changed_at = to_datetime(int(changed))
    return Provenance(name, hashlib.sha256(content).hexdigest(), when or changed_at)


def slug(text: str) -> str:
    """A name as a part of a key: lower case, with hyphens for what cannot stand there."""
    return _NO_SLUG.sub("-", text.lower()).strip("-_") or "unnamed"


def plain(value: object) -> Value:
    """A value as JSON has it; days and times are ISO 8601, other types of ours their texts."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return plain(value.model_dump(by_alias=True))
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return tuple(sorted((plain(one) for one in value), key=str))
    if isinstance(value, Iterable):
        return tuple(plain(one) for one in value)
    return str(value)


def by_year(moments: Iterable[int]) -> dict[str, int]:
    """How many moments are in each year; years without any are left out.

    Args:
        moments: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        By year, as text, ascending.
    """
    return dict(sorted(Counter(str(to_datetime(one).year) for one in moments).items()))


def fact_base(facts: Iterable[Fact], moment: int) -> FactBase:
    """All facts, by key.

    Args:
        facts: In any order.
        moment: When they were gathered, in seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: Exit code SETTINGS, if two things have names that make the same key, such as roles
            that differ in a capital or a sign alone.
        ValueError: If a key is not a dotted path of slugs: a fault of a gatherer.
    """
    by_key: dict[str, Fact] = {}
    for fact in facts:
        if not _KEY.fullmatch(fact.key):
            raise ValueError(f"{fact.key!r} is no key of a fact")
        if fact.key in by_key:
            raise Problem(
                f"two names differ in capitals and signs alone: both make the key {fact.key}",
                where=fact.provenance.place,
                remedy="Rename one of them, so that facts and documents do not mix them up",
                exit_code=ExitCode.SETTINGS,
            )
        by_key[fact.key] = fact
    ordered = tuple(by_key[key] for key in sorted(by_key))
    return FactBase(ordered, to_datetime(moment))
