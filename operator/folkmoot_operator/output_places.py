"""Places in the file system that a person names: what is wrong with one is said, not crashed on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot_operator.unusable_files import is_known, unusable


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turns what the file system says, while something is written there, into a problem.

    Raises:
        UnusableFile: If the place cannot be written to.
    """
    try:
        yield
    except OSError as error:
        if not is_known(error):
            raise
        raise unusable(error, path, "the place") from None


def require_folder(path: Path) -> None:
    """Makes a folder, unless it is there, before work begins whose results go there.

    Raises:
        UnusableFile: If it cannot be made, or not be written to.
    """
    with writing_to(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise OSError(errno.ENOTDIR, "") from None
        _require_writable(path)


def require_place_for_file(path: Path) -> None:
    """Checks that a file can be written, before work begins whose result it takes.

    Raises:
        UnusableFile: If it is a folder, or the folder in which it would lie is not there or
            cannot be written to.
    """
    with writing_to(path):
        if path.is_dir():
            raise OSError(errno.EISDIR, "")
        path.parent.stat()
        if not path.parent.is_dir():
            raise OSError(errno.ENOTDIR, "")
        _require_writable(path.parent)


def _require_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, "")
