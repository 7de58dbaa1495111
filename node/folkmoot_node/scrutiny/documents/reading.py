"""Facts as a document reads them: in words, and without exact figures unless somebody decided."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import PurePath

from pydantic import JsonValue

from folkmoot_node.scrutiny.documents.answers import Decision, Used
from folkmoot_node.scrutiny.documents.figures import shown
from folkmoot_node.scrutiny.facts import Fact, FactBase, Mark, Provenance, Value
from folkmoot_node.scrutiny.scrutiny_file import FILE_NAME

HELD = "held by the council"
"""In the place of an exact figure."""
NOT_SAID = "missing"
PEOPLE = "scrutiny."
"""Keys below it are what people add."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}\S*")


class Reading:
    """The facts of one document.

    Attributes:
        facts: All that is known.
        decision: Who decided that exact figures are shown; None if nobody did.
        program: Name and version of this program.
    """

    def __init__(self, facts: FactBase, decision: Decision | None = None) -> None:
        self.facts = facts
        self.decision = decision
        self.program = _program()
        self._figures = {} if decision is None else shown(one for one in facts.facts if one.own)

    def fact(self, key: str, label: str = "") -> Fact:
        """The fact with this key; one that is missing if the node knows of no such thing."""
        found = self.facts.get(key)
        if found is not None:
            return found
        place = FILE_NAME if key.startswith(PEOPLE) else "this node"
        said = label or key.rpartition(".")[2].replace("_", " ").capitalize()
        return Fact(key, said, None, Mark.MISSING, Provenance(place))

    def used(self, fact: Fact) -> Used:
        """A fact as a document names it."""
        is_missing = fact.mark is Mark.MISSING
        held = fact.own and self.decision is None and not is_missing
        when = fact.provenance.when
        return Used(
            key=fact.key,
            label=fact.label,
            value=None if held or is_missing else self._value(fact),
            mark=fact.mark,
            place=_without_folders(fact.provenance.place),
            sha256=fact.provenance.sha256,
            when=None if when is None else when.isoformat(timespec="seconds"),
            held=held,
        )

    def words(self, fact: Fact) -> str:
        """A fact's value for people."""
        used = self.used(fact)
        if used.mark is Mark.MISSING:
            return NOT_SAID
        return HELD if used.held else in_words(used.value)

    def children(self, prefix: str) -> Iterator[str]:
        """The words that follow a prefix in keys, each once, in order."""
        depth = prefix.count(".") + 1
        yield from dict.fromkeys(one.key.split(".")[depth] for one in self.facts.below(prefix))

    def _value(self, fact: Fact) -> JsonValue:
        return self._figures[fact.key] if fact.own else plain(fact.value)


@cache
def _without_folders(place: str) -> str:
    """A place as people outside may read it: of a file elsewhere on the machine, its name."""
    path = PurePath(place)
    return path.name if path.is_absolute() else place


def _program() -> str:
    return f"folkmoot-node {version('folkmoot-node')}"


def plain(value: Value) -> JsonValue:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return value


def in_words(value: JsonValue) -> str:
    """A value for people: days written out, thousands with commas, lists with commas."""
    match value:
        case None:
            return NOT_SAID
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
        case str() if _DAY.fullmatch(value):
            return _day(value)
        case str() if _TIME.fullmatch(value):
            return _day(value[:10])
        case str():
            return value.strip().replace("`", "")
        case list():
            return ", ".join(map(in_words, value)) or "none"
        case dict():
            return "; ".join(f"{_name(one)}: {in_words(of)}" for one, of in value.items()) or "none"


def _day(text: str) -> str:
    try:
        return f"{datetime.date.fromisoformat(text):%-d %B %Y}"
    except ValueError:
        return text


def _name(slug: str) -> str:
    return slug.replace("_", " ")
