"""The gate before a port: how many connections there may be, and how long each may be silent.

gRPC takes a connection and waits for its TLS handshake, however many come from one address.
Anybody who reaches the port could so use up the files that this process may open. The gate
accepts instead; what comes through its limits is passed on to gRPC behind it, byte for byte:
TLS ends there, and the gate reads no more than that a connection begins as TLS does.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

from folkmoot_coordinator.signals import events, metrics
from folkmoot_operator.events import emit
from folkmoot_operator.metrics import count, measure
from folkmoot_operator.network_addresses import join_address, split_address
from folkmoot_operator.problems import ExitCode, Problem

HELLO_SECONDS = 4.0
"""How long a connection may take until it has sent a whole ClientHello."""
FILES_PER_CONNECTION = 3
"""Files that a connection holds open: the caller's, and both ends of the one behind."""
ACCEPT_AGAIN_SECONDS = 0.1
"""How long nothing is accepted after that failed."""
NOTICE_SECONDS = 60.0
"""How often the log says that connections are turned away."""

_BACKLOG = 512
_RECORD_HEADER = 5
_MAX_RECORD = 2**14 + 256
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_IPV6_NETWORK = 64  # what one subscriber has


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections a port takes.

    Attributes:
        in_all: At one time.
        per_address: From one IPv4 address or one IPv6 network of 64 bits.
    """

    in_all: int
    per_address: int

    def within(self, files: int) -> ConnectionLimits:
        """These limits, or smaller ones that need no more than `files` open files."""
        in_all = max(1, min(self.in_all, files // FILES_PER_CONNECTION))
        return ConnectionLimits(in_all, min(self.per_address, in_all))


class _Phase(IntEnum):
    """How far a connection has come; those that came least far make room for others."""

    SILENT = 0
    """No whole ClientHello has come."""
    GREETED = 1
    """Nothing has come since the ClientHello: the handshake is not over."""
    ANSWERED = 2
    """The caller has answered the server's part of the handshake."""


def listen(address: str) -> list[socket.socket]:
    """Sockets that listen on `host:port`; a host without number stands for all its addresses.

    Raises:
        Problem: If the address cannot be listened on.
    """
    host, port = split_address(address)
    found: list[socket.socket] = []
    try:
        for family, place in _places(host, port):
            dual = family == socket.AF_INET6 and place[0] == "::" and socket.has_dualstack_ipv6()
            found.append(
                socket.create_server(place, family=family, backlog=_BACKLOG, dualstack_ipv6=dual)
            )
    except OSError as error:
        for each in found:
            each.close()
        raise Problem(
            f"the address cannot be listened on ({error.strerror or error})",
            where=address,
            remedy="Stop the program that uses the port, or set another in coordinator.toml",
            exit_code=ExitCode.SETTINGS,
        ) from None
    for each in found:
        each.setblocking(False)
    return found


def _places(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
    if host in ("0.0.0.0", "::") and socket.has_dualstack_ipv6():  # noqa: S104
        return [(socket.AF_INET6, ("::", port))]  # every address, of both kinds
    known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    places = {(int(family), (str(name[0]), port)) for family, _, _, _, name in known}
    return sorted(places)


class Gate:
    """Accepts connections for a gRPC server that listens on loopback. Of one event loop."""

    def __init__(self, name: str, limits: ConnectionLimits, port: int) -> None:
        """Does not listen yet.

        Args:
            name: Of the port, for the log.
            limits: How many connections may be open.
            port: Where gRPC listens on 127.0.0.1.
        """
        self._name = name
        self._limits = limits
        self._port = port
        self._accepting: list[asyncio.Task[None]] = []
        self._sockets: list[socket.socket] = []
        self._open: dict[str, dict[_Outside, None]] = {}
        self._count = 0
        self._by_port: dict[int, _Outside] = {}
        self._turned_away = 0

    def open(self, sockets: Sequence[socket.socket]) -> None:
        """Accepts connections on sockets that listen; closes them at the end."""
        self._sockets += sockets
        loop = asyncio.get_running_loop()
        self._accepting += [loop.create_task(self._accept(each)) for each in sockets]

    async def stop_accepting(self) -> None:
        """Takes no new connections; those that are open stay."""
        for accepting in self._accepting:
            accepting.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for each in self._sockets:
            each.close()

    async def _accept(self, listening: socket.socket) -> None:
        """Takes one connection at a time, so that no burst of them takes more files than counted.

        `asyncio.Server` accepts as many as wait, and asks only then whether they are welcome.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                taken, name = await loop.sock_accept(listening)
            except OSError as error:  # it has gone already, or files are short
                emit(events.NOT_ACCEPTED, port=self._name, error=error)
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            connection = _Outside(self, str(name[0]), name[1])
            if not self.admits(connection):
                taken.close()
                continue
            try:
                # asyncio does so of itself only for sockets that name their protocol. Without it,
                # the kernel keeps a reply back until the one before is acknowledged, 40 ms later.
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await loop.connect_accepted_socket(lambda made=connection: made, taken)  # type: ignore[misc]
            except OSError:
                self.forget(connection)
                taken.close()

    def close(self) -> None:
        """Ends every connection; to be called when none is accepted any more."""
        for connections in list(self._open.values()):
            for connection in list(connections):
                connection.abort()

    def caller(self, peer: str) -> tuple[str, str]:
        """Who is behind a connection to gRPC.

        Args:
            peer: The peer as gRPC names it: the gate's own end.

        Returns:
            The network that is counted as one caller, and the address with its port.
        """
        _, _, port = peer.rpartition(":")
        found = self._by_port.get(int(port)) if port.isdecimal() else None
        return (found.network, found.address) if found else ("?", "?")

    def shows(self, peer: str, serial: str) -> None:
        """A caller has shown a certificate, which belongs to its connection from now on.

        Args:
            peer: The peer as gRPC names it.
            serial: Serial number of the certificate, hexadecimal.
        """
        _, _, port = peer.rpartition(":")
        if port.isdecimal() and (found := self._by_port.get(int(port))):
            found.serial = serial

    def serials(self) -> set[str]:
        """Serial numbers of the certificates that were shown on connections that are open."""
        return {one.serial for one in self._by_port.values() if one.serial}

    def end(self, serials: Collection[str]) -> int:
        """Ends the connections on which one of these certificates was shown; returns how many."""
        ended = [one for one in self._by_port.values() if one.serial in serials]
        for connection in ended:
            connection.abort()
        return len(ended)

    def admits(self, connection: _Outside) -> bool:
        """Counts a new connection, if there is room or a less advanced one makes room."""
        there = self._open.setdefault(connection.network, {})
        crowded = len(there) >= self._limits.per_address or self._count >= self._limits.in_all
        if crowded:
            self._note()
        welcome = len(there) < self._limits.per_address or _give_way(there)
        if welcome and self._count >= self._limits.in_all:
            welcome = _give_way([one for each in self._open.values() for one in each])
        if welcome:
            self._open.setdefault(connection.network, {})[connection] = None
            self._count += 1
            measure(metrics.CONNECTIONS, self._count, port=self._name)
        elif not there:
            self._open.pop(connection.network, None)
        return welcome

    def forget(self, connection: _Outside) -> None:
        """A connection has ended, or is about to."""
        there = self._open.get(connection.network, {})
        if connection in there:
            del there[connection]
            self._count -= 1
            measure(metrics.CONNECTIONS, self._count, port=self._name)
        if not there:
            self._open.pop(connection.network, None)
        if self._by_port.get(connection.inner_port) is connection:
            del self._by_port[connection.inner_port]

    def joined(self, connection: _Outside) -> None:
        """A connection has its counterpart behind the gate."""
        self._by_port[connection.inner_port] = connection

    async def dial(self, connection: _Outside) -> tuple[asyncio.Transport, _Inside]:
        """Opens the connection behind the gate."""
        return await asyncio.get_running_loop().create_connection(
            lambda: _Inside(connection), "127.0.0.1", self._port
        )

    def _note(self) -> None:
        """Says from time to time that somebody had to go."""
        if not self._turned_away:
            asyncio.get_running_loop().call_later(NOTICE_SECONDS, self._say)
        self._turned_away += 1
        count(metrics.TURNED_AWAY, port=self._name)

    def _say(self) -> None:
        emit(events.TOO_MANY, port=self._name, ended=self._turned_away)
        self._turned_away = 0


def _give_way(connections: Any) -> bool:
    """Ends the oldest of the connections that have come least far, unless all have answered."""
    least = min(connections, key=lambda one: one.phase, default=None)  # the first of equals
    if least is None or least.phase is _Phase.ANSWERED:
        return False
    least.abort()
    return True


class _Outside(asyncio.Protocol):
    """A caller's end of a connection."""

    def __init__(self, gate: Gate, host: str, port: int) -> None:
        self._gate = gate
        self._hello = bytearray()
        self._deadline: asyncio.TimerHandle | None = None
        self._joining: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._inside: asyncio.Transport | None = None
        self._ended = False
        self.phase = _Phase.SILENT
        self.address = join_address(host, port)
        self.network = network_of(host)
        self.inner_port = 0
        self.serial = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._ended:
            self._transport.abort()
            return
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(HELLO_SECONDS, self.abort)

    def data_received(self, data: bytes) -> None:
        if self._inside is not None:
            self.phase = _Phase.ANSWERED
            self._inside.write(data)
            return
        self._hello += data
        if self._joining is None:
            whole = _begins_as_tls(self._hello)
            if whole is None:
                self.abort()
            elif whole:
                self.phase = _Phase.GREETED
                assert self._transport is not None
                self._transport.pause_reading()
                loop = asyncio.get_running_loop()
                self._joining = loop.create_task(self._join(self._transport))

    async def _join(self, outside: asyncio.Transport) -> None:
        try:
            inside, counterpart = await self._gate.dial(self)
        except OSError as error:
            emit(events.NOTHING_BEHIND, error=error)
            self.abort()
            return
        if outside.is_closing():
            inside.abort()
            return
        self._stop_waiting()
        self._inside = inside
        self.inner_port = inside.get_extra_info("sockname")[1]
        self._gate.joined(self)
        counterpart.outside = outside
        inside.write(bytes(self._hello))
        self._hello.clear()
        outside.resume_reading()

    def pause_writing(self) -> None:
        if self._inside is not None:
            self._inside.pause_reading()

    def resume_writing(self) -> None:
        if self._inside is not None:
            self._inside.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_waiting()
        self._gate.forget(self)
        if self._inside is not None:
            self._inside.close()

    def abort(self) -> None:
        """Ends the connection at once; it is counted no more."""
        self._ended = True
        self._gate.forget(self)
        if self._transport is not None:
            self._transport.abort()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


class _Inside(asyncio.Protocol):
    """The gate's own connection to gRPC, for one caller."""

    def __init__(self, connection: _Outside) -> None:
        self._connection = connection
        self._transport: asyncio.Transport
        self.outside: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.outside is not None:
            self.outside.write(data)

    def pause_writing(self) -> None:
        if self.outside is not None:
            self.outside.pause_reading()

    def resume_writing(self) -> None:
        if self.outside is not None:
            self.outside.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.outside is not None:
            self.outside.close()  # what was written before still goes out


def network_of(host: str) -> str:
    """What counts as one caller: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), _IPV6_NETWORK), strict=False))
    return str(address)


def _begins_as_tls(data: bytes | bytearray) -> bool | None:
    """True if a whole record with a ClientHello is there, None if it cannot become one."""
    if data[0] != _HANDSHAKE or (len(data) > 1 and data[1] != 3):
        return None
    if len(data) <= _RECORD_HEADER:
        return False
    length = int.from_bytes(data[3:5], "big")
    if data[_RECORD_HEADER] != _CLIENT_HELLO or not 0 < length <= _MAX_RECORD:
        return None
    return len(data) >= _RECORD_HEADER + length
