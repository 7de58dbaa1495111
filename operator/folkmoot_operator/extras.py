"""How an extra of a distribution is installed, for remedies."""

from __future__ import annotations

import sys
from pathlib import Path

_INSTALLER, _RECORD = "install.sh", "folkmoot-release"


def how_to_install(distribution: str, extra: str) -> str:
    """What installs an extra of one of our distributions where this program runs.

    In an installation made by a bundle's `install.sh` it is that script, which checks what it
    installs; elsewhere pip. The script installs those extras that it is told of, so that those
    which are there are named too.

    Args:
        distribution: For example `folkmoot-node`.
        extra: For example `casework`.

    Returns:
        A command in backquotes.
    """
    release = Path(sys.prefix).resolve()
    installer = release.parent.parent / _INSTALLER
    if installer.is_file() and release.parent.name == "releases":
        extras = " ".join(f"--with {one}" for one in sorted({*_installed(release), extra}))
        return f"`sh {installer} upgrade --bundle FOLDER {extras}`"
    return f"`pip install '{distribution}[{extra}]'`"


def _installed(release: Path) -> list[str]:
    """The extras that the installer has written down of a version."""
    try:
        lines = (release / _RECORD).read_text("utf-8").splitlines()
    except OSError:
        return []
    return [word for line in lines if line.startswith("extras=") for word in line[7:].split()]
