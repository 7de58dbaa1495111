"""Which files of the machine a confined process sees: Python, its libraries, what was granted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from folkmoot_kit.confinement.grants import Grants
from folkmoot_operator.problems import ExitCode, Problem

_PACKAGES = ("site-packages", "dist-packages")
_PROJECTS = ("pyproject.toml", "setup.py", "setup.cfg")
"""One of these lies in a folder that something was installed from for development, or above it."""
_LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32")
_OF_PYTHON = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
"""Where libraries are, and when clocks change; Python's own files come from its prefix."""
_OF_NETWORKS = (
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
    "/etc/services", "/etc/protocols",
    "/etc/ssl", "/etc/pki/tls", "/etc/pki/ca-trust", "/etc/ca-certificates",
    "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
)  # fmt: skip
"""What names and TLS need."""
_PRIVATE = ("/etc/ssl/private", "/etc/pki/tls/private")
"""Folders among them that hold keys: an empty one is seen in their place."""
_HIDDEN = ("/proc/self", "/sys/kernel", "/etc/passwd", "/var", "/home", "/root", "/run")


def import_folders() -> tuple[Path, ...]:
    """Where this interpreter imports distributions from: site-packages, and editable sources.

    An editable installation is found by the line in a `.pth` file of site-packages that names its
    folder. Lines of code in these files are not run. Any wheel can bring such a file, and every
    confined process sees these folders: so a line counts only if it names a project or its `src`,
    and never makes a home or the whole machine readable.
    """
    found: dict[Path, None] = {}
    for entry in map(Path, sys.path):
        if entry.name in _PACKAGES and entry.is_dir():
            found[entry.resolve()] = None
            for path_file in sorted(entry.glob("*.pth")):
                for line in path_file.read_text(encoding="utf-8", errors="replace").splitlines():
                    folder = Path(line.strip())
                    if folder.is_absolute() and folder.is_dir() and _holds_code(folder.resolve()):
                        found[folder.resolve()] = None
    return tuple(found)


def _holds_code(folder: Path) -> bool:
    """Whether something can have been installed from a folder, or wheels into it."""
    if folder.name in _PACKAGES:
        return True
    project = folder.parent if folder.name == "src" else folder
    return any((project / name).is_file() for name in _PROJECTS)


def interpreter() -> Path:
    """The program that is this Python, outside any virtual environment."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()


def seen_files(grants: Grants, imports: Sequence[Path]) -> tuple[Path, ...]:
    """Files and folders of the machine that a process may read, each at its own path.

    Args:
        grants: What it was granted.
        imports: Folders that it imports from.

    Raises:
        Problem: if one that was granted, or is imported from, does not exist.
    """
    required = (*imports, *grants.readable)
    for path in required:
        if not (path.is_file() or path.is_dir()):
            raise Problem(
                "a plugin was granted a file or folder that does not exist, or is neither",
                where=str(path),
                remedy="Correct the path, or take the grant away",
                exit_code=ExitCode.SETTINGS,
            )
    prefix = Path(sys.base_prefix).resolve()
    of_machine = [*_OF_PYTHON, *(_OF_NETWORKS if grants.network else ())]
    optional = [prefix / "lib", prefix / "lib64", *map(Path, of_machine)]
    libraries = [path for path in map(Path, _LIBRARIES) if path.is_dir() and not path.is_symlink()]
    return tuple(
        dict.fromkeys(
            [*libraries, *(path for path in optional if path.exists()), interpreter(), *required]
        )
    )


def library_links() -> tuple[tuple[str, str], ...]:
    """Links to folders of libraries: what each leads to, and its path (`usr/lib`, `/lib`)."""
    return tuple(
        (str(path.readlink()), str(path)) for path in map(Path, _LIBRARIES) if path.is_symlink()
    )


def covered_folders(seen: Iterable[Path]) -> tuple[Path, ...]:
    """Folders with keys among what is seen; an empty folder covers each."""
    folders = set(seen)
    return tuple(
        path for path in map(Path, _PRIVATE) if path.is_dir() and folders & set(path.parents)
    )


def hidden_paths(seen: Sequence[Path]) -> tuple[str, ...]:
    """Paths of the machine that exist, and that a process which sees these files must not see."""
    visible = {above for path in seen for above in (path, *path.parents)}
    return tuple(
        str(path)
        for path in map(Path, _HIDDEN)
        if os.path.lexists(path) and path not in visible and not set(path.parents) & set(seen)
    )
