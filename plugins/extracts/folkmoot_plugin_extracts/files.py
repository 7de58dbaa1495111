"""Finds the files of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from folkmoot_sdk import PluginError

ENDINGS = (".csv", ".csv.gz", ".parquet")


def find_files(
    folder: Path, patterns: Sequence[str], endings: Sequence[str] = ENDINGS
) -> list[Path]:
    """The files in a folder that match patterns, in order of their names, each once.

    Args:
        folder: Where they are.
        patterns: Patterns relative to the folder; each must match a file.
        endings: How their names may end.

    Raises:
        PluginError: If the folder is missing, a pattern matches nothing, or a file ends otherwise.
    """
    if not folder.is_dir():
        raise PluginError(str(folder), "is not a folder", "Make it, or correct the option `folder`")
    found: set[Path] = set()
    for pattern in patterns:
        try:
            matched = {path for path in folder.glob(pattern) if path.is_file()}
        except (ValueError, NotImplementedError):
            raise PluginError(
                f"{folder}/{pattern}",
                "is not a pattern relative to the folder",
                "Write it as in council_tax*.csv",
            ) from None
        if not matched:
            raise PluginError(
                f"{folder}/{pattern}",
                "matches no file",
                "Put the extract there, or correct `files`",
            )
        found |= matched
    for path in found:
        if not path.name.endswith(tuple(endings)):
            shown = f"{', '.join(endings[:-1])} nor {endings[-1]}"
            raise PluginError(str(path), f"is neither {shown}", "Correct `files`")
    return sorted(found)
