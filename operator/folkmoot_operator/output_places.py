"""Places in the file system that a person names: what is wrong with one is said, not crashed on."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import is_known, unusable

_ROOT = 0


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


def require_no_link(path: Path, option: str = "--out") -> None:
    """Checks that a file to be written is no link, and lies behind no other account's link.

    A link in a folder that several accounts use, such as /tmp, may have been laid so that what
    is written goes elsewhere, or over a file of whoever writes.

    Args:
        path: The file.
        option: Where it was named.

    Raises:
        Problem: Exit code USAGE, naming the link.
    """
    absolute = path.absolute()
    links = [one for one in (absolute, *absolute.parents) if _is_link(one)]
    for link in links:
        if link == absolute or link.lstat().st_uid not in (_ROOT, os.geteuid()):
            raise Problem(
                f"{link} is a link, and what is written would go elsewhere",
                where=option,
                remedy="Name the file itself, in a folder of your own",
                exit_code=ExitCode.USAGE,
            )


def require_safe_folder(path: Path, option: str = "--out") -> None:
    """Checks that not everybody can replace a file with personal data while it is written.

    Raises:
        Problem: Exit code USAGE, if the folder is open to all for writing without the sticky bit.
    """
    folder = path.absolute().parent
    mode = folder.stat().st_mode if folder.is_dir() else 0
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise Problem(
            f"every account can replace what lies in {folder}",
            where=option,
            remedy="Name a file in a folder of your own, or close this one: "
            f"{shlex.join(['chmod', 'o-w', str(folder)])}",
            exit_code=ExitCode.USAGE,
        )


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:  # a name that is too long, for one: writing will say so
        return False


def _require_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, "")
