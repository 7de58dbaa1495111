"""Puts a program under the restrictions of a unit. Run as a program; standard library only.

`enter.py places SPECIFICATION COMMAND...` as root, in a mount namespace that ends with it, lays out
what the unit sees, and `enter.py filters SPECIFICATION COMMAND...` as the unit's account gives up
system calls. systemd does the same in the same order; it cannot be asked to, where it is not the
first process of the machine.
"""

import ctypes
import errno
import json
import os
import sys
import tempfile
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
NEWNS, NEWNET = 0x20000, 0x40000000
NAMESPACES = {
    "mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000,
    "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000,
}  # fmt: skip


def mount(source, target, kind=None, flags=0, data=""):
    words = [None if one is None else os.fsencode(str(one)) for one in (source, target, kind)]
    if libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), os.fsencode(data)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


def mount_points():
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    found = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return list(dict.fromkeys(found))


def within(path, folders):
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def bind(source, target):
    mount(source, target, None, MS_BIND | MS_REC)
    mount(None, target, None, MS_PRIVATE | MS_REC)


def staged(flags, data):
    """An empty folder in memory, to be filled and put in its place."""
    stage = tempfile.mkdtemp(prefix="folkmoot-unit-", dir="/run")
    mount("tmpfs", stage, "tmpfs", MS_NOSUID | flags, data)
    return stage


def put(stage, place):
    bind(stage, place)
    libc.umount2(os.fsencode(stage), 2)
    Path(stage).rmdir()


def places(given):
    """Lays out what the unit sees."""
    os.umask(0o022)  # not that of a test that has run a command, which closes new files
    unshared = NEWNS | (NEWNET if given["private_network"] else 0)
    if libc.unshare(unshared) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount(None, "/", None, MS_PRIVATE | MS_REC)
    needed, writable = given["needed"], given["writable"]
    if given["private_tmp"]:
        for folder in ("/tmp", "/var/tmp"):
            stage = staged(MS_NODEV, "mode=1777")
            for path in [one for one in (*needed, *writable) if within(one, [folder])]:
                inner = Path(stage) / Path(path).relative_to(folder)
                inner.mkdir(parents=True, exist_ok=True)
                bind(path, inner)
            put(stage, folder)
    for path in writable:
        bind(path, path)
    if given["private_devices"]:
        devices()
    if given["protect_home"]:
        for folder in ("/home", "/root", "/run/user"):
            kept = [one for one in (*needed, *writable) if within(one, [folder])]
            if Path(folder).is_dir() and not kept:
                mount("tmpfs", folder, "tmpfs", MS_RDONLY, "mode=000")
    if given["protect_system"] == "strict":
        free = [*writable, "/dev", "/proc", "/sys", "/tmp", "/var/tmp"]
        for point in mount_points():
            if not within(point, free) or (within(point, needed) and not within(point, writable)):
                read_only(point)
    if given["proc"]:
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, given["proc"])
    protected = {
        "protect_kernel_tunables": [
            "/proc/sys", "/proc/sysrq-trigger", "/proc/latency_stats", "/proc/acpi",
            "/proc/timer_stats", "/proc/fs", "/proc/irq", "/sys",
        ],
        "protect_control_groups": ["/sys/fs/cgroup"],
    }  # fmt: skip
    for name, paths in protected.items():
        for path in paths if given[name] else ():
            if Path(path).exists():
                bind(path, path)
                for point in [one for one in mount_points() if within(one, [path])]:
                    read_only(point)


def read_only(point):
    flags = os.statvfs(point).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
    try:
        mount(None, point, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOENT):  # covered by another mount
            raise


def devices():
    stage = staged(MS_NOEXEC, "mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (Path(stage) / name).touch()
        mount(f"/dev/{name}", Path(stage) / name, None, MS_BIND)
    for name in ("shm", "pts", "mqueue"):
        if Path("/dev", name).is_dir():
            (Path(stage) / name).mkdir()
            bind(f"/dev/{name}", Path(stage) / name)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ):
        (Path(stage) / name).symlink_to(target)
    put(stage, "/dev")


class Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint), ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64), ("second", ctypes.c_uint64),
    )  # fmt: skip


UNEQUAL, EQUAL, GREATER, MASKED = 1, 4, 6, 7
ALLOW = 0x7FFF0000


def refuse(number=errno.EPERM):
    return 0x00050000 | number


class Filter:
    """A filter of system calls, by libseccomp."""

    def __init__(self, default):
        self.library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.library.seccomp_init.argtypes = [ctypes.c_uint32]
        self.context = ctypes.c_void_p(self.library.seccomp_init(default))
        self.default = default

    def rule(self, action, call, *comparisons):
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        if number < 0 or action == self.default:  # not of this machine
            return
        array = (Comparison * max(1, len(comparisons)))(*comparisons)
        done = self.library.seccomp_rule_add_array(
            self.context, ctypes.c_uint32(action), number, len(comparisons), array
        )
        if done != 0:
            raise OSError(-done, f"rule for {call}")

    def load(self):
        done = self.library.seccomp_load(self.context)
        if done != 0:
            raise OSError(-done, "filter")


def masked(argument, bits):
    return Comparison(argument, MASKED, bits, bits)


def filters(given):
    """Gives up system calls, as the unit says."""
    if given["no_new_privileges"] and libc.prctl(38, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if given["families"] is not None:
        found = Filter(ALLOW)
        allowed = sorted(given["families"])
        refused = refuse(errno.EAFNOSUPPORT)
        for family in range(46):
            if family not in allowed:
                found.rule(refused, "socket", Comparison(0, EQUAL, family, 0))
        found.rule(refused, "socket", Comparison(0, GREATER, 45, 0))
        found.load()
    if given["no_writable_code"]:
        found = Filter(ALLOW)
        found.rule(refuse(), "mmap", masked(2, 6))
        for call in ("mprotect", "pkey_mprotect"):
            found.rule(refuse(), call, masked(2, 4))
        found.rule(refuse(), "shmat", masked(2, 0o100000))
        found.load()
    if given["no_realtime"]:
        found = Filter(ALLOW)
        for policy in (1, 2, 6):
            found.rule(refuse(), "sched_setscheduler", Comparison(1, EQUAL, policy, 0))
        found.load()
    if given["no_suid"]:
        found = Filter(ALLOW)
        for call, argument in (
            ("chmod", 1),
            ("fchmod", 1),
            ("fchmodat", 2),
            ("mkdir", 1),
            ("mkdirat", 2),
            ("mknod", 1),
            ("mknodat", 2),
        ):
            for bit in (0o4000, 0o2000):
                found.rule(refuse(), call, masked(argument, bit))
        found.load()
    if given["namespaces"] is not None:
        found = Filter(ALLOW)
        found.rule(refuse(errno.ENOSYS), "clone3")
        if not given["namespaces"]:
            found.rule(refuse(), "setns")
        for name, flag in NAMESPACES.items():
            if name not in given["namespaces"]:
                found.rule(refuse(), "unshare", masked(0, flag))
                found.rule(refuse(), "clone", masked(0, flag))
                if given["namespaces"]:
                    found.rule(refuse(), "setns", masked(1, flag))
        found.load()
    if given["one_personality"]:
        found = Filter(ALLOW)
        found.rule(refuse(), "personality", Comparison(0, UNEQUAL, 0, 0))
        found.load()
    if given["refused"]:
        found = Filter(ALLOW)
        for call in given["refused"]:
            found.rule(refuse(), call)
        found.load()
    if given["permitted"] is not None:
        found = Filter(refuse(given["error"]) if given["error"] else 0x80000000)
        for call in given["permitted"]:
            found.rule(ALLOW, call)
        found.load()


def main():
    what, specification, *command = sys.argv[1:]
    given = json.loads(specification)
    {"places": places, "filters": filters}[what](given)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
