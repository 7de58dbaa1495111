"""Settings files: TOML, validated by pydantic, unknown keys refused by name."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from folkmoot_operator.problems import ExitCode, Problem

_DEEP_KEY = re.compile(r"""(?<![\w"'.-])(?<!\. )(?>[\w"'-]++[ \t]*+\.[ \t]*+){200}""")
"""A dotted key that tomllib would take minutes over: its time grows with the square of the dots."""


class Settings(BaseModel):
    """Base of every settings table: frozen, strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


S = TypeVar("S", bound=Settings)


def require_text(folder: Path) -> None:
    """Checks that a folder's path is text: databases and histories keep paths as text.

    Raises:
        Problem: Exit code SETTINGS, if it has bytes that are not UTF-8.
    """
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise Problem(
            "the folder's path is not UTF-8 text",
            where=ascii(str(folder)),
            remedy="Rename the folder, or move its content to another",
            exit_code=ExitCode.SETTINGS,
        ) from None


def load(model: type[S], path: Path) -> S:
    """Reads and validates a settings file.

    Raises:
        Problem: Exit code SETTINGS. Every wrong key is listed, an unknown one with the
            nearest valid key.
    """
    return parse(model, read(path), str(path))


def read(path: Path) -> bytes:
    """The bytes of a settings file, for those who also digest or sign them.

    Raises:
        Problem: Exit code SETTINGS, if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise Problem(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy="Check the path and the permissions",
            exit_code=ExitCode.SETTINGS,
        ) from None


def is_too_deep(text: str) -> bool:
    """True of TOML with a key of hundreds of dots, which tomllib would take minutes over."""
    return _DEEP_KEY.search(text) is not None


def parse(model: type[S], text: bytes, where: str) -> S:
    """Validates the bytes of a settings file; see `load`."""
    try:
        decoded = text.decode("utf-8-sig")
        if is_too_deep(decoded):
            raise RecursionError
        values = tomllib.loads(decoded)
    except UnicodeDecodeError as error:
        raise Problem(
            f"is not UTF-8 text (byte {error.start})",
            where=where,
            remedy="Save the file as UTF-8",
            exit_code=ExitCode.SETTINGS,
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise Problem(
            f"is not valid TOML: {error}",
            where=where,
            remedy="Correct the line named",
            exit_code=ExitCode.SETTINGS,
        ) from None
    except RecursionError:
        raise Problem(
            "is nested too deeply",
            where=where,
            remedy="Write it as the samples are, with tables in tables at most",
            exit_code=ExitCode.SETTINGS,
        ) from None
    return check(model, values, where)


def check(
    model: type[S],
    values: Mapping[str, Any],
    where: str,
    table: str = "",
    also: Iterable[str] = (),
) -> S:
    """Validates a table that was read already.

    Args:
        model: What it should be.
        values: Its keys.
        where: The file.
        table: Its name in the file, if it is not the whole of it.
        also: Keys of the same table that somebody else reads, for hints.

    Raises:
        Problem: Exit code SETTINGS; see `load`.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        before = f"{table}." if table else ""
        details = [dict(detail) for detail in error.errors()]
        faults = [
            f"{before}{_fault(model, detail, also)}"
            for detail in details
            if not _follows(detail, details)
        ]
        raise Problem(
            "\n".join(faults),
            where=where,
            remedy="Correct the keys named; nothing was changed",
            exit_code=ExitCode.SETTINGS,
        ) from None


def toml_text(text: str) -> str:
    """A text as TOML writes it, in quotation marks."""
    # TOML has no surrogates, by which JSON writes some characters in ASCII, and no bare DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """The valid word nearest to `word`, or None if none is near."""
    close = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.5)
    return close[0] if close else None


def _follows(detail: Mapping[str, Any], details: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a list is short only since entries of it are wrong, which are named themselves."""
    at = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(at) and other["loc"][: len(at)] == at for other in details
    )


_IN_TOML = {
    "tuple_type": "a list", "list_type": "a list", "set_type": "a list",
    "frozen_set_type": "a list", "dict_type": "a table", "model_type": "a table",
    "mapping_type": "a table", "model_attributes_type": "a table", "string_type": "text in quotes",
    "bool_type": "true or false",
}  # fmt: skip
"""What a value should be, by pydantic's name of the fault: people write TOML, and not Python."""


def _fault(model: type[BaseModel], detail: dict[str, Any], also: Iterable[str] = ()) -> str:
    location: tuple[str | int, ...] = detail["loc"]
    key = _dotted(location)
    if detail["type"] == "extra_forbidden":
        valid = sorted(_keys_at(model, location[:-1]).union(also if len(location) == 1 else ()))
        near = nearest(str(location[-1]), valid)
        hint = f"did you mean {near!r}? " if near else ""
        return f"{key} is an unknown key; {hint}valid keys: {', '.join(valid)}"
    if detail["type"] == "missing":
        return f"{key} is missing"
    if detail["type"] == "string_pattern_mismatch":
        return f"{key}: {detail['input']!r} does not have the form {detail['ctx']['pattern']}"
    if detail["type"] == "too_short":
        return f"{key}: give at least {detail['ctx']['min_length']}"
    if detail["type"] == "string_too_short" and not str(detail["input"]).strip():
        return f"{key} is empty"
    if detail["type"] == "too_long":
        return f"{key}: give at most {detail['ctx']['max_length']}"
    wanted = _IN_TOML.get(detail["type"])
    if wanted is not None and key:
        return f"{key}: should be {wanted}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    # Without a key the fault is in how several keys go together, and names them itself.
    return f"{key}: {message[:1].lower()}{message[1:]}" if key else message


def _dotted(location: Iterable[str | int]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _keys_at(model: type[BaseModel], location: Iterable[str | int]) -> set[str]:
    """Valid keys of the table at `location`."""
    here: Any = model
    for part in location:
        if isinstance(here, type) and issubclass(here, BaseModel):
            by_key = {field.alias or name: field for name, field in here.model_fields.items()}
            here = by_key[str(part)].annotation if str(part) in by_key else None
        else:
            arguments = typing.get_args(here)
            here = arguments[-1] if typing.get_origin(here) is dict else (arguments or (None,))[0]
        here = _without_none(here)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return {field.alias or name for name, field in here.model_fields.items()}
    return set()


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(a for a in typing.get_args(hint) if a is not type(None))
    return hint
