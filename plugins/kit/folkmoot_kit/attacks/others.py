"""Attempts on other processes of the same user."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys

from folkmoot_kit.attacks.attempts import Collection, Group, Refused, Targets
from folkmoot_kit.attacks.system_calls import call

OTHERS = Collection(Group.OTHERS)
attempt = OTHERS.attempt

_ATTACH, _SEIZE, _TRACEME = 16, 0x4206, 0


def _vector(address: int, length: int) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(struct.pack("=QQ", address, length))


@attempt("Signal another process")
def signal_victim(at: Targets) -> str:
    """Sends SIGTERM to a process of the same user."""
    os.kill(at.victim, signal.SIGTERM)
    return "signalled"


@attempt("Signal a thread of another process")
def signal_thread(at: Targets) -> str:
    """Sends SIGTERM to the first thread of a process by tgkill."""
    call("tgkill", at.victim, at.victim, signal.SIGTERM)
    return "signalled"


@attempt("Queue a signal for another process")
def queue_signal(at: Targets) -> str:
    """Sends SIGTERM with a forged sender."""
    about = ctypes.create_string_buffer(struct.pack("=iii", signal.SIGTERM, 0, -1) + b"\0" * 116)
    call("rt_sigqueueinfo", at.victim, signal.SIGTERM, about)
    return "signalled"


@attempt("Signal another process by a descriptor")
def signal_by_descriptor(at: Targets) -> str:
    """Opens a process as a descriptor, and sends SIGTERM to it."""
    call("pidfd_send_signal", call("pidfd_open", at.victim, 0), signal.SIGTERM, 0, 0)
    return "signalled"


@attempt("Kill the host", unsafe="it would end this program")
def kill_host(at: Targets) -> str:
    """Sends SIGKILL to whoever runs the attacks."""
    os.kill(at.host, signal.SIGKILL)
    return "killed"


@attempt("Kill the parent", unsafe="it would end this program")
def kill_parent(at: Targets) -> str:
    """Sends SIGKILL to its parent, which is the sandbox's own process at most."""
    os.kill(os.getppid(), signal.SIGKILL)
    raise Refused("sent; whether the host lives shows there")


@attempt("Kill everything", unsafe="it would end every process of this user")
def kill_all(at: Targets) -> str:
    """Sends SIGKILL to every process that it may signal, and to its group."""
    for group in (-1, 0):
        os.kill(group, signal.SIGKILL)
    raise Refused("sent; what it has reached shows at the host")


@attempt("Stop the parent", unsafe="it would stop this program", seconds=4)
def stop_parent(at: Targets) -> str:
    """Sends SIGSTOP to its parent, so that it cannot clear up."""
    os.kill(os.getppid(), signal.SIGSTOP)
    raise Refused("sent; whether the host waits shows there")


@attempt("Trace another process")
def trace_victim(at: Targets) -> str:
    """Attaches to a process as a debugger does."""
    call("ptrace", _SEIZE, at.victim, 0, 0)
    return "attached"


@attempt("Trace the parent", unsafe="it would stop this program")
def trace_parent(at: Targets) -> str:
    """Attaches to its parent as a debugger does."""
    call("ptrace", _ATTACH, os.getppid(), 0, 0)
    return "attached"


@attempt("Read another process's memory")
def read_victim_memory(at: Targets) -> str:
    """Copies a secret out of a process's memory by process_vm_readv."""
    held = ctypes.create_string_buffer(len(at.secret))
    here = _vector(ctypes.addressof(held), len(at.secret))
    call("process_vm_readv", at.victim, here, 1, _vector(at.victim_address, len(at.secret)), 1, 0)
    if held.raw != at.secret.encode():
        raise Refused("read something else")
    return "read the secret"


@attempt("Write another process's memory")
def write_victim_memory(at: Targets) -> str:
    """Overwrites a secret in a process's memory by process_vm_writev."""
    held = ctypes.create_string_buffer(b"0" * len(at.secret))
    here = _vector(ctypes.addressof(held), len(at.secret))
    call("process_vm_writev", at.victim, here, 1, _vector(at.victim_address, len(at.secret)), 1, 0)
    return "written"


@attempt("Take another process's descriptor")
def take_descriptor(at: Targets) -> str:
    """Copies an open file out of a process by pidfd_getfd."""
    os.close(call("pidfd_getfd", call("pidfd_open", at.victim, 0), 0, 0))
    return "took"


@attempt("Compare itself with another process")
def compare_processes(at: Targets) -> str:
    """Learns where objects of the kernel lie, by kcmp."""
    return f"answered {call('kcmp', os.getpid(), at.victim, 1, 0, 0)}"


@attempt("Slow another process down")
def slow_victim(at: Targets) -> str:
    """Gives a process of the same user the lowest priority."""
    call("setpriority", 0, at.victim, 19)
    return "slowed"


@attempt("Slow all processes of the user down", unsafe="it would slow this user's programs down")
def slow_user(at: Targets) -> str:
    """Gives all processes of the same user the lowest priority."""
    call("setpriority", 2, os.getuid(), 19)
    raise Refused("set; what it has reached shows at the host")


@attempt("Bind another process to a processor")
def bind_victim(at: Targets) -> str:
    """Lets a process run on the first processor alone."""
    call("sched_setaffinity", at.victim, 8, (1).to_bytes(8, sys.byteorder))
    return "bound"


@attempt("Make another process idle")
def idle_victim(at: Targets) -> str:
    """Lets a process run only when nothing else does."""
    call("sched_setscheduler", at.victim, 5, (0).to_bytes(4, sys.byteorder))
    return "idled"


@attempt("Give itself real-time priority")
def real_time(at: Targets) -> str:
    """Asks to run before all else, so that the machine stands still."""
    call("sched_setscheduler", 0, 1, (99).to_bytes(4, sys.byteorder))
    call("sched_setscheduler", 0, 0, (0).to_bytes(4, sys.byteorder))
    return "has it"


@attempt("Limit another process")
def limit_victim(at: Targets) -> str:
    """Allows a process no more open files."""
    resource.prlimit(at.victim, resource.RLIMIT_NOFILE, (3, 3))
    return "limited"


@attempt("Change another process's disk priority")
def slow_disk_of_victim(at: Targets) -> str:
    """Lets a process use the disk only when nothing else does."""
    call("ioprio_set", 1, at.victim, 3 << 13)
    return "changed"


@attempt("Move another process's memory")
def move_victim_memory(at: Targets) -> str:
    """Moves a process's pages to another part of the machine."""
    one = (1).to_bytes(8, sys.byteorder)
    return f"answered {call('migrate_pages', at.victim, 2, one, one)}"


@attempt("Take memory away from another process")
def reclaim_victim_memory(at: Targets) -> str:
    """Asks the kernel to swap a process's memory out."""
    vector = _vector(at.victim_address & ~4095, 4096)
    call("process_madvise", call("pidfd_open", at.victim, 0), vector, 1, 20, 0)
    return "asked"


@attempt("Be traced by the parent")
def be_traced(at: Targets) -> str:
    """Asks its parent to trace it, which would stop at each signal."""
    call("ptrace", _TRACEME, 0, 0, 0)
    return "is traced"
