"""Places in the file system that a person names: what is wrong with one is said, not crashed on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_PLACE = {
    errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip


def problem_of_place(path: str | os.PathLike[str], error: OSError) -> Problem | None:
    """What an error of the file system says of a place; None if it is about something else.

    Args:
        path: The place, as the person knows it.
        error: What the operating system said.
    """
    if error.errno in _FULL:
        remedy, code = "Make room on that disk, and run the command again", ExitCode.UNREACHABLE
    elif error.errno in _FORBIDDEN:
        remedy = "Check who owns it, its permissions, and whether the disk can be written to"
        code = ExitCode.SETTINGS
    elif error.errno in _NO_PLACE:
        remedy, code = "Check the path: it names no place that can be used", ExitCode.SETTINGS
    else:
        return None
    return Problem(
        f"cannot be used ({os.strerror(error.errno or 0)})",
        where=os.fspath(path),
        remedy=remedy,
        exit_code=code,
    )


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turns what the file system says, while something is written there, into a problem.

    Raises:
        Problem: If the place cannot be written to.
    """
    try:
        yield
    except OSError as error:
        problem = problem_of_place(path, error)
        if problem is None:
            raise
        raise problem from None


def require_folder(path: Path) -> None:
    """Makes a folder, unless it is there, before work begins whose results go there.

    Raises:
        Problem: If it cannot be made, or not be written to.
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
        Problem: If it is a folder, or the folder in which it would lie is not there or cannot be
            written to.
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
