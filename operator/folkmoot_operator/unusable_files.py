"""Files that cannot be used now: what the operating system says is in the way, and what helps.

Such a file is not damaged, as far as anybody knows. Who takes it for damaged restores a backup,
and with it goes back in time; so the real cause is named, and found where a library keeps it to
itself. Nothing here opens the file: to close it again would give up the locks that a database
of this process holds on it.
"""

from __future__ import annotations

import errno
import os
import pwd
import resource
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from folkmoot_operator.problems import ExitCode, Problem

_OPENED = 6
"""Files that a database opens beside its own."""
_FULL_BELOW = 64 * 1024
"""Free bytes below which a disk is as good as full for a database."""


class UnusableFile(Problem):
    """A file that cannot be used now, for a cause outside the file."""


Kind = TypeVar("Kind", bound=UnusableFile)


@dataclass(frozen=True, slots=True)
class _Cause:
    """What a number of the operating system means.

    Attributes:
        what: What is in the way.
        remedy: What helps.
        passes: Whether it may help to wait and try again.
    """

    what: str
    remedy: str
    passes: bool


_ROOM = "Make room on the disk that holds it, and run the command again. Nothing is damaged"
_FULL = _Cause("the disk is full", _ROOM, passes=True)
_ABSENT = _Cause(
    "it is not there", "Check the path, and that the disk or share is mounted", passes=False
)
_SHARE = _Cause(
    "the disk or share does not answer",
    "Check that it is mounted and reached. Nothing is known to be damaged",
    passes=True,
)
_HANDLES = _Cause(
    "too many files are open",
    "Raise the limit of open files (LimitNOFILE= of the service, `ulimit -n` of a shell)",
    passes=True,
)
_LINKS = _Cause("links lead in a circle", "Correct the links on its path", passes=False)

_CAUSES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _Cause(
        "this account's share of the disk is used up",
        "Make room, or raise the account's quota. Nothing is damaged",
        passes=True,
    ),
    errno.EFBIG: _Cause(
        "files may not grow any more",
        "Raise the limit of file sizes (LimitFSIZE= of the service, `ulimit -f` of a shell), or "
        "use a file system for larger files",
        passes=False,
    ),
    errno.EROFS: _Cause(
        "its disk is mounted read-only",
        "Mount it for writing. If Linux has done this by itself, the disk has faults: look at "
        "the kernel's log",
        passes=False,
    ),
    errno.EMFILE: _HANDLES,
    errno.ENFILE: _HANDLES,
    errno.ENOENT: _ABSENT,
    errno.ENOTDIR: _ABSENT,
    errno.EISDIR: _Cause(
        "it is a folder, and not a file", "Move the folder away, and put the file there",
        passes=False,
    ),
    errno.ELOOP: _LINKS,
    errno.EEXIST: _Cause(
        "something else has its name", "Choose another name, or move away what has it", passes=False
    ),
    errno.ENAMETOOLONG: _Cause(
        "its name is too long", "Choose a folder with a shorter path", passes=False
    ),
    errno.EIO: _Cause(
        "the disk reports an error",
        "Look at the kernel's log, and at the disk or share",
        passes=True,
    ),
    errno.ENOMEM: _Cause("memory is short", "End other programs, or add memory", passes=True),
    errno.ESTALE: _SHARE,
    errno.ETIMEDOUT: _SHARE,
    errno.ENODEV: _SHARE,
    errno.ENXIO: _SHARE,
    errno.ENOTCONN: _SHARE,
    errno.EHOSTDOWN: _SHARE,
    errno.ENOLCK: _Cause(
        "its disk cannot lock files now",
        "Keep it on a local disk, or start the share's service of locks",
        passes=True,
    ),
    errno.EAGAIN: _Cause("it is in use", "Try again when the other process has ended", passes=True),
    errno.EBUSY: _Cause("it is in use", "Try again when the other process has ended", passes=True),
}  # fmt: skip
_PERMISSIONS = {errno.EACCES, errno.EPERM}
_OF_WRITING = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE,
}  # fmt: skip
"""Those that say what is wrong even where Python does not know the file: sockets have none."""


def is_known(error: OSError) -> bool:
    """Whether the cause of an error is one that an operator can do something about."""
    return error.errno in _CAUSES or error.errno in _PERMISSIONS


def as_problem(error: BaseException) -> UnusableFile | None:
    """The problem that any error of a program is, if a file that cannot be used now has caused it.

    Args:
        error: The error; its file is named if it says which.
    """
    if not isinstance(error, OSError) or not is_known(error):
        return None
    if error.filename is not None:
        return unusable(error, Path(os.fsdecode(error.filename)))
    return unusable(error, None) if error.errno in _OF_WRITING else None


def unusable(error: OSError, path: Path | None, what: str = "the file") -> UnusableFile:
    """As `unusable_as`, of no particular kind."""
    return unusable_as(UnusableFile, error, path, what)


def unusable_as(kind: type[Kind], error: OSError, path: Path | None, what: str) -> Kind:
    """The problem that an error of the operating system is.

    Args:
        kind: Whose file it is.
        error: The error.
        path: The file or folder that was to be used; None if that is not known.
        what: What it is for people: `the node's state file`.

    Returns:
        A problem with exit code UNREACHABLE if waiting may help, else SETTINGS.
    """
    if error.errno in _PERMISSIONS:
        place = Path(os.fsdecode(error.filename or path or ""))
        said, remedy = _forbidden(place)
        return kind(f"{what} {said}", where=str(place), remedy=remedy, exit_code=ExitCode.SETTINGS)
    cause = _CAUSES.get(error.errno or 0)
    if cause is None:
        said = error.strerror or type(error).__name__
        cause = _Cause(said, "Check the path and the disk that holds it", passes=False)
    return kind(
        f"{what} cannot be used now: {cause.what}",
        where=str(path or ""),
        remedy=cause.remedy,
        exit_code=ExitCode.UNREACHABLE if cause.passes else ExitCode.SETTINGS,
    )


def of_number(number: int) -> OSError:
    """The error of the operating system that has this number."""
    return OSError(number, os.strerror(number))


def said_in(text: str) -> OSError | None:
    """The known error that a library's message quotes, as `strerror` words it; None if none."""
    for number in (*_CAUSES, *_PERMISSIONS):
        if os.strerror(number).lower() in text.lower():
            return of_number(number)
    return None


def in_the_way(path: Path, beside: Iterable[Path] = ()) -> OSError | None:
    """What keeps this account from reading and changing a file now; None if nothing is seen.

    Args:
        path: The file, which should be there.
        beside: Files that belong to it, if they are there.
    """
    try:
        with ExitStack() as opened:
            for _ in range(_OPENED):
                opened.enter_context(Path(os.devnull).open("rb"))
        path.stat()
        disk = os.statvfs(path)
    except OSError as error:
        return error
    if path.is_dir():
        return of_number(errno.EISDIR)
    if disk.f_flag & os.ST_RDONLY:
        return of_number(errno.EROFS)
    for one in (path, path.parent, *beside):
        if one.exists() and not _is_usable(one):
            return OSError(errno.EACCES, os.strerror(errno.EACCES), str(one))
    free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    if free * disk.f_frsize < _FULL_BELOW or (disk.f_files and not disk.f_favail):
        return of_number(errno.ENOSPC)
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(one.stat().st_size for one in (path, *beside) if one.exists())
    if limit != resource.RLIM_INFINITY and largest + _FULL_BELOW > limit:
        return of_number(errno.EFBIG)
    return None


def account(number: int) -> str:
    """The name of an account, or its number if it has no name."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def require_room_for_handles(number: int, path: Path, what: str) -> None:
    """Checks that this process can open some files more: a library may abort it where it cannot.

    Args:
        number: How many.
        path: What is to be opened, for the message.
        what: What it is for people.

    Raises:
        UnusableFile: If it cannot.
    """
    try:
        with ExitStack() as opened:
            for _ in range(number):
                opened.enter_context(Path(os.devnull).open("rb"))
    except OSError as error:
        raise unusable(of_number(error.errno or errno.EMFILE), path, what) from None


def _is_usable(path: Path) -> bool:
    needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    return os.access(path, needed, effective_ids=True)


def _forbidden(path: Path) -> tuple[str, str]:
    """Names the owner: most often a command was run as another account than the service's."""
    me = account(os.geteuid())
    place, owner = path, None
    while owner is None:
        try:
            owner = place.stat().st_uid
        except OSError:
            if place == place.parent:
                break
            place = place.parent
    if owner is None or owner == os.geteuid():
        whose, remedy = "", f"Give {me} the permission to read and change {path}"
    else:
        whose = f", and {place} belongs to {account(owner)}"
        remedy = (
            f"Run the command as {account(owner)}; or, if the file was made by mistake as that "
            f"account, run `chown {me} {place}` as root"
        )
    return f"cannot be used: {me} may not do so{whose}", remedy
