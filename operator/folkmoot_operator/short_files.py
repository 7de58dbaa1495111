"""Reads files that are short by nature, such as keys, whatever lies in their place."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from folkmoot_operator.unusable_files import of_number

MAX_BYTES = 64 * 1024
"""A key, a password or a chain of certificates is shorter."""


def read_short_file(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a file; empty if it is longer than it may be.

    Args:
        path: The file.
        max_bytes: How long it may be.

    Raises:
        OSError: If it is missing, is no ordinary file (which might never end), or cannot be read.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise of_number(errno.EISDIR)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no ordinary file")
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    return content if len(content) <= max_bytes else b""
