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

START = Path(__file__).parents[1] / "start.py"
"""The program that starts the node without Python's `site`."""
_OWN = Path(__file__).parents[2]


def environment() -> Path:
    """The environment of this interpreter, such as `/opt/folkmoot`; links are kept as they are."""
    return Path(os.path.abspath(sys.executable)).parent.parent  # noqa: PTH100


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

    return DECISIONS / "installations" / f"{name_of(environment())}.sha256"


def isolated_command() -> tuple[str, ...]:
    """How the node is started so that no installed wheel runs before it."""
    return (sys.executable, "-I", "-S", str(START))


def is_isolated() -> bool:
    """Whether this process was started so."""
    return bool(sys.flags.isolated and sys.flags.no_site)


def _path_lines(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.pth")):
        for line in file.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("/"):
                yield line.rstrip()
