"""One port: a gate, a gRPC server behind it, and workers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from folkmoot_coordinator.membership.caller import Member
from folkmoot_coordinator.server.gate import ConnectionLimits, Gate
from folkmoot_coordinator.server.methods import Method
from folkmoot_coordinator.server.open_files import left_for_connections
from folkmoot_coordinator.server.places import Places
from folkmoot_coordinator.server.reception import Reception
from folkmoot_coordinator.server.server_certificates import ServerCertificates

Result = TypeVar("Result")

GRACE_SECONDS = 10.0
"""How long running calls may take when the coordinator stops."""
HANDSHAKE_SECONDS = 6.0
"""How long a TLS handshake may take once its ClientHello has come; ten seconds with the gate's."""
STREAMS_PER_CONNECTION = 16
"""Calls a node may have open on one connection."""
CALLS = 2048
"""Calls that one port takes at one time; more are told to come back."""


@dataclass(frozen=True, slots=True)
class PortLimits:
    """What callers may make a port do at one time.

    Attributes:
        workers: Calls that are worked on; one caller has a third of them at most.
        calls_each: Calls of one caller: a council, or the network of a stranger.
        call_seconds: Longest duration of a call, in seconds.
        connections: How many there may be.
        idle_seconds: After how long without a call a connection is closed.
        message_bytes: Largest message.
    """

    workers: int
    calls_each: int
    call_seconds: float
    connections: ConnectionLimits
    idle_seconds: int
    message_bytes: int


class ServingPort:
    """Serves methods on sockets that listen. Of one event loop."""

    def __init__(
        self,
        name: str,
        methods: Iterable[Method],
        certificates: ServerCertificates,
        authenticate: Callable[[bytes | None], Member],
        limits: PortLimits,
        *,
        mutual: bool,
    ) -> None:
        """Serves nothing yet.

        Args:
            name: For threads and the log.
            methods: What it serves.
            certificates: What it shows.
            authenticate: The council whose certificate was shown; raises Rejected.
            limits: What callers may make it do.
            mutual: True if callers must show a certificate of the authority.
        """
        self._name = name
        self._methods = tuple(methods)
        self._certificates = certificates
        self._authenticate = authenticate
        self._limits = limits
        self._mutual = mutual
        self._workers = ThreadPoolExecutor(limits.workers, thread_name_prefix=name)
        self._server: grpc.aio.Server | None = None
        self._gate: Gate | None = None

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serves what comes through these sockets, and closes them at the end."""
        limits = self._limits
        server = grpc.aio.server(options=self._options(), maximum_concurrent_rpcs=CALLS)
        credentials = self._certificates.credentials(mutual=self._mutual)
        port = server.add_secure_port("127.0.0.1:0", credentials)
        gate = Gate(self._name, limits.connections.within(left_for_connections()), port)
        reception = Reception(
            self._methods,
            authenticate=self._authenticate,
            caller=gate.caller,
            shows=gate.shows,
            places=Places(limits.calls_each, max(1, limits.workers // 3)),
            workers=self._workers,
            call_seconds=limits.call_seconds,
        )
        server.add_generic_rpc_handlers((reception,))
        await server.start()
        gate.open(sockets)
        self._server, self._gate = server, gate

    async def serials(self) -> set[str]:
        """Serial numbers of the certificates that were shown on connections that are open."""
        return self._gate.serials() if self._gate is not None else set()

    async def end(self, serials: Collection[str]) -> int:
        """Ends the connections on which one of these certificates was shown, and their calls.

        Returns:
            How many connections.
        """
        return self._gate.end(serials) if self._gate is not None else 0

    async def stop(self) -> None:
        """Takes no new calls, lets running ones finish, and ends every connection."""
        if self._server is not None and self._gate is not None:
            await self._gate.stop_accepting()
            await self._server.stop(GRACE_SECONDS)
            self._gate.close()
        self._workers.shutdown(wait=False)

    def _options(self) -> list[tuple[str, Any]]:
        return [
            ("grpc.so_reuseport", 0),
            ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION),
            ("grpc.server_handshake_timeout_ms", int(1000 * HANDSHAKE_SECONDS)),
            ("grpc.max_connection_idle_ms", 1000 * self._limits.idle_seconds),
            ("grpc.max_receive_message_length", self._limits.message_bytes),
            ("grpc.compression_enabled_algorithms_bitset", 1),  # none: little can become much
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ]


class ServingLoop:
    """An event loop in a thread of its own, in which ports serve."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="serving-loop", daemon=True
        )
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Waits for what is done in the loop; raises what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def answers(self, seconds: float) -> bool:
        """Whether the loop does something that it is asked to do within this time."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(done.set)
        return done.wait(seconds)

    def stop(self) -> None:
        """Ends the loop and its thread."""
        self.run(_finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _finish() -> None:
    """Lets what was cancelled or aborted come to its end."""
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    if others:
        await asyncio.wait(others, timeout=GRACE_SECONDS)
