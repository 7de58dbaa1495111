"""Imports only what the council accepted: each file is compared with the lock before it runs.

What is hashed is what is run: the bytes of a module are read once. Only files that are imported
are read, so that a start takes a fraction of a second, while to hash everything takes ten. Python's
own library is not in the lock: like the interpreter, it is the operating system's.
"""

from __future__ import annotations

import hashlib
import importlib.machinery as machinery
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from folkmoot_node.installation.lock import digest
from folkmoot_operator.problems import ExitCode, Problem, Stop

_CODE = (".py", ".pyc")
_LIBRARIES = ".libs"
"""Wheels keep the libraries that `numpy` links to in `numpy.libs`."""


class AcceptedFiles:
    """What the lock says, and what is done about a file that differs."""

    def __init__(
        self, digests: Mapping[str, str], folders: Sequence[Path], lock: Path, own: Sequence[str]
    ) -> None:
        """Compares nothing yet.

        Args:
            digests: SHA-256 of the accepted files, hexadecimal, by path.
            folders: The folders that hold installed packages.
            lock: Where the lock lies, for messages.
            own: Folders of Python's own library.
        """
        self._digests = digests
        self._folders = tuple(f"{folder}{os.sep}" for folder in folders)
        self._lock = lock
        self._own = tuple(f"{folder}{os.sep}" for folder in own)
        self._looked_at: set[str] = set()

    def covers(self, path: str) -> bool:
        """Whether a file belongs to the installation; Python's own library does not."""
        if not path.startswith(self._folders + self._own):
            self.stop(path, "lies outside the installation")
        return path.startswith(self._folders)

    def is_known(self, path: str) -> bool:
        """Whether a file was there when the installation was accepted."""
        return path in self._digests

    def check(self, path: str) -> None:
        """Compares a file that something else is about to read, once."""
        if path not in self._looked_at:
            self._compare(path, digest(path))
            self._looked_at.add(path)

    def content(self, path: str) -> bytes:
        """The bytes of an accepted file."""
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Python's own way
            content = file.read()
        self._compare(path, hashlib.sha256(content).hexdigest())
        return content

    def _compare(self, path: str, found: str) -> None:
        known = self._digests.get(path)
        if known is None:
            self.stop(path, "is not in the installation that was accepted")
        if known != found:
            self.stop(path, "differs from the installation that was accepted")

    def stop(self, path: str, problem: str) -> NoReturn:
        """Ends the command.

        Raises:
            Stop: Always; no module may take this for a library that is not installed.
        """
        raise Stop(
            Problem(
                problem,
                where=path,
                remedy="Find out who changed it; `folkmoot-node install verify` compares "
                "everything. If it is right, as root: `folkmoot-node install accept`, which "
                f"writes {self._lock}",
                exit_code=ExitCode.VERIFICATION,
            )
        )


class _Source(machinery.SourceFileLoader):
    """Loads a module from its source, or from a compiled copy that was accepted."""

    def __init__(self, name: str, path: str, files: AcceptedFiles) -> None:
        super().__init__(name, path)
        self._files = files

    def get_data(self, path: str) -> bytes:
        if not path.endswith(_CODE):
            return super().get_data(path)
        if path.endswith(".pyc") and not self._files.is_known(path):
            raise FileNotFoundError(path)  # Python then compiles the source
        return self._files.content(path)


class _Compiled(machinery.SourcelessFileLoader):
    """Loads a module of which there is a compiled copy alone."""

    def __init__(self, name: str, path: str, files: AcceptedFiles) -> None:
        super().__init__(name, path)
        self._files = files

    def get_data(self, path: str) -> bytes:
        return self._files.content(path)


class _Finder(MetaPathFinder):
    """Finds modules as Python does, and has each compared."""

    def __init__(self, files: AcceptedFiles) -> None:
        self._files = files

    @property
    def files(self) -> AcceptedFiles:
        return self._files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> machinery.ModuleSpec | None:
        spec = machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None or not self._files.covers(spec.origin):
            return spec
        kind = type(spec.loader)
        if kind is machinery.SourceFileLoader:
            spec.loader = _Source(fullname, spec.origin, self._files)
        elif kind is machinery.SourcelessFileLoader:
            spec.loader = _Compiled(fullname, spec.origin, self._files)
        elif kind is machinery.ExtensionFileLoader:
            self._check_native(spec.origin)
        else:
            self._files.stop(spec.origin, f"is loaded by {kind.__name__}, which cannot be compared")
        return spec

    def find_distributions(self, *context: Any) -> Any:
        return machinery.PathFinder.find_distributions(*context)

    def invalidate_caches(self) -> None:
        machinery.PathFinder.invalidate_caches()

    def _check_native(self, path: str) -> None:
        self._files.check(path)
        for folder in Path(path).parents:
            libraries = folder.with_name(folder.name + _LIBRARIES)
            if libraries.is_dir():
                for library in sorted(libraries.iterdir()):
                    self._files.check(str(library))
            if folder.name == "site-packages":
                return


def accepted_files() -> AcceptedFiles | None:
    """What this process imports only; None if it imports whatever is installed."""
    for finder in sys.meta_path:
        if isinstance(finder, _Finder):
            return finder.files
    return None


def import_only(files: AcceptedFiles) -> None:
    """From now on nothing is imported but accepted files; what was imported is compared now."""
    for module in list(sys.modules.values()):
        for path in (getattr(module, "__file__", None), getattr(module, "__cached__", None)):
            if path and files.covers(path) and (files.is_known(path) or path == module.__file__):
                files.check(path)
    sys.dont_write_bytecode = True
    sys.meta_path[:] = [
        _Finder(files) if finder is machinery.PathFinder else finder for finder in sys.meta_path
    ]

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "ctypes.dlopen":
            name = os.fspath(arguments[0]) if arguments[0] else ""
            if isinstance(name, str) and name.startswith(os.sep) and os.path.exists(name):  # noqa: PTH110
                name = os.path.abspath(name)  # noqa: PTH100
                if files.covers(name):
                    files.check(name)

    sys.addaudithook(note)
