"""Recognises a gazetteer, and the directories beside it that say in which areas its homes are."""

from __future__ import annotations

from pathlib import Path

from folkmoot_plugin_extracts.draft_text import joined, pattern_for, quoted
from folkmoot_plugin_extracts.headings import no_likeness
from folkmoot_plugin_gazetteer.directory import POSTCODE_NAMES, UPRN_NAMES
from folkmoot_sdk import PluginError

_LSOA = "lsoa21"
_LONGEST = 65_536


def draft(path: Path) -> str:
    """The options of a source that reads a gazetteer in DTF 7.3, as TOML.

    Directories (ONS UPRN Directory, ONSPD) in the same folder are named too.

    Args:
        path: The file.

    Raises:
        PluginError: If it is no gazetteer, or cannot be read.
    """
    header = [part.strip('" ') for part in _first_line(path).split(",")]
    if header[0] != "10" or "7.3" not in header:
        raise no_likeness("gazetteer", str(path), "its first line is no DTF 7.3 header")
    folder = quoted(str(path.parent))
    lines = [
        f"# Drafted from {path.name}. It says which properties are homes.",
        f"folder = {folder}",
        f"files = [{quoted(pattern_for(path))}]",
    ]
    found = _directories(path)
    if not found:
        lines.append("# QUESTION: where is the ONS UPRN Directory? Without it no LSOA is known")
    for table, file in found.items():
        lines += ["", f"[{table}]", f"folder = {folder}", f"files = [{quoted(file.name)}]"]
    return joined(lines)


def _directories(path: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    try:
        beside = sorted(path.parent.iterdir())
    except PermissionError:  # where a plugin is confined, it may be let see this file alone
        return found
    for file in beside:
        if file == path or file.suffix.lower() != ".csv" or not file.is_file():
            continue
        try:
            names = [name.strip('" ').lower() for name in _first_line(file).split(",")]
        except PluginError:
            continue
        if not any(name.startswith(_LSOA) for name in names):
            continue
        if any(name in UPRN_NAMES for name in names):
            found.setdefault("uprn_directory", file)
        elif any(name in POSTCODE_NAMES for name in names):
            found.setdefault("postcode_directory", file)
    return found


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.readline(_LONGEST).decode("utf-8-sig", "replace").strip()
    except OSError as error:
        raise PluginError(
            str(path), f"cannot be read ({error.strerror})", "Check the path and permissions"
        ) from None
