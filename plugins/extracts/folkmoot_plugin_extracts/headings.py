"""Finds the columns that a source knows in a file whose headings are written in another way."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from folkmoot_sdk import PluginError

_NOISE = re.compile(r"[^a-z0-9]+")


def plain(heading: str) -> str:
    """A heading in small letters and digits alone: `Recovery Stage` is `recoverystage`."""
    return _NOISE.sub("", heading.lower())


def matched(headings: Iterable[str], wanted: Mapping[str, Collection[str]]) -> dict[str, str]:
    """The heading of a file under which each wanted column stands.

    Args:
        headings: Of the file.
        wanted: By column of the source, other names that it goes by.

    Returns:
        By column of the source the heading of the file. No heading stands for two columns unless
        the source's own names are the same in plain letters.
    """
    known: dict[str, str] = {}
    for heading in headings:
        known.setdefault(plain(heading), heading)
    found = {column: known[plain(column)] for column in wanted if plain(column) in known}
    taken = set(found.values())
    for column, names in wanted.items():
        for name in names:
            other = known.get(plain(name))
            if column not in found and other is not None and other not in taken:
                found[column] = other
                taken.add(other)
    return found


def no_likeness(kind: str, file: str, why: str) -> PluginError:
    """What a source says of a file that is not of its kind."""
    return PluginError(
        file,
        f"does not look like what the kind {kind!r} reads: {why}",
        "Draft it with another --kind, or write the options by hand",
    )
