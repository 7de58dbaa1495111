"""Whether what a confined process runs is the installation that the council has accepted.

A process of the node that was started isolated compares each file with the list of accepted files
before it runs it. A confined process has no such list, and imports by itself: so what it runs
before it has locked itself down, and the plugins, are compared here before it is started. What
comes after runs confined, and can add no noise and reach nothing, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from folkmoot_node.installation.accepted_imports import AcceptedFiles, accepted_files
from folkmoot_node.installation.lock import is_code

BEFORE_THE_LOCK = ("folkmoot-kit", "folkmoot-sdk", "numpy", "pluggy", "pyarrow")
"""Distributions of which a confined process runs code before it has locked itself down."""


def require_accepted(distributions: Iterable[str]) -> None:
    """Compares what confined processes will run, where this process imports only accepted files.

    Args:
        distributions: The plugins.

    Raises:
        Stop: Exit code VERIFICATION, naming the file that differs or is new.
    """
    files = accepted_files()
    if files is None:
        return
    for name in dict.fromkeys((*BEFORE_THE_LOCK, *distributions)):
        _compare(name, files)


def _compare(name: str, files: AcceptedFiles) -> None:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return
    for path in found.files or ():
        place = str(Path(str(found.locate_file(path))))
        # Compiled copies were left by whoever ran these first, and may not be known.
        if is_code(place) and files.covers(place):
            files.check(place)
