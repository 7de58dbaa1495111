"""Turns the error in an answer into the exception of the host's side."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot_kit.channel.words import HERE, LONGEST_LINE, LONGEST_NAME, Breach
from folkmoot_kit.hosting import answers, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.failure import FailureKind, PluginFailure
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.loading import Origin

_MOST_LINES = 10_000_000

_BREACHES = {
    Breach.NO_ARRAY: "`score` returned no NumPy array",
    Breach.WRONG_TYPE: "`score` returned an array that is not of float64",
    Breach.WRONG_SHAPE: "`score` returned an array of another shape than its inputs",
    Breach.OUT_OF_RANGE: "`score` returned a score outside 0 to 1",
    Breach.NO_TEXT: "gave something else where a text belongs",
    Breach.NO_SCHEMA: "`schema` is no folkmoot_sdk.Schema",
    Breach.NO_RECORDS: "`read` yielded something else than folkmoot_sdk.Records",
    Breach.NO_COLUMNS: "`read` yielded records without an Arrow C stream of columns",
    Breach.WRONG_ROWS: "`read` yielded row numbers that are not one whole number for each record",
    Breach.WRONG_UNREAD: "`read` named values as unread that have no place in their batch",
    Breach.WRONG_REJECTION: "handed something else than folkmoot_sdk.Rejection to `reject`",
    Breach.WRONG_COUNT: "called `leave_out` without a reason and a number of records",
    Breach.TOO_LARGE: "gave a longer text than is allowed",
}
_ON_HOUSEHOLDS = ("score", "explain")
"""Hooks in which no text of a plugin crosses: its process leaves them out, if it is sound."""
_TYPES = frozenset({
    "bool", "bytes", "complex128", "datetime64[D]", "dict", "float", "float16", "float32",
    "generator", "int", "int16", "int32", "int64", "int8", "list", "NoneType", "object", "str",
    "tuple", "uint8", "DataFrame", "Series", "Table", "RecordBatch",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a plugin.

    Attributes:
        origin: Distribution, version and entry point.
        hook: What was called.
        name: The factor or kind of source; may be empty.
        where: The place in a settings file from which its values come; may be empty.
        at: Place of the factor among several that were asked; None if it was asked alone.
    """

    origin: Origin
    hook: str
    name: str = ""
    where: str = ""
    at: int | None = None

    def failure(self, kind: FailureKind, problem: str, message: str = "") -> PluginFailure:
        """The failure of this call."""
        return PluginFailure(
            self.origin, self.hook, kind, problem, name=self.name, at=self.at, message=message
        )


def raised(
    body: Mapping[str, Any], asked: Sequence[Asked], folders: Sequence[Path], *, shows: bool
) -> PluginError | PluginFailure:
    """The exception that an answer of an error stands for.

    Args:
        body: The answer.
        asked: What was asked; several factors at once.
        folders: Where plugins are installed: a file outside them is not named.
        shows: Whether the text of an error may be shown.

    Raises:
        Garbage: If the answer is none.
    """
    at = answers.whole(body, "at", 0, len(asked) - 1)
    one = asked[at]
    error = answers.table(body.get("error"))
    kind = error.get("kind")
    if kind == "plugin_error":
        if one.hook in _ON_HOUSEHOLDS and not shows:
            raise Garbage("an error with a text, where it could quote a record")
        return _plugin_error(error, one)
    if kind == "breach":
        return one.failure(FailureKind.CONTRACT, _breach(error))
    if kind == "raised":
        message = texts.line(error.get("message", ""), LONGEST_LINE) if shows else ""
        problem = _raised(error, folders) + (f" ({message})" if message else "")
        memory = error.get("type") == MemoryError.__name__
        return one.failure(FailureKind.MEMORY if memory else FailureKind.RAISED, problem, message)
    raise Garbage("an unknown kind of error")


def _plugin_error(error: Mapping[str, Any], asked: Asked) -> PluginError:
    where = texts.line(error.get("where"), LONGEST_NAME)
    if where == HERE or where.startswith((f"{HERE}.", f"{HERE}[")):
        where = asked.where + where.removeprefix(HERE)
    return PluginError(
        where,
        texts.line(error.get("problem"), LONGEST_LINE),
        texts.line(error.get("remedy"), LONGEST_LINE),
        transient=error.get("transient") is True,
    )


def _breach(error: Mapping[str, Any]) -> str:
    try:
        breach = Breach(str(error.get("breach")))
    except ValueError:
        raise Garbage("an unknown kind of breach") from None
    found = error.get("found")
    # A name from a closed list: any other could quote a record.
    return _BREACHES[breach] + (f" ({found})" if found in _TYPES else "")


def _raised(error: Mapping[str, Any], folders: Sequence[Path]) -> str:
    name = str(error.get("type"))
    known = getattr(builtins, name, None)
    if not (isinstance(known, type) and issubclass(known, BaseException)):
        name = "an exception of its own" if name != PluginError.__name__ else name
    line = answers.whole(error, "line", 0, _MOST_LINES)
    file = error.get("file")
    if isinstance(file, str) and line and len(file) <= LONGEST_NAME and _is_code(file, folders):
        return f"raised {name} at {Path(file).name}:{line}"
    return f"raised {name}"


def _is_code(file: str, folders: Sequence[Path]) -> bool:
    """Whether a file of this name is installed: any other name could quote a record."""
    path = Path(file)
    if path.is_absolute() or ".." in path.parts or path.suffix != ".py" or "\0" in file:
        return False
    return any((folder / path).is_file() for folder in folders)
