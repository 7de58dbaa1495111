"""System calls by their numbers, past every wrapper of Python and the C library.

A hostile plugin is not bound to Python's functions: what stops it has to be the kernel.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform

from folkmoot_kit.attacks.attempts import Refused

_X86 = {
    "socket": 41, "clone": 56, "fork": 57, "vfork": 58, "ptrace": 101, "syslog": 103,
    "personality": 135, "modify_ldt": 154, "pivot_root": 155, "acct": 163, "settimeofday": 164,
    "mount": 165, "swapon": 167, "reboot": 169, "sethostname": 170, "iopl": 172, "ioperm": 173,
    "init_module": 175, "quotactl": 179, "tgkill": 234, "utimensat": 280, "clock_settime": 227,
    "clock_gettime": 228, "gettimeofday": 96, "time": 201, "times": 100, "sysinfo": 99,
    "mbind": 237, "add_key": 248, "request_key": 249, "keyctl": 250, "ioprio_set": 251,
    "migrate_pages": 256, "unshare": 272, "move_pages": 279, "timerfd_create": 283,
    "timerfd_settime": 286, "timerfd_gettime": 287, "rt_sigqueueinfo": 129,
    "perf_event_open": 298, "fanotify_init": 300, "prlimit64": 302, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
    "kcmp": 312, "seccomp": 317, "memfd_create": 319, "kexec_load": 246, "bpf": 321,
    "execveat": 322, "userfaultfd": 323, "pidfd_send_signal": 424, "io_uring_setup": 425,
    "open_tree": 428, "fsopen": 430, "clone3": 435, "pidfd_open": 434, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442, "landlock_create_ruleset": 444,
    "memfd_secret": 447, "cachestat": 451, "sched_setaffinity": 203, "sched_setscheduler": 144,
    "setpriority": 141, "kill": 62, "chroot": 161, "mknodat": 259, "linkat": 265,
    "symlinkat": 266, "mq_open": 240, "shmget": 29, "shmat": 30, "msgget": 68, "msgsnd": 69,
    "semget": 64, "setxattr": 188, "rename": 82, "fallocate": 285, "capset": 126,
    "inotify_init1": 294, "timer_create": 222, "vmsplice": 278, "lookup_dcookie": 212,
}  # fmt: skip
_ARM = {
    "socket": 198, "clone": 220, "ptrace": 117, "syslog": 116, "personality": 92,
    "pivot_root": 41, "acct": 89, "settimeofday": 170, "mount": 40, "swapon": 224, "reboot": 142,
    "sethostname": 161, "init_module": 105, "quotactl": 60, "tgkill": 131, "utimensat": 88,
    "clock_settime": 112, "clock_gettime": 113, "gettimeofday": 169, "times": 153,
    "sysinfo": 179, "mbind": 235, "add_key": 217, "request_key": 218, "keyctl": 219,
    "ioprio_set": 30, "migrate_pages": 238, "unshare": 97, "move_pages": 239,
    "timerfd_create": 85, "timerfd_settime": 86, "timerfd_gettime": 87, "rt_sigqueueinfo": 138,
    "perf_event_open": 241, "fanotify_init": 262, "prlimit64": 261, "name_to_handle_at": 264,
    "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
    "kcmp": 272, "seccomp": 277, "memfd_create": 279, "kexec_load": 104, "bpf": 280,
    "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424, "io_uring_setup": 425,
    "open_tree": 428, "fsopen": 430, "clone3": 435, "pidfd_open": 434, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442, "landlock_create_ruleset": 444,
    "memfd_secret": 447, "cachestat": 451, "sched_setaffinity": 122, "sched_setscheduler": 119,
    "setpriority": 140, "kill": 129, "chroot": 51, "mknodat": 33, "linkat": 37,
    "symlinkat": 36, "mq_open": 180, "shmget": 194, "shmat": 196, "msgget": 186, "msgsnd": 189,
    "semget": 190, "setxattr": 5, "fallocate": 47, "capset": 91, "inotify_init1": 26,
    "timer_create": 107, "vmsplice": 75, "lookup_dcookie": 18,
}  # fmt: skip
NUMBERS = {"x86_64": _X86, "aarch64": _ARM}.get(platform.machine(), {})
"""Numbers of system calls on this machine, by name."""
X86 = ("x86_64",)
X32 = 0x40000000
"""Added to a number on x86-64: the same call in the ABI of 32-bit pointers."""
SIGCHLD = 17


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Makes a system call.

    Raises:
        OSError: As the kernel answers.
        Refused: If this machine has no such call.
    """
    if name not in NUMBERS:
        raise Refused(f"this machine has no system call {name}")
    return call_number(NUMBERS[name], *arguments)


def call_number(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Makes a system call by its number; raises OSError as the kernel answers."""
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    answer = int(library.syscall(ctypes.c_long(number), *wide))
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer


def reaches_kernel(name: str, *arguments: int | bytes | None) -> str:
    """Makes a system call that cannot do anything, and says that the kernel looked at it.

    The arguments are wrong on purpose: a call that is let through answers EINVAL, EFAULT or
    EBADF. A call that is not, or that only root may make, answers EPERM, or ENOSYS.
    """
    try:
        answer = call(name, *arguments)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES, errno.ENOSYS):
            raise
        return f"{name} was let through, and answered {errno.errorcode.get(error.errno or 0)}"
    return f"{name} answered {answer}"


def machine_code(code: bytes) -> int:
    """Runs instructions written into memory of this process; gives what they leave in RAX."""
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return int(ctypes.CFUNCTYPE(ctypes.c_long)(address)())


def negative_is_error(answer: int) -> int:
    """What a system call in machine code gave; raises OSError for an error number."""
    if -4096 < answer < 0:
        raise OSError(-answer, os.strerror(-answer))
    return answer
