"""The list of installed files that the council accepted: SHA-256 of each, as `sha256sum` has it."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from folkmoot_node.installation.places import accepted_versions, environment, isolated_command
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.root_files import read_root_file

_CODE = (".py", ".pyc", ".so", ".pth")
_BETWEEN = "  "
_DIGEST = 64
_NAME = _DIGEST + len(_BETWEEN)
_CACHE = f"{os.sep}__pycache__{os.sep}"


@dataclass(frozen=True, slots=True)
class Differences:
    """How the installed files differ from those that were accepted; paths, sorted.

    Attributes:
        changed: Have another content.
        added: Code that was not there.
        missing: Are no longer there.
    """

    changed: tuple[str, ...]
    added: tuple[str, ...]
    missing: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.missing)

    def __str__(self) -> str:
        parts = (("changed", self.changed), ("added", self.added), ("missing", self.missing))
        return "; ".join(
            f"{len(paths)} {name}, such as {paths[0]}" for name, paths in parts if paths
        )


def is_code(path: str) -> bool:
    """Whether Python or the linker could run a file; copies that Python compiled are not meant."""
    name = path.rpartition(os.sep)[2]
    return _CACHE not in path and (name.endswith(_CODE) or ".so." in name)


def digest(path: str) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - thousands of them
        return hashlib.file_digest(file, "sha256").hexdigest()


def installed_files(folders: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of every file in folders of packages, hexadecimal, by path."""
    paths = sorted(set(_files(folders)))
    with ThreadPoolExecutor() as pool:
        return dict(zip(paths, pool.map(digest, paths, chunksize=256), strict=True))


def encode_lock(digests: Mapping[str, str]) -> bytes:
    """The text of a lock: `sha256sum --check` can read it, too.

    Raises:
        Problem: If a name has a line break in it.
    """
    for path in digests:
        if "\n" in path or "\\" in path:
            raise Problem(
                "the name of an installed file has a line break or a backslash in it",
                where=repr(path),
                remedy="Uninstall the package that brought it",
                exit_code=ExitCode.SETTINGS,
            )
    lines = (f"{value}{_BETWEEN}{path}\n" for path, value in sorted(digests.items()))
    return "".join(lines).encode("utf-8", "surrogateescape")


def read_lock(path: Path) -> dict[str, str] | None:
    """What was accepted: SHA-256, hexadecimal, by path; None if nothing was.

    Raises:
        Problem: If somebody else than root could have written it, or it is none.
    """
    content = read_root_file(path)
    if content is None:
        return None
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    if lines.pop() or any(line[_DIGEST:_NAME] != _BETWEEN for line in lines):
        raise Problem(
            "is no list of accepted files",
            where=str(path),
            remedy="As root: `folkmoot-node install accept`",
            exit_code=ExitCode.VERIFICATION,
        )
    return {line[_NAME:]: line[:_DIGEST] for line in lines}


def require_none_accepted() -> None:
    """Refuses to go on without a list where root has accepted another version beside this one.

    Raises:
        Problem: If root has.
    """
    others = accepted_versions()
    if others:
        raise Problem(
            f"nobody has accepted this version, and version {others[-1]} was accepted",
            where=str(environment()),
            remedy=f"As root: `{shlex.join(isolated_command())} install accept`",
            exit_code=ExitCode.VERIFICATION,
        )


def differences(accepted: Mapping[str, str], installed: Mapping[str, str]) -> Differences:
    """Compares what was accepted with what is installed."""
    both = accepted.keys() & installed.keys()
    return Differences(
        tuple(sorted(path for path in both if accepted[path] != installed[path])),
        tuple(sorted(filter(is_code, installed.keys() - accepted.keys()))),
        tuple(sorted(accepted.keys() - installed.keys())),
    )


def _files(folders: Iterable[Path]) -> Iterator[str]:
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)  # noqa: PTH118 - thousands of them
                if os.path.isfile(path):  # noqa: PTH113
                    yield path
