"""Attempts to start another process or program."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

from folkmoot_kit.attacks.attempts import Collection, Group, Refused, Targets
from folkmoot_kit.attacks.system_calls import SIGCHLD, X86, call, machine_code, negative_is_error

PROGRAMS = Collection(Group.PROGRAMS)
attempt = PROGRAMS.attempt

_EXITS = b"\xb8\x3c\0\0\0\x31\xff\x0f\x05"
_CLONE_NEWUSER = 0x10000000


def _ended(child: int) -> str:
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return f"process {child} ran"


@attempt("Fork")
def fork(at: Targets) -> str:
    """Makes a second process by os.fork."""
    return _ended(os.fork())


@attempt("Fork by system call", machines=X86)
def fork_by_call(at: Targets) -> str:
    """Makes a second process by the system call `fork`, which the C library no longer uses."""
    return _ended(call("fork"))


@attempt("Fork by vfork", machines=X86)
def vfork(at: Targets) -> str:
    """Makes a second process that shares the memory, in machine code; the child ends at once."""
    code = b"\xb8\x3a\0\0\0\x0f\x05\x85\xc0\x75" + bytes([len(_EXITS)]) + _EXITS + b"\x48\x98\xc3"
    child = negative_is_error(machine_code(code))
    os.waitpid(child, 0)
    return f"process {child} ran"


@attempt("Clone a process")
def clone_process(at: Targets) -> str:
    """Makes a second process by the system call that makes threads."""
    return _ended(call("clone", SIGCHLD, 0, 0, 0, 0))


@attempt("Clone a process by clone3")
def clone3_process(at: Targets) -> str:
    """Makes a second process by the newer system call, whose flags no filter can see."""
    wanted = ctypes.create_string_buffer(
        b"".join(n.to_bytes(8, sys.byteorder) for n in (0, 0, 0, 0, SIGCHLD, 0, 0, 0))
    )
    return _ended(call("clone3", wanted, 64))


@attempt("Clone a process into its own namespaces")
def clone_namespace(at: Targets) -> str:
    """Makes a second process in a new user namespace, in which it would be root."""
    return _ended(call("clone", SIGCHLD | _CLONE_NEWUSER, 0, 0, 0, 0))


@attempt("Spawn a program")
def posix_spawn(at: Targets) -> str:
    """Starts the interpreter by posix_spawn."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    os.waitpid(child, 0)
    return f"process {child} ran"


@attempt("Run a program")
def run_subprocess(at: Targets) -> str:
    """Starts the interpreter by subprocess."""
    return f"exit code {subprocess.run([sys.executable, '-c', ''], check=False).returncode}"


@attempt("Run a shell")
def run_shell(at: Targets) -> str:
    """Starts a command by the C library's `system`."""
    status = ctypes.CDLL(None, use_errno=True).system(b"exit 0")
    if status != 0:
        raise Refused(f"status {status}")
    return "ran"


@attempt("Make a process with multiprocessing")
def run_multiprocessing(at: Targets) -> str:
    """Starts a process as libraries do that compute in several."""
    process = multiprocessing.get_context("fork").Process(target=os.getpid)
    process.start()
    process.join()
    return f"exit code {process.exitcode}"


@attempt("Become another program", must_fail=True, unsafe="it would replace this program")
def become_program(at: Targets) -> str:
    """Replaces itself by the interpreter, which would start without a filter of its own."""
    os.execv(sys.executable, [sys.executable, "-c", "import os; os.write(2, b'ran')"])  # noqa: S606


@attempt("Run a program from a descriptor")
def run_descriptor(at: Targets) -> str:
    """Starts an open file by execveat."""
    descriptor = os.open(os.path.realpath(sys.executable), os.O_RDONLY)
    none = ctypes.create_string_buffer(8)
    call("execveat", descriptor, b"relative", none, none, 0)
    return "ran"


@attempt("Run a program from memory")
def run_from_memory(at: Targets) -> str:
    """Writes a program into memory without a file, and starts it."""
    descriptor = call("memfd_create", b"program", 0)
    os.write(descriptor, Path(os.path.realpath(sys.executable)).read_bytes()[: 1 << 16])
    path = f"/proc/self/fd/{descriptor}"
    child = os.posix_spawn(path, [path], {})
    os.waitpid(child, 0)
    return "ran"


@attempt("Load a library from memory")
def load_from_memory(at: Targets) -> str:
    """Writes a shared library into memory without a file, and loads it."""
    source = next(Path(sys.modules["numpy"].__file__ or "").parent.rglob("_multiarray_umath*.so"))
    descriptor = call("memfd_create", b"library", 0)
    os.write(descriptor, source.read_bytes())
    ctypes.CDLL(f"/proc/self/fd/{descriptor}")
    return "loaded"


@attempt("Fork by machine code", machines=X86)
def fork_by_machine_code(at: Targets) -> str:
    """Makes a second process by machine code that calls the kernel directly."""
    code = b"\xb8\x39\0\0\0\x0f\x05\x85\xc0\x75" + bytes([len(_EXITS)]) + _EXITS + b"\x48\x98\xc3"
    child = negative_is_error(machine_code(code))
    os.waitpid(child, 0)
    return f"process {child} ran"


@attempt("Leave a process behind", unsafe="it would leave a process behind")
def leave_process(at: Targets) -> str:
    """Makes a process in a session of its own that outlives it."""
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.pause()
    return f"process {child} stays"
