"""Says from which files a run's scores come."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from folkmoot_node.store.extracts_read import FileRead
from folkmoot_node.store.source_summary import OriginFile
from folkmoot_sdk.source import SourceOptions


def folders_of(options: SourceOptions) -> tuple[Path, ...]:
    """Folders in which a source may find its files: its base, and those its options name."""
    values = (getattr(options, entry.name) for entry in dataclasses.fields(options))
    paths = (options.base / value for value in values if isinstance(value, Path))
    return tuple(dict.fromkeys(path for path in (options.base, *paths) if path.is_dir()))


def fingerprint(origins: Sequence[str], folders: Sequence[Path]) -> tuple[OriginFile, ...]:
    """Name and SHA-256 of each file that was read.

    Args:
        origins: As the source names what it read.
        folders: To which relative names may refer; the first that has the file counts.

    Returns:
        One entry for each origin; the digest of what is no file (a table) is empty.
    """
    return tuple(OriginFile(name=name, sha256=_sha256(name, folders)) for name in origins)


def files_read(
    origins: Sequence[OriginFile], folders: Sequence[Path], *, about_areas: bool
) -> Iterator[FileRead]:
    """The file of each origin that is one, found as `fingerprint` does.

    Args:
        origins: As `fingerprint` gave them.
        folders: As for `fingerprint`.
        about_areas: Whether the source is about areas.
    """
    for origin in origins:
        paths = (folder / origin.name for folder in folders)
        found = next((path for path in paths if origin.sha256 and path.is_file()), None)
        if found is not None:
            yield FileRead(found, origin.sha256, about_areas=about_areas)


def _sha256(name: str, folders: Sequence[Path]) -> str:
    for folder in folders:
        try:
            with (folder / name).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except (OSError, ValueError):
            continue
    return ""
