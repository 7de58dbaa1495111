"""Private files: for one account alone, whole or not there at all, and sure once written.

A power cut leaves the old file or the new one. What was deleted or replaced does not come
back: the folder is synced as well as the file. Nobody else can read a file at any time, not
even before there is anything in it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

OWNER_ONLY = 0o600
"""Mode of private files."""
OWNER_ONLY_FOLDER = 0o700
"""Mode of folders that hold private files."""
GROUP_READS, GROUP_WRITES = 0o640, 0o660
"""Modes of files that a named group may read, or write as well."""
_ALL_READ = 0o644
"""Mode of files that are published."""
GROUP_ENTERS, GROUP_LISTS, GROUP_FILLS = 0o710, 0o2750, 0o2770
"""Modes of folders that a named group may pass through, list, or write to. What is made in the
last two belongs to the group."""
OTHERS = 0o077
"""What a mode lets other accounts do; as a umask, it makes all files private."""


_LONGEST_STEM = 200
"""Bytes of a name that the name of its unfinished file has; a file system takes 255."""
_callers_umask: int | None = None


def close_new_files() -> None:
    """Makes what this process creates from now on the account's alone, whatever its umask was."""
    global _callers_umask
    before = os.umask(OTHERS)
    if _callers_umask is None:
        _callers_umask = before


@contextmanager
def publishing() -> Iterator[None]:
    """Files made in the block are for those whom the umask of who began the program admits."""
    before = os.umask(OTHERS if _callers_umask is None else _callers_umask)
    try:
        yield
    finally:
        os.umask(before)


def write_private(path: Path, content: bytes, *, replace: bool, readers: int | None = None) -> None:
    """Writes a file; see `writing_private`.

    Args:
        path: The file, in a folder that exists.
        content: What is in it.
        replace: Whether a file that has this name already is replaced.
        readers: Number of a group that may read it; None for nobody.
    """
    with writing_private(path, replace=replace) as unfinished:
        unfinished.write_bytes(content)
        let_read(unfinished, readers)


@contextmanager
def writing_private(path: Path, *, replace: bool) -> Iterator[Path]:
    """Gives a private, empty file to write into, which becomes `path` at the end.

    After an error in the block nothing has changed.

    Args:
        path: The file, in a folder that exists.
        replace: Whether a file that has this name already is replaced.

    Raises:
        FileExistsError: If there is one, and it is not to be replaced; it stays as it is.
    """
    if not replace and os.path.lexists(path):
        raise FileExistsError(path)
    unfinished = path.with_name(f"{unfinished_stem(path)}{secrets.token_hex(4)}")
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    try:
        yield unfinished
        _sync(unfinished)
        if replace:
            _remove_second_names(path)
            unfinished.replace(path)
        else:
            path.hardlink_to(unfinished)  # fails if somebody was faster
            unfinished.unlink(missing_ok=True)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # Python does not say it of a write, such as to a full disk
        raise
    _sync(path.parent)


def write_shared(path: Path, content: bytes) -> None:
    """Replaces a file as `write_private` does, for the group of its folder too where that is meant.

    An administrator means it by giving the folder the set-group-ID bit and its group all of it
    (`chmod 2770`): two accounts then write the same file. Any other folder gets a private file.

    Args:
        path: The file, in a folder that exists.
        content: What it will hold.
    """
    with writing_private(path, replace=True) as unfinished:
        unfinished.write_bytes(content)
        mode = path.parent.stat().st_mode
        if mode & stat.S_ISGID and mode & (stat.S_IRWXG | stat.S_IRWXO) == stat.S_IRWXG:
            unfinished.chmod(GROUP_WRITES)


def write_published(path: Path, content: bytes) -> None:
    """Replaces a file as `write_private` does, and lets everybody read it: no link is followed.

    Args:
        path: The file, in a folder that exists.
        content: What it will hold.
    """
    with writing_private(path, replace=True) as unfinished:
        unfinished.write_bytes(content)
        unfinished.chmod(_ALL_READ)


def put_in_place(unfinished: Path, path: Path) -> None:
    """Gives a file that was written elsewhere in the same folder its name, durably.

    Args:
        unfinished: A file that is whole and closed.
        path: Its name from now on; a file of this name is replaced.
    """
    _sync(unfinished)
    unfinished.replace(path)
    _sync(path.parent)


def open_private(path: Path, *, append: bool) -> IO[bytes]:
    """Opens a file where it stands, for what grows or does not outlive the process.

    It is made if it is missing. A power cut may leave part of it.

    Args:
        path: The file, in a folder that exists.
        append: Whether to keep what is in it; otherwise it is emptied.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_APPEND if append else os.O_TRUNC)
    return os.fdopen(os.open(path, flags, OWNER_ONLY), "ab" if append else "wb")


def delete_private(path: Path) -> None:
    """Deletes a file, or a folder with all that is in it, so that it does not come back.

    What is not there is no error.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        _remove_second_names(path)
        try:
            path.unlink()
        except FileNotFoundError:
            return
    _sync(path.parent)


def make_private_folder(path: Path, *, tighten: bool = False) -> None:
    """Makes a folder that only its owner can enter, and those above it that are missing.

    Args:
        path: The folder.
        tighten: Whether a folder that exists already is closed to others; otherwise it
            stays as its administrator made it.
    """
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
        _sync(path.parent)
    if tighten:
        path.chmod(OWNER_ONLY_FOLDER)


def close_to_others(path: Path) -> None:
    """Closes to others a file that a library made by itself."""
    path.chmod(OWNER_ONLY)


def let_read(path: Path, readers: int | None) -> None:
    """Lets the members of one group read a file, and nobody else anything.

    Args:
        path: A file of this account.
        readers: Number of the group; None for nobody.

    Raises:
        PermissionError: If this account is not in the group, and the file is not the group's yet.
    """
    if readers is not None:
        share(path, readers, GROUP_READS)


def share(path: Path, group: int, mode: int) -> None:
    """Gives a file or folder to a group, with what its members may do.

    Args:
        path: What belongs to this account.
        group: Number of the group.
        mode: One of the modes of this module that begin with `GROUP_`.

    Raises:
        PermissionError: If this account may not do that.
    """
    if path.stat().st_gid != group:
        os.chown(path, -1, group)
    path.chmod(mode)


def share_within(folder: Path, path: Path, group: int, mode: int) -> None:
    """The same for what lies in a folder that the group fills already, and follows no link there.

    A member could lay one there, so that what this account gives away is something else of its
    own, such as its keys.

    Args:
        folder: The folder.
        path: What lies in it, or in a folder in it.
        group: Number of the group.
        mode: As `share`.

    Raises:
        PermissionError: If this account may not do that.
        OSError: If there is a link.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in path.relative_to(folder).parts:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            inner = os.open(name, flags, dir_fd=handle)
            os.close(handle)
            handle = inner
        if os.fstat(handle).st_gid != group:
            os.fchown(handle, -1, group)
        os.fchmod(handle, mode)
    finally:
        os.close(handle)


def is_open_to_others(path: Path, readers: int | None = None) -> bool:
    """Whether another account can read, change or enter a file or folder.

    Args:
        path: The file or folder.
        readers: Number of a group that may read a file, or enter and list a folder; None for
            nobody.

    Raises:
        OSError: If it is not there.
    """
    found = path.stat()
    permitted = 0
    if readers is not None and found.st_gid == readers:
        is_folder = stat.S_ISDIR(found.st_mode)
        permitted = stat.S_IRGRP | stat.S_IXGRP if is_folder else stat.S_IRGRP
    return bool(found.st_mode & OTHERS & ~permitted)


def unfinished_stem(path: Path) -> str:
    """How the name of a file begins while it is written; as long as a file system takes."""
    return f".{os.fsencode(path.name)[:_LONGEST_STEM].decode(errors='ignore')}."


def _remove_second_names(path: Path) -> None:
    """Removes other names of a file, which a crash in `writing_private` may have left."""
    try:
        known = path.lstat()
    except FileNotFoundError:
        return
    if known.st_nlink > 1 and stat.S_ISREG(known.st_mode):
        for one in path.parent.iterdir():
            if one.name.startswith(unfinished_stem(path)) and os.path.samestat(one.lstat(), known):
                one.unlink()


def _sync(path: Path) -> None:
    """Waits until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
