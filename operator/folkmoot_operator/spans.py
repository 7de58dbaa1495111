"""What programs may trace: listed spans with listed attributes, and nothing else.

Where no receiver is set, a span costs a comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from folkmoot_operator.events import REFUSED, Kind, UnlistedValue, emit, shown

_NAME = re.compile(r"(node|coordinator|site)(\.[a-z][a-z_]{1,40}){1,3}")
STEP_SECONDS = 10
"""Durations of spans that are `coarse` are rounded up to this."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something that may be traced.

    Attributes:
        name: Stable.
        discloses: Why it discloses nothing of residents.
        attributes: Kind of each attribute, by name.
        coarse: Whether its duration is rounded up to `STEP_SECONDS`, since it grows with the
            number of records.
    """

    name: str
    discloses: str
    attributes: Mapping[str, Kind] = field(default_factory=dict)
    coarse: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a span is not named so: {self.name}")
        if len(self.discloses) < 20:
            raise ValueError(f"{self.name} does not say why it discloses nothing")
        if {Kind.SAID, Kind.CODE, Kind.FAULT}.intersection(self.attributes.values()):
            raise ValueError(f"{self.name}: a trace has words of a list, and no sentences")


def listed(*spans: Span) -> Mapping[str, Span]:
    """A program's spans by name.

    Raises:
        ValueError: If two have one name.
    """
    found = {span.name: span for span in spans}
    if len(found) != len(spans):
        raise ValueError("two spans have one name")
    return MappingProxyType(found)


class Note:
    """Takes attributes of a span that is open."""

    def __init__(self, span: Span, attributes: dict[str, str | int | float]) -> None:
        self._span = span
        self.attributes = attributes

    def say(self, **values: object) -> None:
        """Adds attributes; one that is not listed, or not of its kind, is left out."""
        for name, value in values.items():
            kind = self._span.attributes.get(name)
            try:
                if kind is None:
                    raise UnlistedValue(f"{self._span.name} has no attribute {name}")
                self.attributes[name] = shown(kind, value, f"{self._span.name}: {name}")
            except UnlistedValue as refused:
                emit(REFUSED, why=str(refused))


class Tracer(Protocol):
    """Sends spans."""

    def begin(self, span: Span) -> Any:
        """Opens a span within the one that is open in this thread."""

    def end(self, opened: Any, span: Span, attributes: Mapping[str, Any], *, failed: bool) -> None:
        """Closes it."""


class _Here:
    """Where spans of this process go.

    Attributes:
        tracer: None where the settings name no receiver.
    """

    tracer: Tracer | None = None


def begin(tracer: Tracer | None) -> None:
    """From now on spans go there; None to trace nothing."""
    _Here.tracer = tracer


@contextmanager
def span(which: Span, **attributes: object) -> Iterator[Note]:
    """Traces what is done inside, where somebody wants to know.

    An exception that comes through marks the span as failed; its text stays here.

    Args:
        which: From the program's list.
        attributes: Those that are known at the beginning.

    Yields:
        What takes attributes that are known later.
    """
    note = Note(which, {})
    tracer = _Here.tracer
    if tracer is None:
        yield note
        return
    note.say(**attributes)
    opened, failed = tracer.begin(which), True
    try:
        yield note
        failed = False
    finally:
        tracer.end(opened, which, note.attributes, failed=failed)
