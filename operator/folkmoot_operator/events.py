"""What programs may write into their logs: named events with named fields, and nothing else.

Each program lists its events in one module. An event says how severe it is, what it reads like,
which fields it has and why it discloses nothing of residents. `emit` is the only way into a log:
a field that is not listed, or a value that is not of its kind, is a fault of the program.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import MappingProxyType

from folkmoot_operator.problems import Problem

RESERVED = frozenset({"time", "level", "program", "event", "message", "priority"})
"""What every event has, so that no field is called so."""
MAX_CHARACTERS = 1000
"""Of one value; the rest is cut off."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.,:/@\[\]<>-]{0,199}")
_WORD = re.compile(r"[A-Za-z0-9_?-][A-Za-z0-9 _.-]{0,99}")
_ROUND = re.compile(r"[0-9a-f]{1,64}")
_COUNCIL = re.compile(r"(?=.{9}$)[A-Z][0-9]+")
_ADDRESS = re.compile(r"(https?://)?[A-Za-z0-9.:%\[\]?_-]{1,253}/?")
_EVENT = re.compile(r"(operator|web|node|casework|coordinator|site)(\.[a-z][a-z0-9_]{1,40}){1,3}")


class Level(IntEnum):
    """How severe an event is; the numbers are those of Python's logs."""

    INFO = logging.INFO
    """Something happened as it should."""
    WARNING = logging.WARNING
    """Somebody should look when it suits them."""
    ERROR = logging.ERROR
    """Something that should have been done was not done."""

    @property
    def priority(self) -> int:
        """The same as the journal and syslog number it."""
        return {Level.INFO: 6, Level.WARNING: 4, Level.ERROR: 3}[self]


class Kind(Enum):
    """What a value may be. None of them can be a field of a resident's record.

    Attributes:
        described: The same in the documentation.
    """

    COUNT = "whole number of messages, calls, rounds or processes, never of households"
    WORD = "word out of the program's own list: a state, a reason, a method, a port"
    NAME = "name out of a settings file, or of an installed distribution"
    ROUND = "id of a round, a series or a draft, or its beginning: random, or a digest"
    COUNCIL = "GSS code of a council, which is public"
    SECONDS = "duration in seconds"
    ADDRESS = "address of a program, by name or number"
    FAULT = "a `Problem`, which quotes no record; of any other exception its type"
    SAID = "sentence of the program's own: constants, ids, counts of rounds, and texts of problems"
    CODE = "type of an exception and the lines of code that it came through"

    @property
    def described(self) -> str:
        """What it is, in a sentence."""
        return self.value


@dataclass(frozen=True, slots=True)
class LogEvent:
    """Something that may stand in a log.

    Attributes:
        name: Stable; alerts and searches go by it.
        level: How severe it is.
        message: How it reads: its fields stand in braces.
        discloses: Why it discloses nothing of residents.
        fields: Kind of each field, by name. All must be given, but for those `optional`.
        optional: Fields that may be empty.
    """

    name: str
    level: Level
    message: str
    discloses: str
    fields: Mapping[str, Kind] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not _EVENT.fullmatch(self.name):
            raise ValueError(f"an event is not named so: {self.name}")
        if len(self.discloses) < 20:
            raise ValueError(f"{self.name} does not say why it discloses nothing")
        if taken := RESERVED & self.fields.keys():
            raise ValueError(f"{self.name}: every event has {', '.join(sorted(taken))}")
        self.message.format(**dict.fromkeys(self.fields, ""))


class UnlistedValue(TypeError):
    """A program wanted to write what its list does not have. The value is not in the text."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event with its values, as it stands in a record of Python's logs.

    Attributes:
        event: Which.
        values: Its fields, as text or numbers.
    """

    event: LogEvent
    values: Mapping[str, str | int | float]

    @property
    def message(self) -> str:
        """How it reads, on one line."""
        shown = {name: self.values.get(name, "") for name in self.event.fields}
        return " ".join(self.event.message.format(**shown).split())


def listed(*events: LogEvent) -> Mapping[str, LogEvent]:
    """A program's events by name.

    Raises:
        ValueError: If two have one name.
    """
    found = {event.name: event for event in events}
    if len(found) != len(events):
        raise ValueError("two events have one name")
    return MappingProxyType(found)


REFUSED = LogEvent(
    "operator.log.refused",
    Level.ERROR,
    "an event was not written: {why}",
    "The name of an event and of a field, from the list; the value is left out.",
    {"why": Kind.SAID},
)
"""A fault of Folkmoot: a program wanted to write something that its list does not have."""


_FROM_CODE = "The name of an installed library and a line of its code; its words are left out."
LIBRARY_WARNED = LogEvent(
    "operator.library.warned",
    Level.WARNING,
    "library {library} warned at {line}",
    _FROM_CODE,
    {"library": Kind.WORD, "line": Kind.WORD, "error": Kind.WORD},
    frozenset({"error"}),
)
LIBRARY_FAILED = LogEvent(
    "operator.library.failed",
    Level.ERROR,
    "library {library} failed at {line} {error}",
    _FROM_CODE,
    LIBRARY_WARNED.fields,
    frozenset({"error"}),
)


def emit(event: LogEvent, **values: object) -> None:
    """Writes an event into the log.

    An event with a field that is not listed or is missing, or with a value that is not of its
    kind, is not written: the log says that one was refused. No caller fails for its log.

    Args:
        event: Which.
        values: Its fields. An empty text or None stands for a field that is optional.
    """
    try:
        emitted = Emitted(event, dict(checked(event, values)))
    except UnlistedValue as refused:
        emitted = Emitted(REFUSED, {"why": str(refused)})
    logger = logging.getLogger(LOGGERS[event.name.partition(".")[0]])
    logger.log(emitted.event.level, "%s", emitted.message, extra={EMITTED: emitted})


EMITTED = "folkmoot_event"
"""Attribute of a record of Python's logs that an event has made."""
LOGGERS = {
    "operator": "folkmoot_operator",
    "web": "folkmoot_web",
    "node": "folkmoot_node",
    "casework": "folkmoot_node",
    "coordinator": "folkmoot_coordinator",
    "site": "folkmoot_coordinator",
}
"""Python's logger of each program."""


def checked(
    event: LogEvent, values: Mapping[str, object]
) -> Iterable[tuple[str, str | int | float]]:
    """The fields of an event, as they are written.

    Raises:
        UnlistedValue: If a field is not listed or is missing, or a value is not of its kind.
    """
    unknown = values.keys() - event.fields.keys()
    if unknown:
        raise UnlistedValue(f"{event.name} has no field {', '.join(sorted(unknown))}")
    for name, kind in event.fields.items():
        value = values.get(name)
        if value is None or value == "":
            if name not in event.optional:
                raise UnlistedValue(f"{event.name} lacks {name}")
            continue
        yield name, shown(kind, value, f"{event.name}: {name}")


def shown(kind: Kind, value: object, where: str) -> str | int | float:
    """A value as it is written.

    Args:
        kind: What it must be.
        value: It.
        where: Event and field, for the error.

    Raises:
        UnlistedValue: If it is something else; without the value.
    """
    if kind is Kind.COUNT and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is Kind.SECONDS and isinstance(value, int | float) and not isinstance(value, bool):
        return round(float(value), 3)
    if kind is Kind.FAULT and isinstance(value, BaseException):
        return _cut(fault_text(value))
    pattern = _PATTERNS.get(kind)
    if pattern is not None and isinstance(value, str) and pattern.fullmatch(value):
        return str(value)
    if kind in {Kind.SAID, Kind.CODE} and isinstance(value, str):
        return _cut(value)
    raise UnlistedValue(f"{where} is not a {kind.name.lower()}")


_PATTERNS: Mapping[Kind, re.Pattern[str]] = MappingProxyType(
    {
        Kind.WORD: _WORD,
        Kind.NAME: _NAME,
        Kind.ROUND: _ROUND,
        Kind.COUNCIL: _COUNCIL,
        Kind.ADDRESS: _ADDRESS,
    }
)


def fault_text(error: BaseException) -> str:
    """What may be written of an exception: the text of any but a `Problem` may quote anything.

    Args:
        error: A `Problem` or another error that states `problem`, whose text and remedy are
            written; an error of the operating system, of which its cause is written; or another,
            of which its type is.
    """
    if isinstance(error, Problem) or isinstance(getattr(error, "problem", None), str):
        remedy = getattr(error, "remedy", "")
        return f"{error}. {remedy}" if remedy else str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _cut(text: str) -> str:
    """A text on one line, without signs that steer a terminal or that cannot be encoded."""
    line = "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))
    return line if len(line) <= MAX_CHARACTERS else f"{line[:MAX_CHARACTERS]}…"
