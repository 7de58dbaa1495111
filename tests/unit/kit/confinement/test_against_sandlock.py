"""What sandlock contains, a sandbox that others keep, ours contains too.

The same attempts are made unconfined, under sandlock and under ours. Sandlock is for tests alone.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from folkmoot_kit.confinement.folders import interpreter
from folkmoot_kit.confinement.landlock import MINIMUM_ABI, abi
from tests.confined_code import run_confined

sandlock = pytest.importorskip("sandlock")

DONE = "DONE"
BEFORE = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    wide = [ctypes.c_long(it) if isinstance(it, int) else it for it in arguments]
    if libc.syscall(number, *wide) < 0:
        error = ctypes.get_errno()
        if error in (errno.EPERM, errno.EACCES, errno.ENOSYS):
            raise OSError(error, "refused")
"""


@dataclass(frozen=True)
class World:
    """What there is on the machine to reach.

    Attributes:
        secret: A file.
        writable: A folder that its account can write.
        port: Of a server on 127.0.0.1.
        path: A UNIX socket that somebody listens on.
        name: An abstract one.
        pid: A process of the same account.
    """

    secret: Path
    writable: Path
    port: int
    path: Path
    name: str
    pid: int


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    (folder / "secret").write_text("hunter2")
    name = f"folkmoot-world-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as by_path,
        socket.socket(socket.AF_UNIX) as by_name,
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as other,
    ):
        by_path.bind(str(folder / "socket"))
        by_name.bind("\0" + name)
        for listener in (by_path, by_name):
            listener.listen(8)
        yield World(
            folder / "secret", folder, server.getsockname()[1], folder / "socket", name, other.pid
        )
        other.kill()


NOWHERE = "b'/nonexistent/folkmoot'"
ATTEMPTS = {
    "reads a file": "open({world.secret!r}).read()",
    "reads the accounts": "open('/etc/passwd').read()",
    "reads variables of another process": "open('/proc/{world.pid}/environ', 'rb').read()",
    "lists a folder": "os.listdir({world.writable!r})",
    "writes a file": "open({world.writable!r} + '/made', 'w').write('x')",
    "makes a folder": "os.mkdir({world.writable!r} + '/' + str(os.getpid()))",
    "renames a file": "os.rename({world.secret!r}, {world.secret!r})",
    "truncates a file": "os.truncate({world.secret!r}, 7)",
    "makes a pipe with a name": "os.mkfifo({world.writable!r} + '/pipe' + str(os.getpid()))",
    "connects by TCP": "socket.create_connection(('127.0.0.1', {world.port}), 2)",
    "sends by UDP": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "listens": "socket.create_server(('127.0.0.1', 0))",
    "makes a raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "talks to the kernel": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "connects to a socket in a folder": "socket.socket(socket.AF_UNIX).connect({world.path!r})",
    "connects to an abstract socket": "socket.socket(socket.AF_UNIX).connect('\\0{world.name}')",
    "signals another process": "os.kill({world.pid}, 0)",
    "reads memory of another process": "call(310, {world.pid}, None, 0, None, 0, 0)",
    "traces a process": "call(101, 17, -1, 0, 0)",
    "makes a user namespace": "call(272, 0x10000000)",
    "mounts": f"call(165, b'none', {NOWHERE}, b'tmpfs', 0, None)",
    "unmounts": f"call(166, {NOWHERE}, 0)",
    "changes its root": f"call(161, {NOWHERE})",
    "asks for keys": "call(250, 0, -3, 0)",
    "loads a program into the kernel": "call(321, 5, None, 0)",
    "counts events of the processor": "call(298, None, 0, -1, -1, 0)",
    "handles faults of memory": "call(323, 1)",
    "queues operations": "call(425, 4, None)",
    "opens a process": "call(434, {world.pid}, 0)",
    "opens a file by its handle": "call(304, -100, None, 0)",
    "asks what it is": "call(135, 0xffffffff)",
    "shares memory by number": "call(29, 0x7fff0001, 4096, 0)",
    "sets a clock": "call(227, 99, None)",
    "loads a module": "call(313, -1, None, 0)",
}
"""Python, by what it attempts. Numbers of system calls are those of x86_64.

Each must be harmless where nothing contains it, and to root: what would change the machine names
nothing that exists. A call that the kernel looks at and finds wrong got through.
"""
MUST_CONTAIN = 20
"""How many of them sandlock contains at least, so that the comparison compares something."""


def code_of(what: str, world: World) -> str:
    shown = World(
        *(str(it) if isinstance(it, Path) else it for it in world.__dict__.values())  # type: ignore[arg-type]
    )
    return BEFORE + ATTEMPTS[what].format(world=shown)


def contained_by_sandlock(code: str) -> bool:
    folders = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", sys.base_prefix]
    policy = sandlock.Sandbox(
        fs_readable=[it for it in folders if Path(it).exists()], clean_env=True
    )
    ran = policy.run([str(interpreter()), "-I", "-S", "-c", f"{code}\nprint({DONE!r})"], timeout=20)
    assert b"ModuleNotFoundError" not in ran.stderr, ran.stderr
    said: str = ran.stdout.decode()
    return DONE not in said


def gets_through_unconfined(code: str) -> bool:
    line = [sys.executable, "-I", "-S", "-c", f"{code}\nprint({DONE!r})"]
    ran = subprocess.run(line, capture_output=True, text=True, check=False, timeout=20)
    return DONE in ran.stdout


def contained_by_ours(code: str) -> bool:
    return bool(run_confined(f"{code}\nresult = {DONE!r}").value != DONE)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="attempts name system calls by number")
@pytest.mark.skipif(abi() < MINIMUM_ABI, reason="the kernel has no Landlock for either of them")
@pytest.mark.slow
def test_ours_contains_what_sandlock_contains(world: World) -> None:
    free = {what for what in ATTEMPTS if gets_through_unconfined(code_of(what, world))}
    assert not contained_by_sandlock("1 + 1"), "sandlock does not run"
    assert not contained_by_ours("1 + 1")
    by_sandlock = {what for what in ATTEMPTS if contained_by_sandlock(code_of(what, world))}
    by_ours = {what for what in ATTEMPTS if contained_by_ours(code_of(what, world))}

    assert by_sandlock - by_ours == set()  # the comparison
    assert len(by_sandlock) >= MUST_CONTAIN, set(ATTEMPTS) - by_sandlock
    assert by_ours == set(ATTEMPTS)
    assert len(free) >= MUST_CONTAIN, set(ATTEMPTS) - free
