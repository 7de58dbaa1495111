"""Attempts to undo the confinement, or to use parts of the kernel that no plugin needs."""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import struct

from folkmoot_kit.attacks.attempts import Collection, Group, Refused, Targets
from folkmoot_kit.attacks.system_calls import X86, call, reaches_kernel

KERNEL = Collection(Group.KERNEL)
attempt = KERNEL.attempt

_NEW_USER, _NEW_NET, _NEW_MOUNTS = 0x10000000, 0x40000000, 0x00020000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _SET_DUMPABLE, _SET_NAME = 38, 22, 4, 15
_DIRECTLY = "it would change this process of the machine"


def _prctl(option: int, *arguments: int) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    wide = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    answer = int(library.prctl(option, *wide))
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer


@attempt("Make a user namespace")
def unshare_user(at: Targets) -> str:
    """Asks for a namespace in which it is root."""
    call("unshare", _NEW_USER)
    return "is root of a namespace"


@attempt("Make a network namespace")
def unshare_network(at: Targets) -> str:
    """Asks for a network of its own."""
    call("unshare", _NEW_NET)
    return "has a network"


@attempt("Make a mount namespace")
def unshare_mounts(at: Targets) -> str:
    """Asks for a table of mounts of its own."""
    call("unshare", _NEW_MOUNTS)
    return "has a table"


@attempt("Enter another namespace")
def set_namespace(at: Targets) -> str:
    """Joins the namespaces of another process."""
    call("setns", call("pidfd_open", at.victim, 0), _NEW_NET)
    return "joined"


@attempt("Mount a file system", unsafe="it would change this machine's mounts")
def mount(at: Targets) -> str:
    """Mounts a file system in memory over a folder."""
    call("mount", b"none", at.outside.encode(), b"tmpfs", 0, 0)
    return "mounted"


@attempt("Mount by the newer calls")
def mount_by_descriptor(at: Targets) -> str:
    """Opens a file system as a descriptor, to be mounted."""
    return f"has descriptor {call('fsopen', b'tmpfs', 0)}"


@attempt("Copy a tree of mounts")
def open_tree(at: Targets) -> str:
    """Takes a copy of the root folder's mounts, from which what lies over a folder is left out."""
    return f"has descriptor {call('open_tree', -100, b'/', 1)}"


@attempt("Make a mount writable", unsafe="it would change this machine's mounts")
def mount_attributes(at: Targets) -> str:
    """Takes the mark of reading only from the mount of a granted file."""
    clear = ctypes.create_string_buffer(struct.pack("=QQQQ", 0, 1, 0, 0))
    call("mount_setattr", -100, at.granted.encode(), 0, clear, 32)
    return "writable"


@attempt("Change the root folder", unsafe=_DIRECTLY)
def change_root(at: Targets) -> str:
    """Makes a folder its root, and climbs out of it."""
    call("chroot", b"/usr")
    return "changed"


@attempt("Swap the root folder", unsafe=_DIRECTLY)
def pivot_root(at: Targets) -> str:
    """Puts the host's root folder back, which the sandbox has put away."""
    call("pivot_root", b".", b".")
    return "swapped"


@attempt("Take the filter off")
def filter_off(at: Targets) -> str:
    """Adds a filter that allows all system calls, and then opens a socket."""
    allow = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000))
    program = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", 1, ctypes.addressof(allow)))
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_SET_SECCOMP, 2, ctypes.addressof(program))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM):
        return "opened a socket"


@attempt("Allow itself new privileges")
def new_privileges(at: Targets) -> str:
    """Asks for the rights of set-user-id programs again."""
    _prctl(_SET_NO_NEW_PRIVS, 0)
    return "allowed"


@attempt("Take the rule of files off")
def files_off(at: Targets) -> str:
    """Adds a Landlock ruleset that handles nothing, and then opens a file of the node."""
    attributes = ctypes.create_string_buffer(struct.pack("=QQQ", 1, 0, 0))
    call("landlock_create_ruleset", attributes, 8, 0)
    with open(f"{at.home}/keys/store.key", "rb") as file:  # noqa: PTH123
        return f"read {len(file.read())} bytes"


@attempt("Become another user")
def become_root(at: Targets) -> str:
    """Sets its user to root."""
    if os.getuid() == 0 and os.stat("/").st_uid == 0 and _is_first_namespace():  # noqa: PTH116
        return "is root already"
    os.setresuid(0, 0, 0)
    return "is root"


def _is_first_namespace() -> bool:
    """Whether root here is root of the machine: only that may read the kernel's log."""
    try:
        call("syslog", 3, ctypes.create_string_buffer(16), 16)
    except OSError:
        return False
    return True


@attempt("Take capabilities")
def take_capabilities(at: Targets) -> str:
    """Asks for all rights of root."""
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    all_rights = ctypes.create_string_buffer(struct.pack("=6I", *[0xFFFFFFFF, 0xFFFFFFFF, 0] * 2))
    call("capset", header, all_rights)
    return "has them"


@attempt("Raise its own limits")
def raise_limits(at: Targets) -> str:
    """Sets the limits of its memory, files and processes to none."""
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
        soft, hard = resource.getrlimit(limit)
        if soft == hard == resource.RLIM_INFINITY:
            return "has a limit that is none"
        wanted = ctypes.create_string_buffer(struct.pack("=qq", hard + 1, hard + 1))
        call("prlimit64", 0, limit, wanted, None)
    return "raised"


@attempt("Let others trace it")
def become_dumpable(at: Targets) -> str:
    """Asks that its memory is written to disk when it dies."""
    _prctl(_SET_DUMPABLE, 1)
    if resource.getrlimit(resource.RLIMIT_CORE)[0] == 0:
        raise Refused("no core is written")
    return "its memory goes to the disk"


@attempt("Use 32-bit tables of the processor", machines=X86)
def modify_tables(at: Targets) -> str:
    """Writes a segment of its own into the processor's tables."""
    entry = ctypes.create_string_buffer(struct.pack("=IIII", 0, 0, 0xFFFFF, 0x51))
    return f"answered {call('modify_ldt', 1, entry, 16)}"


@attempt("Change its personality")
def personality(at: Targets) -> str:
    """Asks for memory at the same addresses each time, which makes faults easier to use."""
    before = call("personality", 0xFFFFFFFF)
    call("personality", 0x0040000)
    call("personality", before)
    return "changed"


@attempt("Talk to the ports of devices", machines=X86)
def ports(at: Targets) -> str:
    """Asks for the processor's input and output instructions."""
    call("ioperm", 0x80, 1, 1)
    return "has them"


@attempt("Keep a secret with the kernel")
def keyring(at: Targets) -> str:
    """Leaves a key in the user's keyring, where another process finds it."""
    key = call("add_key", b"user", b"folkmoot-attack", at.secret.encode(), len(at.secret), -4)
    call("keyctl", 3, key)
    return f"key {key}"


@attempt("Read the user's keys")
def read_keyring(at: Targets) -> str:
    """Asks for the number of the keyring of the session."""
    return f"keyring {call('keyctl', 0, -3, 0)}"


@attempt("Load a program into the kernel")
def bpf(at: Targets) -> str:
    """Makes a map for BPF programs."""
    wanted = ctypes.create_string_buffer(struct.pack("=IIII", 2, 4, 4, 1) + b"\0" * 112)
    return f"has descriptor {call('bpf', 0, wanted, 128)}"


@attempt("Count what the processor does")
def performance_events(at: Targets) -> str:
    """Opens a counter of its own instructions, by which secrets leak from side channels."""
    wanted = ctypes.create_string_buffer(struct.pack("=IIQ", 1, 112, 1) + b"\0" * 96)
    return f"has descriptor {call('perf_event_open', wanted, 0, -1, -1, 0)}"


@attempt("Handle its own page faults")
def page_faults(at: Targets) -> str:
    """Asks to halt the kernel wherever it touches the plugin's memory."""
    return f"has descriptor {call('userfaultfd', 1)}"


@attempt("Hide memory from the kernel")
def secret_memory(at: Targets) -> str:
    """Makes memory that no limit of the process counts."""
    return f"has descriptor {call('memfd_secret', 0)}"


@attempt("Name itself like another program")
def name_itself(at: Targets) -> str:
    """Takes another program's name, which the host would show in its messages."""
    name = ctypes.create_string_buffer(b"\x1b[31mnode")
    _prctl(_SET_NAME, ctypes.addressof(name))
    raise Refused("named; what the host says of it shows there")


def _reaches(name: str, title: str, *arguments: int) -> None:
    KERNEL.add(
        lambda _: reaches_kernel(name, *arguments),
        f"call-{name.replace('_', '-')}",
        title,
        f"Makes the system call `{name}` with arguments that do nothing.",
    )


for _name, _title, *_arguments in (
    ("kexec_load", "Start another kernel", 0, 0, 0, 1 << 40),
    ("init_module", "Load a module into the kernel", 0, 0, 0),
    ("reboot", "Restart the machine", 0, 0, 0, 0),
    ("swapon", "Change the machine's swap space", 0, 0),
    ("acct", "Have the kernel write a file about all processes", 8),
    ("quotactl", "Change quotas", 0, 0, 0, 0),
    ("settimeofday", "Set the machine's time", 8, 8),
    ("clock_settime", "Set a clock", 99, 8),
    ("sethostname", "Rename the machine", 8, 1 << 20),
    ("fanotify_init", "Watch all files", 1 << 30, 0),
    ("request_key", "Ask a program of root for a key", 8, 8, 0, 0),
    ("vmsplice", "Give pages of memory away", -1, 0, 0, 0),
    ("mbind", "Choose where memory lies", 1, 1, 99, 0, 0, 0),
    ("lookup_dcookie", "Ask for a path by a number", 0, 0, 0),
    ("mq_open", "Open a message queue by name", 0, 0, 0, 0),
    ("semget", "Use semaphores of the machine", 0, -1, 0),
    ("cachestat", "Ask what others have read", -1, 8, 8, 0),
):  # fmt: skip
    _reaches(_name, _title, *_arguments)
