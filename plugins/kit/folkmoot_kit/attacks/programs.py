"""Attempts to start another process or program."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

from folkmoot_kit.attacks.attempts import MARK, SUCCEEDED, Collection, Group, Refused, Targets
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


_PROGRAM = f"import os; os.write(2, b'{MARK} {SUCCEEDED} ran\\n')"
_EMPTY_PATH = 0x1000


@attempt("Become another program")
def become_program(at: Targets) -> str:
    """Replaces itself by the interpreter, which would start without what runs beside it."""
    os.execv(sys.executable, [sys.executable, "-c", _PROGRAM])  # noqa: S606


def _become(descriptor: int, *arguments: bytes) -> str:
    words = (ctypes.c_char_p * (len(arguments) + 1))(*arguments)
    held = ctypes.create_string_buffer(bytes(words), ctypes.sizeof(words))
    call("execveat", descriptor, b"", held, None, _EMPTY_PATH)
    return "ran"


@attempt("Become an open file")
def become_descriptor(at: Targets) -> str:
    """Replaces itself by a program that is open, by execveat."""
    program = os.path.realpath(sys.executable)
    return _become(os.open(program, os.O_RDONLY), program.encode(), b"-c", _PROGRAM.encode())


@attempt("Become a program in memory", machines=X86)
def become_memory(at: Targets) -> str:
    """Writes a program into memory without a file, and replaces itself by it."""
    said = f"{MARK} {SUCCEEDED} ran\n".encode()
    code = (
        b"\xb8\x01\0\0\0\xbf\x02\0\0\0\x48\x8d\x35\x10\0\0\0"
        + b"\xba" + len(said).to_bytes(4, "little") + b"\x0f\x05" + _EXITS + said
    )  # fmt: skip
    base, start = 0x400000, 64 + 56
    header = struct.pack(
        "=16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, base + start, 64, 0, 0, 64, 56, 1,
        64, 0, 0,
    )  # fmt: skip
    size = start + len(code)
    segment = struct.pack("=IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096)
    descriptor = call("memfd_create", b"program", 0)
    os.write(descriptor, header + segment + code)
    return _become(descriptor, b"program")


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
