"""What a disk holds after a power cut: a model of a file system that keeps only what was synced.

POSIX promises little. What was written into a file is sure once the file was synced; which
names a folder has is sure once the folder was synced. Until then a file system may have put
any of it on the disk. The model looks at the two extremes, at each moment at which something
changed: names late (a change of names is lost until its folder is synced) and names early (it
is there at once). In both, what was not synced of a file is lost.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Files = dict[str, bytes]
"""Contents by path, relative to the folder that is watched."""

_CHANGING = ("link", "mkdir", "remove", "rename", "replace", "rmdir", "unlink")
_Names = dict[str, dict[str, int]]  # names and tokens in each folder
_ROOT = 0


@dataclass
class Disk:
    """What survives of a folder. Made by `watched`.

    Attributes:
        late: Files after a power cut at each moment, if names reach the disk when synced.
        early: The same, if names reach the disk at once.
        modes: Mode of each file and folder at each moment, by path.
    """

    folder: Path
    late: list[Files] = field(default_factory=list)
    early: list[Files] = field(default_factory=list)
    modes: list[dict[str, int]] = field(default_factory=list)
    _synced: dict[int, bytes] = field(default_factory=dict)
    _names: _Names = field(default_factory=dict)
    _durable: dict[int, dict[str, int]] = field(default_factory=dict)
    _token_of: dict[int, int] = field(default_factory=dict)
    _tokens: int = _ROOT
    _folders: set[int] = field(default_factory=set)

    @property
    def at_the_end(self) -> Files:
        """What is there for certain if the power fails now."""
        return self.late[-1]

    @property
    def ever(self) -> list[Files]:
        """What may be there if the power fails at any of the moments."""
        return self.late + self.early

    def begin(self) -> None:
        """All that is there now was synced long ago."""
        self._look()
        for path, names in self._names.items():
            self._durable[self._token(path)] = dict(names)
            for name in names:
                file = self.folder / path / name
                if file.is_file():
                    self._synced[names[name]] = file.read_bytes()

    def synced(self, descriptor: int) -> None:
        """Notes that a file or folder has reached the disk."""
        self._look()
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if not path.is_relative_to(self.folder):
            return
        token = self._token_of.get(os.fstat(descriptor).st_ino)
        if token is None:
            return
        if path.is_dir():
            relative = str(path.relative_to(self.folder))
            self._durable[token] = dict(self._names[relative])
        else:
            self._synced[token] = path.read_bytes()

    def note(self) -> None:
        """Adds what a power cut would leave now."""
        self._look()
        current = {self._token(path): names for path, names in self._names.items()}
        self.late.append(dict(self._files(self._durable)))
        self.early.append(dict(self._files(current)))
        self.modes.append(
            {
                str(path.relative_to(self.folder)): stat.S_IMODE(path.stat().st_mode)
                for path in self.folder.rglob("*")
            }
        )

    def _files(
        self, names: dict[int, dict[str, int]], folder: int = _ROOT, place: str = ""
    ) -> Iterator[tuple[str, bytes]]:
        for name, token in names.get(folder, {}).items():
            if token in self._folders:
                yield from self._files(names, token, f"{place}{name}/")
            else:
                yield f"{place}{name}", self._synced.get(token, b"")

    def _token(self, path: str) -> int:
        return _ROOT if path == "." else self._token_of[(self.folder / path).stat().st_ino]

    def _look(self) -> None:
        """Reads the names; a number of an inode that was given back may come again."""
        found: dict[int, Path] = {self.folder.stat().st_ino: self.folder}
        found |= {path.lstat().st_ino: path for path in self.folder.rglob("*")}
        kept = {number: token for number, token in self._token_of.items() if number in found}
        for number, path in found.items():
            if number not in kept:
                self._tokens += path != self.folder
                kept[number] = _ROOT if path == self.folder else self._tokens
                if path.is_dir():
                    self._folders.add(kept[number])
        self._token_of = kept
        self._names = {
            str(path.relative_to(self.folder)): {
                one.name: kept[one.lstat().st_ino] for one in path.iterdir()
            }
            for path in found.values()
            if path.is_dir()
        }


@contextmanager
def watched(folder: Path) -> Iterator[Disk]:
    """Follows what this process does to a folder by way of `os`, as pathlib and shutil do."""
    disk = Disk(folder.resolve())
    disk.begin()
    with pytest.MonkeyPatch.context() as patch:
        for name in _CHANGING:
            patch.setattr(os, name, _noting(disk, getattr(os, name)))
        for name in ("fsync", "fdatasync"):
            patch.setattr(os, name, _syncing(disk, getattr(os, name)))
        yield disk
    disk.note()


def _noting(disk: Disk, original: Any) -> Any:
    def call(*arguments: Any, **keywords: Any) -> Any:
        disk.note()
        result = original(*arguments, **keywords)
        disk.note()
        return result

    return call


def _syncing(disk: Disk, original: Any) -> Any:
    def call(descriptor: Any) -> None:
        disk.note()
        original(descriptor)
        disk.synced(descriptor if isinstance(descriptor, int) else descriptor.fileno())
        disk.note()

    return call
