"""Says from which files a run's scores come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from folkmoot_node.run_summary import OriginFile


def fingerprint(origins: Sequence[str], base: Path) -> tuple[OriginFile, ...]:
    """Name and SHA-256 of each file that was read.

    Args:
        origins: As the source names what it read.
        base: Folder to which relative names refer.

    Returns:
        One entry for each origin; the digest of what is no file (a table) is empty.
    """
    return tuple(OriginFile(name=name, sha256=_sha256(base / name)) for name in origins)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
