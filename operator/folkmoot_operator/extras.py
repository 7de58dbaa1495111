"""How an extra of a distribution is installed, for remedies."""

from __future__ import annotations

import sys
from pathlib import Path

_INSTALLER = "install.sh"


def how_to_install(distribution: str, extra: str) -> str:
    """What installs an extra of one of our distributions where this program runs.

    In an installation made by a bundle's `install.sh` it is that script, which checks what it
    installs; elsewhere pip.

    Args:
        distribution: For example `folkmoot-node`.
        extra: For example `casework`.

    Returns:
        A command in backquotes.
    """
    installer = Path(sys.prefix).resolve().parent.parent / _INSTALLER
    if installer.is_file() and Path(sys.prefix).resolve().parent.name == "releases":
        return f"`sh {installer} upgrade --bundle FOLDER --with {extra}`"
    return f"`pip install '{distribution}[{extra}]'`"
