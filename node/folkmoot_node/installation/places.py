"""Where the installed files lie, found without Python's own start, which runs what wheels leave.

Python's `site` runs the lines of `.pth` files and `sitecustomize`, whichever wheel brought them.
A process that adds noise must not have run them, so it finds the folders by itself. This module
imports Python's own library alone, for nothing else can be found before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

_OWN = Path(__file__).resolve().parents[2]
START = _OWN / "folkmoot_node" / "start.py"
"""The program that starts the node without Python's `site`."""
_RELEASES = "releases"
"""The folder in which the installer keeps each version in an environment of its own."""
_LOCK = ".sha256"


def environment() -> Path:
    """The environment of this interpreter, such as `/opt/folkmoot/releases/0.1.0`.

    It is started through the link `/opt/folkmoot/current`, which an upgrade moves: a process goes
    on with the version that it began with. The interpreter itself is a link that leads out of its
    environment, and is not followed.
    """
    return Path(os.path.abspath(sys.executable)).parent.parent.resolve()  # noqa: PTH100


def folders() -> tuple[Path, ...]:
    """The folders that hold installed packages, in the order of imports.

    Where the node is installed for development, its packages lie in the folders of their sources,
    which `.pth` files name. They are read for that, and not run; where it is installed from
    wheels, they are not read.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    names = dict.fromkeys(("lib", sys.platlibdir))
    found = [environment() / name / version / "site-packages" for name in names]
    found = [folder for folder in found if folder.is_dir()]
    if _OWN not in found:
        sources = (Path(line) for folder in found for line in _path_lines(folder))
        found += [folder for folder in dict.fromkeys(sources) if folder.is_dir()]
    return tuple(found)


def lock_path() -> Path:
    """The file in which root keeps what the council accepted of this environment."""
    from folkmoot_operator.root_files import DECISIONS, name_of  # late: found by `folders`

    return DECISIONS / "installations" / f"{name_of(environment())}{_LOCK}"


def accepted_versions() -> tuple[str, ...]:
    """Versions beside this one that root has accepted; where there are any, all have to be."""
    from folkmoot_operator.root_files import name_of  # late: found by `folders`

    beside = environment().parent
    if beside.name != _RELEASES:
        return ()
    start = name_of(beside / "x").removesuffix("x")
    files = lock_path().parent.glob(f"*{_LOCK}")
    names = (file.name.removesuffix(_LOCK) for file in files if file.name.startswith(start))
    return tuple(sorted(name.removeprefix(start) for name in names))


def isolated_command() -> tuple[str, ...]:
    """How the node is started so that no installed wheel runs before it."""
    python = environment() / "bin" / Path(sys.executable).name
    return (str(python), "-I", "-S", str(START))


def is_isolated() -> bool:
    """Whether this process was started so."""
    return bool(sys.flags.isolated and sys.flags.no_site)


def _path_lines(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.pth")):
        for line in file.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("/"):
                yield line.rstrip()
