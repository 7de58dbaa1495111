"""Writes the tables `[plugins.allowed.NAME]` of `node.toml`, and leaves all else as it was written.

A person's comments and order are theirs, so the text is changed and not made again. What comes out
is read, and compared with what was meant, before anybody keeps it.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from folkmoot_node.settings.plugins import normal
from folkmoot_operator.problems import ExitCode, Problem

_HEADER = re.compile(r"^[ \t]*\[")
_TABLE = re.compile(
    r"""^[ \t]*\[[ \t]*plugins[ \t]*\.[ \t]*allowed[ \t]*\.[ \t]*["']?([\w.-]+?)["']?[ \t]*"""
    r"""(?:\.[ \t]*requires[ \t]*)?\][ \t]*(?:\#.*)?$"""
)


def with_table(text: str, distribution: str, table: str, where: str) -> str:
    """Settings in which a distribution has one table; one that it had is replaced.

    Args:
        text: The settings file.
        distribution: The distribution.
        table: The table with its header, as `folkmoot-plugin pin` prints it.
        where: The file, for errors.

    Raises:
        Problem: Exit code SETTINGS, if the table cannot be changed by a program.
    """
    cut = _without(text, distribution)
    meant = tomllib.loads(cut)
    meant.setdefault("plugins", {}).setdefault("allowed", {}).update(
        tomllib.loads(table)["plugins"]["allowed"]
    )
    return _checked(f"{cut.rstrip()}\n\n{table}", meant, distribution, where)


def without_table(text: str, distribution: str, where: str) -> str:
    """Settings in which a distribution has no table.

    Args:
        text: The settings file.
        distribution: The distribution.
        where: The file, for errors.

    Raises:
        Problem: Exit code SETTINGS, if the table cannot be taken out by a program.
    """
    meant = tomllib.loads(text)
    allowed = meant.get("plugins", {}).get("allowed", {})
    for name in [name for name in allowed if normal(name) == normal(distribution)]:
        del allowed[name]
    return _checked(_without(text, distribution), meant, distribution, where)


def _without(text: str, distribution: str) -> str:
    kept, skips = [], False
    for line in text.splitlines(keepends=True):
        if _HEADER.match(line):
            named = _TABLE.match(line.rstrip("\r\n"))
            skips = named is not None and normal(named[1]) == normal(distribution)
        if not skips:
            kept.append(line)
    return "".join(kept)


def _checked(text: str, meant: dict[str, Any], distribution: str, where: str) -> str:
    try:
        is_meant = _bare(tomllib.loads(text)) == _bare(meant)
    except tomllib.TOMLDecodeError:
        is_meant = False
    if not is_meant:
        raise Problem(
            f"what it says of {distribution} is written in a form that this command cannot change",
            where=f"{where}: plugins.allowed",
            remedy=f"Change the table [plugins.allowed.{distribution}] by hand",
            exit_code=ExitCode.SETTINGS,
        )
    return text


def _bare(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings without tables that say nothing: an empty header may go with its last table."""
    plugins = dict(settings.get("plugins", {}))
    if not plugins.get("allowed", True):
        del plugins["allowed"]
    others = {key: value for key, value in settings.items() if key != "plugins"}
    return {**others, "plugins": plugins} if plugins else others
