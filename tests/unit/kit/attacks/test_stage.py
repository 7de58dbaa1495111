"""What is attacked: each trace of an attack is seen from outside, and is put back."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from folkmoot_kit.attacks.attempts import Targets
from folkmoot_kit.attacks.stage import VARIABLE, Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def connect(family: int, address: object) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.connect(address)  # type: ignore[arg-type]


def send(at: Targets) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x" * 20, ("127.0.0.1", at.dns_port))
        made.settimeout(5)
        made.recv(100)


def write_memory(at: Targets) -> None:
    with Path(f"/proc/{at.victim}/mem").open("r+b", buffering=0) as memory:
        memory.seek(at.victim_address)
        memory.write(b"x")  # stands in no secret, which is written in hexadecimal


def write_shared(at: Targets) -> None:
    library = ctypes.CDLL(None)
    library.shmat.restype = ctypes.c_void_p
    address = library.shmat(library.shmget(at.shared_key, 0, 0), None, 0)
    ctypes.memset(address, 0, 1)
    library.shmdt(ctypes.c_void_p(address))


def queue(at: Targets) -> None:
    library = ctypes.CDLL(None)
    message = ctypes.create_string_buffer((1).to_bytes(8, "little") + b"x")
    library.msgsnd(library.msgget(at.queue_key, 0), message, 1, 0o4000)


def leave(place: str) -> Callable[[Targets], None]:
    return lambda at: Path(at.places[place]).write_text("x")  # type: ignore[return-value]


TRACES: dict[str, tuple[Callable[[Targets], object], str]] = {
    "ipv4": (lambda at: connect(socket.AF_INET, ("127.0.0.1", at.ipv4_port)), "over IPv4"),
    "unix": (lambda at: connect(socket.AF_UNIX, at.unix_path), "over UNIX path"),
    "abstract": (lambda at: connect(socket.AF_UNIX, f"\0{at.unix_abstract}"), "abstract UNIX"),
    "udp": (send, "a datagram"),
    "tmp": (leave("tmp"), "appeared (tmp)"),
    "shm": (leave("shm"), "appeared (shm)"),
    "home": (leave("home"), "appeared (home)"),
    "content": (lambda at: Path(at.granted).write_text("x"), "extract.csv"),
    "mode": (lambda at: Path(at.granted).chmod(0o604), "extract.csv"),
    "time": (lambda at: os.utime(at.granted, (1, 1)), "extract.csv"),
    "link": (lambda at: os.link(at.granted, f"{at.granted}.2"), "extract.csv"),
    "gone": (lambda at: Path(at.other_council).unlink(), "other-council.csv"),
    "folder": (lambda at: Path(at.outside, "new").mkdir(), "new of the host"),
    "ended": (lambda at: os.kill(at.victim, signal.SIGTERM), "has ended"),
    "stopped": (lambda at: os.kill(at.victim, signal.SIGSTOP), "another state"),
    "slowed": (lambda at: os.setpriority(os.PRIO_PROCESS, at.victim, 10), "another priority"),
    "limited": (
        lambda at: resource.prlimit(at.victim, resource.RLIMIT_NOFILE, (9, 9)),
        "another limit of open files",
    ),
    "memory": (write_memory, "memory was written"),
    "shared": (write_shared, "shared memory of the host"),
    "object": (
        lambda at: Path("/dev/shm", at.shared_name).write_bytes(b"x"),
        "a shared memory object",
    ),
    "queue": (queue, "a message queue"),
}


@pytest.mark.parametrize("name", TRACES)
def test_each_trace_is_seen_once(stage: Stage, name: str) -> None:
    assert stage.traces() == []
    act, said = TRACES[name]
    act(stage.targets(scratch=False, seconds=1))
    found = stage.traces()
    assert any(said in trace for trace in found), found
    assert stage.secret not in "".join(found)
    assert stage.traces() == []


def test_secrets_stand_where_the_attacker_looks(stage: Stage) -> None:
    at = stage.targets(scratch=False, seconds=1)
    assert os.environ[VARIABLE] == stage.secret
    assert stage.secret in Path(at.home, "keys", "store.key").read_text()
    assert stage.secret in Path(at.other_council).read_text()
    assert stage.secret in Path(f"/proc/{at.victim}/cmdline").read_text()
    assert os.get_inheritable(at.inherited)
    assert stage.secret not in Path(at.granted).read_text()


def test_nothing_is_left_behind() -> None:
    before = os.environ.get(VARIABLE)
    with Stage() as made:
        at = made.targets(scratch=False, seconds=1)
        Path(at.places["tmp"]).write_text("x")
    assert not Path(at.home).exists()
    assert not Path(at.unix_path).exists()
    assert not Path("/dev/shm", at.shared_name).exists()
    assert not Path(at.places["tmp"]).exists()
    assert os.environ.get(VARIABLE) == before
    assert ctypes.CDLL(None).shmget(at.shared_key, 0, 0) == -1
    with pytest.raises(ProcessLookupError):
        os.kill(at.victim, 0)
