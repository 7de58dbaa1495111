"""Words of TOML drafts: strings, names and patterns of file names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from folkmoot_plugin_extracts.dialect import Dialect, usual_delimiter
from folkmoot_plugin_extracts.file_kind import FileKind
from folkmoot_plugin_extracts.sample import Sample


def option_lines(path: Path, sample: Sample) -> Iterator[str]:
    """The options that say where a file and its successors are, and how they are written.

    Args:
        path: The file.
        sample: Its first rows.
    """
    yield f"folder = {quoted(str(path.parent))}"
    yield f"files = [{quoted(pattern_for(path))}]"
    if sample.kind is FileKind.TEXT:
        if sample.dialect.encoding != Dialect().encoding:
            yield f"encoding = {quoted(sample.dialect.encoding)}"
        if sample.dialect.delimiter != usual_delimiter(path.name):
            yield f"delimiter = {quoted(sample.dialect.delimiter)}"


def pattern_for(path: Path) -> str:
    """A pattern for this file and its successors."""
    words = re.match(r"[^0-9(]*[^0-9(\s._-]", path.name.split(".")[0])
    ending = ".csv.gz" if path.name.lower().endswith(".csv.gz") else path.suffix.lower()
    return f"{words[0]}*{ending}" if words else path.name


def slug(text: str) -> str:
    """A text as the name of a field or code: small letters, digits and underscores."""
    found = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60]
    return found if re.match(r"[a-z]", found) else f"code_{found}".rstrip("_")


def quoted(text: str) -> str:
    """A TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(s if s.isprintable() else f"\\U{ord(s):08x}" for s in escaped) + '"'


def joined(lines: Iterable[str]) -> str:
    """The text of a draft. A heading or file name in a comment never begins a line of its own."""
    plain = ("".join(s if s.isprintable() else "?" for s in line) for line in lines)
    return "\n".join(plain).rstrip("\n") + "\n"
