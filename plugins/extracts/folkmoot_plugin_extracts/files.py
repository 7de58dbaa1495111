"""Finds the files of a data set."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from folkmoot_sdk import PluginError

TEXT_ENDINGS = (".csv", ".csv.gz", ".tsv", ".txt", ".tab")
ENDINGS = (*TEXT_ENDINGS, ".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_MAX_NAMED = 5
_WILD = re.compile(r"[*?\[]")
_BRACKETED = re.compile(r"(\[[^\]]*\])")


def find_files(
    folder: Path,
    patterns: Sequence[str],
    endings: Sequence[str] = ENDINGS,
    data_set: str = "",
    *,
    copies: bool = False,
) -> list[Path]:
    """The files in a folder that match patterns, in order of their names, each once.

    Capitals and small letters are the same in patterns and endings, as they are on Windows,
    where exports come from.

    Args:
        folder: Where they are.
        patterns: Patterns relative to the folder; each must match a file.
        endings: How their names may end.
        data_set: Name of the data set, for messages.
        copies: True if two files may have the same content, because not all will be read.

    Raises:
        PluginError: If the folder is missing, a pattern matches nothing, a file ends otherwise, or
            two files have the same content.
    """
    of = f" of {data_set}" if data_set else ""
    if not folder.is_dir():
        raise PluginError(
            str(folder),
            f"is not a folder, so that no file{of} can be read",
            "Make it, or correct the option `folder`",
        )
    found: set[Path] = set()
    for pattern in patterns:
        matched = _matching(folder, pattern)
        if not matched:
            raise PluginError(
                f"{folder}/{pattern}",
                f"matches no file{of}",
                f"Put the extract there, or correct `files`. {_names_like(folder, pattern)}",
            )
        found |= matched
    for path in found:
        if not path.name.lower().endswith(tuple(endings)):
            shown = f"{', '.join(endings[:-1])} nor {endings[-1]}"
            raise PluginError(str(path), f"is neither {shown}", "Correct `files`")
    chosen = sorted(found)
    if not copies:
        check_copies(chosen)
    return chosen


def _matching(folder: Path, pattern: str) -> set[Path]:
    # A folder that is named as it is need not be looked for: the one above may not be listed.
    first, _, rest = pattern.partition("/")
    while first and rest and not _WILD.search(first) and (folder / first).is_dir():
        folder, pattern = folder / first, rest
        first, _, rest = pattern.partition("/")
    try:
        return {path for path in folder.glob(_any_case(pattern)) if path.is_file()}
    except (ValueError, NotImplementedError):
        raise PluginError(
            f"{folder}/{pattern}",
            "is not a pattern relative to the folder",
            "Write it as in council_tax*.csv",
        ) from None


def _any_case(pattern: str) -> str:
    """The pattern with both cases of each letter; what stands in brackets stays."""
    parts = _BRACKETED.split(pattern)
    parts[::2] = [
        re.sub(r"[A-Za-z]", lambda letter: f"[{letter[0].lower()}{letter[0].upper()}]", part)
        for part in parts[::2]
    ]
    return "".join(parts)


def _names_like(folder: Path, pattern: str) -> str:
    """The files of a folder whose names are nearest to a pattern."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    if not names:
        return "The folder holds no file"
    lower = {name.lower(): name for name in names}
    wanted = re.sub(r"[*?\[\]]", "", pattern.lower())
    near = [lower[name] for name in difflib.get_close_matches(wanted, lower, _MAX_NAMED, 0.6)]
    if near:
        return f"Names like it in the folder: {', '.join(near)}"
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"The folder holds {', '.join(names[:_MAX_NAMED])}{more}"


def check_copies(paths: Sequence[Path]) -> None:
    """Refuses the same file twice: each of its records would count twice.

    Raises:
        PluginError: Naming both.
    """
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        by_size[path.stat().st_size].append(path)
    for size, alike in by_size.items():
        seen: dict[bytes, Path] = {}
        for path in alike if size and len(alike) > 1 else ():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "blake2b").digest()
            first = seen.setdefault(digest, path)
            if first != path:
                raise PluginError(
                    f"{first} and {path.name}",
                    "are the same file twice, byte for byte: each record would count twice",
                    "Move one of them out of the folder",
                )
