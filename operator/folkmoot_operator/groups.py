"""Groups of the operating system, by name."""

from __future__ import annotations

import grp
import os
import re

from folkmoot_operator.problems import ExitCode, Problem


def group_number(name: str, where: str) -> int:
    """The number of a group.

    Args:
        name: Its name, or its number where it has none.
        where: The setting that names it, for the message.

    Raises:
        Problem: Exit code SETTINGS, if there is no such group.
    """
    if re.fullmatch(r"[0-9]+", name):
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise Problem(
            f"there is no group {name!r} on this machine",
            where=where,
            remedy=f"As root: `groupadd --system {name}`; or correct the setting",
            exit_code=ExitCode.SETTINGS,
        ) from None


def is_member(group: int) -> bool:
    """Whether this process belongs to a group."""
    return group in {os.getegid(), *os.getgroups()}
