"""Files that a person names to be written: not through a link that somebody else has laid."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem

_ROOT = 0


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
