"""Landlock: a process gives up all files, ports and sockets but those that it was granted.

By system calls 444 to 446, without a binding: PyPI has none that is kept and complete. See
`landlock(7)` and linux/landlock.h. Standard library only.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterable

from folkmoot_kit.confinement.kernel import call

MINIMUM_ABI = 6
"""Linux 6.12: files (1), moves between folders (2), truncation (3), TCP (4), devices' ioctl (5),
abstract sockets and signals (6). On less, a process would do without one of them."""
MINIMUM_KERNEL = "6.12"

_ALL_FILE_RIGHTS = (1 << 16) - 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_EXECUTE, _IOCTL_DEV = 1 << 0, 1 << 15
_MAKE_CHAR, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = (
    1 << 6, 1 << 9, 1 << 10, 1 << 11, 1 << 12,
)  # fmt: skip
_READ_ONLY = _READ_FILE | _READ_DIR
_SCRATCH = _ALL_FILE_RIGHTS & ~(
    _EXECUTE | _IOCTL_DEV | _MAKE_CHAR | _MAKE_SOCK | _MAKE_FIFO | _MAKE_BLOCK | _MAKE_SYM
)
_OF_FILES = _EXECUTE | 1 << 1 | _READ_FILE | 1 << 14 | _IOCTL_DEV
"""Rights that a rule on a file can name; the others are for folders."""
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1

_VERSION_FLAG = 1 << 0
_RULE_PATH_BENEATH = 1


def abi() -> int:
    """Version of the kernel's Landlock; 0 where there is none."""
    try:
        return call("landlock_create_ruleset", None, 0, _VERSION_FLAG)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP):
            return 0
        raise


def restrict(
    readable: Iterable[str], writable: Iterable[str], devices: Iterable[str], *, network: bool
) -> None:
    """Restricts the calling thread, and all that it starts, until they end.

    Args:
        readable: Files and folders that may be read, with all below.
        writable: Folders in which files may be made, too.
        devices: Files that may be read and written.
        network: Whether TCP connections may be made. Ports are never listened on.

    Raises:
        OSError: if the kernel refuses it, or a path is missing.
    """
    ports = _BIND_TCP if network else _BIND_TCP | _CONNECT_TCP
    attributes = struct.pack("=QQQ", _ALL_FILE_RIGHTS, ports, _ABSTRACT_SOCKETS | _SIGNALS)
    rules = call("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        for path in readable:
            _grant(rules, path, _READ_ONLY)
        for path in writable:
            _grant(rules, path, _SCRATCH)
        for path in devices:
            _grant(rules, path, _READ_FILE | 1 << 1)
        call("landlock_restrict_self", rules, 0)
    finally:
        os.close(rules)


def _grant(rules: int, path: str, rights: int) -> None:
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(found).st_mode):
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights, found)  # packed, as the kernel has it
        call("landlock_add_rule", rules, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(found)
