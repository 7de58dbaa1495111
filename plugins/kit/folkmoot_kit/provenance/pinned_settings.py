"""Writes a pin into `node.toml`, and leaves all else in it as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from folkmoot_kit.provenance.pin import TABLE, Pin, as_toml
from folkmoot_operator.output_places import writing_to
from folkmoot_operator.private_files import writing_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import is_too_deep, read

_HEADER = re.compile(r"\s*\[")
_REMARK = re.compile(r"\s*(#.*)?")


def write_pin(path: Path, name: str, pin: Pin) -> None:
    """Writes a pin into a settings file, in the place of the one that it had.

    Args:
        path: `node.toml`.
        name: Normalised name of the distribution.
        pin: The pin.

    Raises:
        Problem: Exit code SETTINGS, if the file is not TOML, or writes its pins in a way that this
            cannot change; nothing was changed then.
        UnusableFile: If it cannot be written.
    """
    before = _text(path)
    after = with_pin(before, name, pin)
    if after is None:
        raise Problem(
            f"writes {TABLE} in a way that cannot be changed by itself",
            where=str(path),
            remedy="Put there what `folkmoot-plugin pin` prints without --write",
            exit_code=ExitCode.SETTINGS,
        )
    with writing_to(path), writing_private(path, replace=True) as unfinished:
        unfinished.write_text(after, encoding="utf-8")
        unfinished.chmod(path.stat().st_mode)


def with_pin(text: str, name: str, pin: Pin) -> str | None:
    """The text of a settings file with another pin; None if that cannot be done.

    Args:
        text: The file.
        name: Normalised name of the distribution.
        pin: The pin.
    """
    kept = "\n".join(_without(text, name)).rstrip("\n")
    after = f"{kept}\n\n{as_toml(name, pin)}" if kept else as_toml(name, pin)
    try:
        found, wanted = tomllib.loads(after), tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    pinned = tomllib.loads(as_toml(name, pin))["plugins"]["allowed"]
    if _allowed(found).pop(name, None) != pinned[name]:
        return None
    _allowed(wanted).pop(name, None)
    return after if _filled(found) == _filled(wanted) else None


def without_pin(text: str, name: str) -> str | None:
    """The text of a settings file without the pin of a plugin; None if that cannot be done.

    Args:
        text: The file.
        name: Name of the distribution, as it stands there.
    """
    after = "\n".join(_without(text, name)).rstrip("\n") + "\n"
    try:
        found, wanted = tomllib.loads(after), tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    _allowed(wanted).pop(name, None)
    return after if _filled(found) == _filled(wanted) else None


def _allowed(values: dict[str, Any]) -> dict[str, Any]:
    table = values.get("plugins", {})
    allowed = table.get("allowed", {}) if isinstance(table, dict) else {}
    return allowed if isinstance(allowed, dict) else {}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Without tables that have become empty or were made for a pin alone."""
    whole = dict(values)
    if isinstance(whole.get("plugins"), dict):
        whole["plugins"] = {key: held for key, held in whole["plugins"].items() if held != {}}
        if not whole["plugins"]:
            del whole["plugins"]
    return whole


def _without(text: str, name: str) -> list[str]:
    """The lines of a file but for the tables of a pin."""
    own = re.compile(rf'\s*\[\s*plugins\s*\.\s*allowed\s*\.\s*"?{re.escape(name)}"?\s*[\].]')
    lines: list[str] = []
    after: list[str] = []
    is_own = False
    for line in text.splitlines():
        if _HEADER.match(line):
            is_own = own.match(line) is not None
        if not is_own:
            lines += [*after, line]
            after = []
        elif _REMARK.fullmatch(line):
            after.append(line)  # if nothing of the pin follows, it is about what comes next
        else:
            after = []
    return lines + after


def _text(path: Path) -> str:
    try:
        text = read(path).decode("utf-8")
        if is_too_deep(text):
            raise ValueError("nested too deeply")
        tomllib.loads(text)
    except (ValueError, RecursionError):  # tomllib's error and that of UTF-8 are ValueErrors
        raise Problem(
            "is not valid TOML",
            where=str(path),
            remedy="Correct it first; `folkmoot-node doctor` names the line",
            exit_code=ExitCode.SETTINGS,
        ) from None
    return text
