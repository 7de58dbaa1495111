"""Attempts to read what is not the plugin's."""

from __future__ import annotations

import ctypes
import mmap
import os
import stat
import sys
from pathlib import Path

from folkmoot_kit.attacks.attempts import Collection, Group, Refused, Targets
from folkmoot_kit.attacks.system_calls import call

READING = Collection(Group.READING)
attempt = READING.attempt

_AT_FDCWD = -100


def _found(secret: str, held: bytes) -> str:
    if secret.encode() not in held:
        raise Refused("it is not there")
    return "read the secret"


@attempt("Read the keys of a node")
def read_keys(at: Targets) -> str:
    """Opens the key of the store in a node's home."""
    return _found(at.secret, Path(at.home, "keys", "store.key").read_bytes())


@attempt("Read the store of households")
def read_store(at: Targets) -> str:
    """Opens the file of scored households."""
    return _found(at.secret, Path(at.home, "store", "households.bin").read_bytes())


@attempt("Read the ledger of a node")
def read_ledger(at: Targets) -> str:
    """Opens the database with the ledger of what was released."""
    return _found(at.secret, Path(at.home, "state.sqlite").read_bytes())


@attempt("Read another council's file")
def read_other_council(at: Targets) -> str:
    """Opens an extract beside the node's home."""
    return _found(at.secret, Path(at.other_council).read_bytes())


@attempt("Read beside a granted file")
def read_beside_granted(at: Targets) -> str:
    """Opens a file of the folder that a granted file lies in, by a path with two dots."""
    beside = Path(at.granted).parent / "elsewhere" / ".." / "secret.csv"
    return _found(at.secret, Path(beside).read_bytes())


@attempt("List the home of a node")
def list_home(at: Targets) -> str:
    """Asks which files there are."""
    return f"{len(os.listdir(at.home))} names"  # noqa: PTH208


@attempt("Look at a file without opening it")
def look_at_file(at: Targets) -> str:
    """Asks for the size and the times of a key."""
    return f"{Path(at.home, 'keys', 'store.key').stat().st_size} bytes"


@attempt("List the homes of people")
def list_homes(at: Targets) -> str:
    """Lists /home and /root."""
    names = [name for folder in ("/home", "/root") if Path(folder).exists()
             for name in os.listdir(folder)]  # noqa: PTH208  # fmt: skip
    if not names:
        raise Refused("there is nothing")
    return f"{len(names)} names"


@attempt("Read the password hashes")
def read_shadow(at: Targets) -> str:
    """Opens /etc/shadow."""
    return f"{len(Path('/etc/shadow').read_bytes())} bytes"


@attempt("Read the list of accounts")
def read_passwd(at: Targets) -> str:
    """Opens /etc/passwd."""
    return f"{len(Path('/etc/passwd').read_bytes())} bytes"


@attempt("Read the machine's identity")
def read_machine_id(at: Targets) -> str:
    """Opens /etc/machine-id, /etc/hostname and /etc/hosts."""
    for path in ("/etc/machine-id", "/etc/hostname", "/etc/hosts"):
        if Path(path).exists():
            return f"{len(Path(path).read_bytes())} bytes of {path}"
    raise Refused("there is none")


@attempt("Read the host's environment")
def read_environment(at: Targets) -> str:
    """Looks for a variable of the host in its own environment, and in the C library's."""
    library = ctypes.CDLL(None)
    library.getenv.restype = ctypes.c_char_p
    held = os.environ.get(at.variable, "").encode() or library.getenv(at.variable.encode()) or b""
    return _found(at.secret, held)


@attempt("Read another process's environment")
def read_environment_of_host(at: Targets) -> str:
    """Opens the environment of the host, of the parent and of another process in /proc."""
    held = b""
    for process in (at.host, os.getppid(), at.victim):
        path = Path(f"/proc/{process}/environ")
        held += path.read_bytes() if path.exists() else b""
    return _found(at.secret, held)


@attempt("Read another process's command line")
def read_command_line(at: Targets) -> str:
    """Opens the command line of another process in /proc."""
    return _found(at.secret, Path(f"/proc/{at.victim}/cmdline").read_bytes())


@attempt("Read its own memory as a file")
def read_own_memory(at: Targets) -> str:
    """Opens /proc/self/mem, by which memory is written that is read-only."""
    with Path("/proc/self/mem").open("r+b", buffering=0):
        return "opened for writing"


@attempt("Leave by the root of process 1")
def read_root_of_first(at: Targets) -> str:
    """Goes through /proc/1/root, and through the working folder of the parent."""
    for door in ("/proc/1/root", f"/proc/{os.getppid()}/cwd", "/proc/self/root"):
        try:
            return f"{len(os.listdir(door))} names in {door}"  # noqa: PTH208
        except OSError:
            continue
    raise Refused("none of these doors opens")


@attempt("Read the table of mounts")
def read_mounts(at: Targets) -> str:
    """Opens /proc/self/mountinfo, which names the host's disks and folders."""
    return f"{len(Path('/proc/self/mountinfo').read_bytes())} bytes"


@attempt("Read the kernel's settings")
def read_sys(at: Targets) -> str:
    """Lists /sys, which names the machine's hardware."""
    return f"{len(os.listdir('/sys'))} names"  # noqa: PTH208


@attempt("Open a device")
def open_device(at: Targets) -> str:
    """Looks in /dev for disks, terminals and the memory of the machine."""
    harmless = {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr"}
    found = [
        entry.name
        for entry in Path("/dev").iterdir()
        if entry.name not in harmless and (entry.is_char_device() or entry.is_block_device())
    ]
    if not found:
        raise Refused("only harmless devices are there")
    return f"{len(found)} devices, such as {sorted(found)[0]}"


@attempt("Read the kernel's log")
def read_kernel_log(at: Targets) -> str:
    """Asks for what the kernel has logged, by a system call."""
    held = ctypes.create_string_buffer(4096)
    return f"{call('syslog', 3, held, 4096)} bytes"


@attempt("Use descriptors left open")
def use_inherited(at: Targets) -> str:
    """Looks for descriptors other than its own three, and reads what they are open on."""
    others = []
    for number in range(3, 1024):
        try:
            kind = os.fstat(number).st_mode
        except OSError:
            continue
        if stat.S_ISREG(kind):
            held = os.pread(number, 4096, 0)
            if at.secret.encode() in held:
                return f"read the secret from descriptor {number}"
        if stat.S_ISDIR(kind):
            others.append(number)
    for number in others:
        _leave_by_folder(number, at)
    raise Refused("no descriptor of the host is open")


def _leave_by_folder(number: int, at: Targets) -> None:
    """Opens a file from a folder that is open."""
    up = "../" * 40
    held = os.open(f"{up}{at.home}/keys/store.key", os.O_RDONLY, dir_fd=number)
    os.close(held)


@attempt("Turn its three descriptors into others")
def reopen_own(at: Targets) -> str:
    """Asks what its three descriptors are, and opens them again through /dev/fd."""
    for number in (0, 1, 2):
        kind = os.fstat(number).st_mode
        if not (stat.S_ISSOCK(kind) or stat.S_ISFIFO(kind)):
            return f"descriptor {number} is neither a socket nor a pipe"
    os.close(os.open("/dev/fd/1", os.O_RDONLY))
    return "read what the sink holds"


@attempt("Open a file by its handle")
def open_by_handle(at: Targets) -> str:
    """Names a file by its number on the disk, past all paths."""
    handle = ctypes.create_string_buffer((128).to_bytes(4, sys.byteorder) + b"\0" * 132)
    mount = ctypes.create_string_buffer(4)
    call("name_to_handle_at", _AT_FDCWD, b"/", handle, mount, 0)
    folder = os.open("/", os.O_RDONLY)
    os.close(call("open_by_handle_at", folder, handle, os.O_RDONLY))
    return "opened"


@attempt("Watch files change")
def watch_files(at: Targets) -> str:
    """Asks to be notified of the use of a file of the node."""
    watcher = call("inotify_init1", 0)
    library = ctypes.CDLL(None, use_errno=True)
    if library.inotify_add_watch(watcher, at.home.encode(), 0xFFF) < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    return "watches"


@attempt("Attach System V shared memory")
def read_shared_memory(at: Targets) -> str:
    """Attaches a segment of the host by its key, and reads it."""
    segment = call("shmget", at.shared_key, 0, 0)
    library = ctypes.CDLL(None, use_errno=True)
    library.shmat.restype = ctypes.c_void_p
    address = library.shmat(segment, None, 0o10000)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "shmat")
    return _found(at.secret, ctypes.string_at(address, 64))


@attempt("Open POSIX shared memory")
def open_shared_memory(at: Targets) -> str:
    """Opens an object of the host in /dev/shm, and maps it."""
    descriptor = os.open(f"/dev/shm/{at.shared_name}", os.O_RDWR)  # noqa: S108
    with mmap.mmap(descriptor, 64) as memory:
        return _found(at.secret, memory[:])


@attempt("Use a message queue of the host")
def use_message_queue(at: Targets) -> str:
    """Puts a secret into a System V message queue, by its key."""
    queue = call("msgget", at.queue_key, 0)
    message = ctypes.create_string_buffer((1).to_bytes(8, sys.byteorder) + at.secret.encode())
    call("msgsnd", queue, message, len(at.secret), 0o4000)
    return "sent"
