"""The gate before a port: what it lets through, and who makes room for whom."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from folkmoot_coordinator.server import gate as gates
from folkmoot_coordinator.server.gate import ConnectionLimits, Gate, listen, network_of
from folkmoot_operator.problems import ExitCode, Problem

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
MIB = 2**20


def client_hello() -> bytes:
    said = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said, server_hostname="coordinator").do_handshake()
    return said.read()


HELLO = client_hello()


class Hall:
    """A gate, and behind it a server that sends back what it gets."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._streams: list[Streams] = []
        self.peers: list[str] = []

    async def open(self) -> None:
        self._behind = await asyncio.start_server(self._echo, "127.0.0.1", 0)
        self.gate = Gate("test", self._limits, self._behind.sockets[0].getsockname()[1])
        sockets = [socket.create_server(("127.0.0.1", 0), backlog=128)]
        sockets[0].setblocking(False)
        self._port = sockets[0].getsockname()[1]
        self.gate.open(sockets)

    async def close(self) -> None:
        for _, writer in self._streams:
            writer.close()
        await self.gate.stop_accepting()
        self.gate.close()
        self._behind.close()
        await asyncio.sleep(0.05)

    async def connect(self, *words: bytes) -> Streams:
        streams = await asyncio.open_connection("127.0.0.1", self._port, limit=64 * MIB)
        self._streams.append(streams)
        for word in words:
            streams[1].write(word)
            assert await streams[0].readexactly(len(word)) == word
        return streams

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers.append(f"ipv4:127.0.0.1:{writer.get_extra_info('peername')[1]}")
        try:
            while data := await reader.read(MIB):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


def inside(work: Callable[[Hall], Awaitable[None]], in_all: int = 8, per_address: int = 8) -> None:
    """Runs a test within a hall."""

    async def run() -> None:
        hall = Hall(ConnectionLimits(in_all, per_address))
        await hall.open()
        try:
            await asyncio.wait_for(work(hall), 30)
        finally:
            await hall.close()

    asyncio.run(run())


async def ended(streams: Streams, seconds: float = 10) -> bool:
    """Whether the other side ends the connection, sending nothing more."""
    try:
        return await asyncio.wait_for(streams[0].read(1), seconds) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_what_begins_as_tls_is_passed_on_both_ways_whatever_its_size() -> None:
    async def work(hall: Hall) -> None:
        reader, writer = await hall.connect(HELLO)
        much = bytes(range(256)) * (8 * MIB // 256)
        writer.write(much)
        assert await reader.readexactly(len(much)) == much

    inside(work)


def test_replies_are_not_kept_back_until_earlier_ones_are_acknowledged() -> None:
    async def work(hall: Hall) -> None:
        await hall.connect(HELLO)
        (outside,) = hall.gate._by_port.values()
        for transport in (outside._transport, outside._inside):
            assert transport is not None
            taken = transport.get_extra_info("socket")
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

    inside(work)


def test_a_client_hello_may_come_in_pieces() -> None:
    async def work(hall: Hall) -> None:
        reader, writer = await hall.connect()
        for at in range(0, len(HELLO), 100):
            writer.write(HELLO[at : at + 100])
            await writer.drain()
            await asyncio.sleep(0.001)
        assert await reader.readexactly(len(HELLO)) == HELLO

    inside(work)


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n", b"\x16\x04", b"\x16\x03\x01\xff\xff\x01"])
def test_what_is_no_tls_is_ended_at_once(said: bytes) -> None:
    async def work(hall: Hall) -> None:
        streams = await hall.connect()
        streams[1].write(said)
        assert await ended(streams)
        assert not hall.peers

    inside(work)


@pytest.mark.parametrize("said", [b"", HELLO[:1], HELLO[:-1]])
def test_a_connection_without_a_whole_client_hello_is_ended(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(gates, "HELLO_SECONDS", 0.2)

    async def work(hall: Hall) -> None:
        streams = await hall.connect()
        streams[1].write(said)
        assert await ended(streams)
        assert not hall.peers

    inside(work)


@pytest.mark.parametrize(("in_all", "per_address"), [(3, 8), (8, 3)])
def test_the_oldest_of_those_that_came_least_far_makes_room(in_all: int, per_address: int) -> None:
    async def work(hall: Hall) -> None:
        served = await hall.connect(HELLO, b"the handshake goes on")
        greeted = await hall.connect(HELLO)
        silent = await hall.connect()
        first = await hall.connect(HELLO)
        assert await ended(silent)
        second = await hall.connect(HELLO)
        assert await ended(greeted), "no silent one was left"
        for streams in (served, first, second):
            streams[1].write(b"still there")
            assert await streams[0].readexactly(11) == b"still there"
        assert await ended(await hall.connect()), "those that are served do not make room"

    inside(work, in_all, per_address)


def test_a_place_is_free_when_its_connection_has_ended() -> None:
    async def work(hall: Hall) -> None:
        for _ in range(20):
            _, writer = await hall.connect(HELLO, b"more")
            writer.close()
            await asyncio.sleep(0.01)
        await hall.connect(HELLO, b"more")

    inside(work, 2, 2)


def test_the_caller_behind_a_connection_is_known() -> None:
    async def work(hall: Hall) -> None:
        _, writer = await hall.connect(HELLO)
        host, port = writer.get_extra_info("sockname")
        assert hall.gate.caller(hall.peers[0]) == (host, f"{host}:{port}")
        assert hall.gate.caller("unix:") == ("?", "?")

    inside(work)


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_who_counts_as_one_caller(host: str, network: str) -> None:
    assert network_of(host) == network


def test_limits_fit_into_the_files_there_are() -> None:
    limits = ConnectionLimits(2000, 500)
    assert limits.within(60_000) == limits
    assert limits.within(900) == ConnectionLimits(300, 300)
    assert limits.within(1) == ConnectionLimits(1, 1)


def test_an_address_that_is_taken_is_a_problem_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Problem, match="cannot be listened on") as caught:
            listen(address)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert caught.value.where == address


def test_the_limit_of_files_is_raised_at_the_start() -> None:
    script = (
        "import resource as r; from folkmoot_coordinator.server.open_files import raise_limit;"
        "hard = r.getrlimit(r.RLIMIT_NOFILE)[1]; r.setrlimit(r.RLIMIT_NOFILE, (64, hard));"
        "raise_limit(); print(*r.getrlimit(r.RLIMIT_NOFILE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    soft, hard = map(int, done.stdout.split())
    assert soft == (min(65_536, hard) if hard > 0 else 65_536)
