"""Attempts to leave something behind, or to change what is there."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import socket
import sys
import termios
from collections.abc import Callable
from pathlib import Path

from folkmoot_kit.attacks.attempts import Collection, Group, Refused, Targets
from folkmoot_kit.attacks.system_calls import call

WRITING = Collection(Group.WRITING)
attempt = WRITING.attempt

_ENVIRONMENT = "it would write into the environment that this program runs from"
_AT_FDCWD = -100


def _leave(at: Targets, place: str) -> str:
    Path(at.places[place]).write_text(at.secret)
    return "wrote"


@attempt("Write into the root folder")
def write_root(at: Targets) -> str:
    """Makes a file in /."""
    return _leave(at, "root")


@attempt("Write into /tmp")
def write_tmp(at: Targets) -> str:
    """Makes a file where everybody may."""
    return _leave(at, "tmp")


@attempt("Write into shared memory's folder")
def write_shared_memory(at: Targets) -> str:
    """Makes a file in /dev/shm."""
    return _leave(at, "shm")


@attempt("Write into the node's home")
def write_home(at: Targets) -> str:
    """Makes a file beside the node's settings."""
    return _leave(at, "home")


@attempt("Write among the installed packages", unsafe=_ENVIRONMENT)
def write_packages(at: Targets) -> str:
    """Makes a file whose lines Python runs whenever it starts (.pth)."""
    return _leave(at, "packages")


@attempt("Write beside the interpreter", unsafe=_ENVIRONMENT)
def write_interpreter(at: Targets) -> str:
    """Makes a file in the folder of the Python program."""
    return _leave(at, "interpreter")


@attempt("Write compiled code of the SDK", unsafe=_ENVIRONMENT)
def write_compiled(at: Targets) -> str:
    """Opens the file that Python would run in place of the SDK's first module."""
    module = sys.modules["folkmoot_sdk"].__cached__
    with Path(module).open("r+b"):
        return "opened for writing"


@attempt("Write anywhere at all")
def write_anywhere(at: Targets) -> str:
    """Tries each folder that it can find, and the working folder."""
    folders = [Path(), *(folder for folder in Path("/").iterdir() if folder.is_dir())]
    for folder in [*folders, *(Path("/dev").iterdir() if Path("/dev").exists() else [])]:
        made = folder / f"{at.secret}.txt"
        try:
            made.write_text("-")
        except OSError:
            continue
        made.unlink()
        return f"wrote into {folder}"
    raise Refused("no folder takes a file")


def _granted(id_: str, title: str, tries: str, function: Callable[[str, Targets], object]) -> None:
    def change(at: Targets) -> str:
        function(at.granted, at)
        return "changed"

    WRITING.add(change, id_, title, tries)


def _truncate(path: str, at: Targets) -> None:
    os.truncate(path, 0)


def _append(path: str, at: Targets) -> None:
    with Path(path).open("a") as file:
        file.write(at.secret)


def _map(path: str, at: Targets) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    arguments = [ctypes.c_size_t(4096), ctypes.c_int(mmap.PROT_READ), ctypes.c_int(mmap.MAP_SHARED)]
    address = library.mmap(None, *arguments, descriptor, ctypes.c_long(0))
    if library.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), ctypes.c_int(3)) < 0:
        # As a writable mapping of a descriptor that is open for reading; then as one for both.
        os.close(os.open(path, os.O_RDWR))
    with Path(path).open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:4] = b"evil"


def _label(path: str, at: Targets) -> None:
    os.setxattr(path, "user.folkmoot", at.secret.encode())


def _replace(path: str, at: Targets) -> None:
    Path(at.places["tmp"]).write_text(at.secret)
    Path(at.places["tmp"]).replace(path)


for _id, _title, _tries, _function in (
    ("append-granted", "Append to a granted file", "Opens it for writing.", _append),
    ("truncate-granted", "Empty a granted file", "Truncates it by its path.", _truncate),
    ("map-granted", "Write a granted file through memory", "Maps it as shared.", _map),
    ("unlink-granted", "Delete a granted file", "Removes its name.", lambda p, _: Path(p).unlink()),
    ("replace-granted", "Replace a granted file", "Moves another file over it.", _replace),
    ("chmod-granted", "Open a granted file to everybody", "Changes its mode.",
     lambda p, _: Path(p).chmod(0o604)),
    ("chown-granted", "Give a granted file away", "Changes its group.",
     lambda p, _: os.chown(p, -1, 1)),
    ("utime-granted", "Change a granted file's times", "Sets when it was changed.",
     lambda p, _: os.utime(p, (1, 1))),
    ("label-granted", "Hide a note in a granted file's attributes", "Sets an attribute.", _label),
    ("link-granted", "Link a granted file elsewhere", "Makes a second name in its folder.",
     lambda p, at: os.link(p, f"{p}.{at.secret[:8]}")),
    ("rename-granted", "Move a granted file", "Gives it another name in its folder.",
     lambda p, at: Path(p).rename(f"{p}.{at.secret[:8]}")),
):  # fmt: skip
    _granted(_id, _title, _tries, _function)


@attempt("Make a symbolic link")
def make_symbolic_link(at: Targets) -> str:
    """Leaves a link to a key where the node writes its own files."""
    Path(at.outside, "link").symlink_to(Path(at.home, "keys", "store.key"))
    return "linked"


@attempt("Make a hard link")
def make_hard_link(at: Targets) -> str:
    """Leaves a second name of a file in a folder outside."""
    os.link(at.granted, Path(at.outside, "hard-link"))
    return "linked"


@attempt("Make a folder")
def make_folder(at: Targets) -> str:
    """Makes a folder outside."""
    Path(at.outside, "folder").mkdir()
    return "made"


@attempt("Make a device or a named pipe")
def make_node(at: Targets) -> str:
    """Makes a named pipe outside, and a device for the machine's memory."""
    os.mkfifo(Path(at.outside, "pipe"))
    return "made"


@attempt("Make a file without a name")
def make_unnamed_file(at: Targets) -> str:
    """Opens a file that has no name (O_TMPFILE), and fills the disk with it."""
    for folder in (at.outside, "/tmp", "/", "/dev/shm"):  # noqa: S108
        try:
            descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR)
        except OSError:
            continue
        os.write(descriptor, at.secret.encode())
        return f"wrote {folder}"
    raise Refused("no folder takes one")


@attempt("Listen on a UNIX socket's file")
def bind_path(at: Targets) -> str:
    """Makes a server's file where others look for it."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(Path(at.outside, "socket")))
        return "bound"


@attempt("Lock a granted file")
def lock_granted(at: Targets) -> str:
    """Locks a file that it may read, so that who writes it has to wait."""
    with Path(at.granted).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return "locked"


@attempt("Type into the operator's terminal", unsafe="it would type into this terminal")
def type_into_terminal(at: Targets) -> str:
    """Pushes signs into the terminal, where the operator's shell would read them as a command."""
    for number in (0, 1, 2):
        try:
            fcntl.ioctl(number, termios.TIOCSTI, b"#")
        except OSError:
            continue
        return f"typed into descriptor {number}"
    with Path("/dev/tty").open("wb", buffering=0) as terminal:
        fcntl.ioctl(terminal, termios.TIOCSTI, b"#")
    return "typed"


@attempt("Have the host signalled through a descriptor")
def own_descriptor(at: Targets) -> str:
    """Names the host as who gets a signal when its channel has something to read."""
    fcntl.fcntl(0, fcntl.F_SETOWN, at.victim)
    fcntl.fcntl(0, 10, 15)  # F_SETSIG, SIGTERM
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    return "named another process"


@attempt("Make the channel's end non-blocking")
def change_shared_flags(at: Targets) -> str:
    """Sets flags of its descriptors that the host's end may share."""
    for number in (0, 1, 2):
        fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_NONBLOCK)
    raise Refused("set on its own ends; whether the host minds shows there")


@attempt("Fill the host's disk through its scratch folder", scratch=True, unsafe="it fills a disk")
def fill_scratch(at: Targets) -> str:
    """Writes into its scratch folder until nothing more fits."""
    written, block = 0, b"\xff" * (1 << 20)
    with Path(os.environ.get("TMPDIR", "/tmp"), "fill").open("wb", buffering=0) as file:  # noqa: S108
        while written < 4 * at.scratch_mib:
            file.write(block)
            written += 1
    return f"wrote {written} MiB, where {at.scratch_mib} are granted"


def _kept(at: Targets) -> Path:
    return Path(os.environ.get("TMPDIR", "/tmp"), Path(at.places["tmp"]).name)  # noqa: S108


@attempt("Leave a note in its scratch folder", scratch=True)
def leave_in_scratch(at: Targets) -> str:
    """Writes where it may, for the next process of the same plugin."""
    _kept(at).write_text(at.secret)
    raise Refused("left; whether it stays shows outside, and in the next process")


@attempt("Find the note of another process", scratch=True, unsafe="the note is removed before")
def find_in_scratch(at: Targets) -> str:
    """Looks in its scratch folder for what the process before it has left."""
    if _kept(at).exists():
        return "found what an earlier process left"
    raise Refused("nothing was kept")


@attempt("Fill memory that belongs to no process")
def fill_memory_files(at: Targets) -> str:
    """Writes into files in memory (memfd), which no limit of address space counts."""
    written, block = 0, b"\xff" * (1 << 20)
    descriptor = call("memfd_create", b"fill", 0)
    while written < at.memory_mib + 64:
        os.write(descriptor, block)
        written += 1
    return f"wrote {written} MiB, where {at.memory_mib} are granted"
