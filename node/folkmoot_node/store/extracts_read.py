"""Which files of the folder `extracts` a good run has read, and when the last one did.

A run is one that scored, or, of files that hold outcomes alone, a back-test.

Only these are ever deleted by rule, and only while they are, to the byte, what was read: a file
that no good run has read may be the only copy of something. The notes of them are files of the
node's account beside the store. They hold names, digests and days.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.private_files import write_private

_SCORED, _JUDGED = "extracts-read.json", "outcomes-read.json"


class _Read(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    last_read: datetime.date
    about_areas: bool = False


class _Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    files: dict[str, _Read] = {}


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that a good run has read.

    Attributes:
        path: The file.
        sha256: Digest of its content then, hexadecimal.
        about_areas: Whether it is about areas: it holds nothing about residents, and stays.
    """

    path: Path
    sha256: str
    about_areas: bool = False


def extracts_in(config: NodeConfig) -> tuple[Path, ...]:
    """All files of the folder `extracts`; those that a link brings in from elsewhere left out."""
    folder = config.extracts_folder
    within = folder.resolve()
    if not within.is_relative_to(config.home.resolve()):
        return ()
    return tuple(
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.resolve().is_relative_to(within)
    )


def note_read(config: NodeConfig, read: Iterable[FileRead], on: datetime.date) -> None:
    """Notes what a good run has read, and forgets files that are no longer there.

    Args:
        config: The node's settings.
        read: What it read; files elsewhere than in `extracts` are left to their owners.
        on: The day of the run.
    """
    _add(config, _SCORED, read, on)


def note_judged(config: NodeConfig, read: Iterable[FileRead], on: datetime.date) -> None:
    """Notes the files of outcomes alone that a back-test has read; else as `note_read`.

    It has a file of its own, since a back-test may end while another run scores.
    """
    _add(config, _JUDGED, read, on)


def _add(config: NodeConfig, note: str, read: Iterable[FileRead], on: datetime.date) -> None:
    there = {path.resolve(): _name(config, path) for path in extracts_in(config)}
    before = _noted(config, note)
    files = {name: before[name] for name in there.values() if name in before}
    for one in read:
        name = there.get(one.path.resolve())
        if name is not None and one.sha256:
            files[name] = _Read(sha256=one.sha256, last_read=on, about_areas=one.about_areas)
    if files or before:
        content = _Note(files=files).model_dump_json().encode()
        write_private(_place(config, note), content, replace=True)


def last_read(config: NodeConfig) -> dict[Path, datetime.date | None]:
    """When a good run last read each file of `extracts`; None where none has.

    Files about areas are left out. Nothing is opened: whether a file is still what was read,
    `is_as_read` says.
    """
    noted = _noted(config, _SCORED)
    found: dict[Path, datetime.date | None] = {}
    for path in extracts_in(config):
        read = noted.get(_name(config, path))
        if read is None or not read.about_areas:
            found[path] = read.last_read if read else None
    return found


def last_judged(config: NodeConfig) -> dict[Path, datetime.date]:
    """When a back-test last read each file of `extracts`; without what a good run of scoring has
    read as well. It may have read another file of that name.
    """
    noted, scored = _noted(config, _JUDGED), _noted(config, _SCORED)
    found = {}
    for path in extracts_in(config):
        name = _name(config, path)
        by_run, judged = scored.get(name), noted.get(name)
        if judged is not None and (by_run is None or by_run.sha256 != judged.sha256):
            found[path] = judged.last_read
    return found


def is_as_read(config: NodeConfig, path: Path, *, judged: bool = False) -> bool:
    """Whether a file of `extracts` is, to the byte, what was read there last.

    Args:
        config: The node's settings.
        path: The file.
        judged: Whether by a back-test, and not by a run that scored.
    """
    read = _noted(config, _JUDGED if judged else _SCORED).get(_name(config, path))
    if read is None or not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == read.sha256


def _noted(config: NodeConfig, note: str) -> Mapping[str, _Read]:
    try:
        return _Note.model_validate_json(_place(config, note).read_bytes()).files
    except (FileNotFoundError, ValidationError):
        return {}  # then nothing counts as read, and nothing is deleted


def _place(config: NodeConfig, note: str) -> Path:
    return config.store_path.with_name(note)


def _name(config: NodeConfig, path: Path) -> str:
    return path.relative_to(config.extracts_folder).as_posix()
