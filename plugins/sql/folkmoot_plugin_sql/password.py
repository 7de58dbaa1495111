"""The password of a database account: from a file, or from the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from folkmoot_sdk import PluginError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def password(file: Path | None, variable: str) -> str:
    """The password, or nothing if neither is given.

    Args:
        file: Holds the password and no more; nobody but its owner may read it.
        variable: Name of an environment variable.

    Raises:
        PluginError: If it is not there, or others can read the file. Never shows what is there.
    """
    if file is not None:
        return _from_file(file)
    if not variable:
        return ""
    value = os.environ.get(variable, "")
    if not value:
        raise PluginError(
            f"environment variable {variable}",
            "is not set, so there is no password",
            "Set it for this process, or use `password_file`",
        )
    return value


def _from_file(file: Path) -> str:
    where = str(file)
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            raw = opened.read()
    except OSError as error:
        raise PluginError(
            where, f"cannot be read ({error.strerror})", "Check the option `password_file`"
        ) from None
    if mode & _OTHERS:
        raise PluginError(
            where,
            f"can be read by others (mode {stat.S_IMODE(mode):04o})",
            f"chmod 600 {file}, and change the password if others have an account here",
        )
    try:
        value = raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        value = ""
    if not value or "\n" in value or "\0" in value:
        raise PluginError(
            where, "does not hold a password in one line of UTF-8", "Write it there, and no more"
        )
    return value
