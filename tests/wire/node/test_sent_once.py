"""A message that leaves is in the egress log as often as it leaves."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_node.evidence.database import StateDatabase, system_clock
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.federation.client import CoordinatorClient
from folkmoot_operator.problems import ExitCode, Problem

PREFACE = 24
DATA, SETTINGS, GOAWAY = 0, 4, 7


def frame(kind: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + bytes(4) + payload


class GoingAway:
    """An HTTP/2 server that takes each message and says that it never saw it.

    gRPC sends such a message again by itself, unless it is told not to.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.bodies: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    self._serve(secured)
            except OSError:
                if self._listener.fileno() < 0:
                    return

    def _serve(self, connection: ssl.SSLSocket) -> None:
        with connection.makefile("rb") as stream:
            stream.read(PREFACE)
            connection.sendall(frame(SETTINGS))
            while len(head := stream.read(9)) == 9:
                payload = stream.read(int.from_bytes(head[:3], "big"))
                if head[3] == SETTINGS and not head[4] & 1:
                    connection.sendall(frame(SETTINGS, flags=1))
                if head[3] == DATA:
                    self.bodies.append(payload)
                    connection.sendall(frame(GOAWAY, bytes(8)))
                    time.sleep(0.2)
                    return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path, "Test", system_clock())


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[GoingAway]:
    identity = authority.issue_server_identity(("127.0.0.1",), system_clock(), 3)
    pem = tmp_path / "server.pem"
    pem.write_bytes(identity.certificate + identity.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2"])
    server = GoingAway(context)
    yield server
    server.close()


def test_nothing_is_sent_again_behind_the_logs_back(
    tmp_path: Path, authority: Authority, server: GoingAway
) -> None:
    with StateDatabase(tmp_path / "state.sqlite", create=True) as state:
        egress = EgressLog(state, system_clock)
        with (
            CoordinatorClient.for_newcomer(server.address, authority.pem, egress) as client,
            pytest.raises(Problem) as caught,
        ):
            client.enrol(b"t" * 32, "E08000009", b"request")
        assert caught.value.exit_code is ExitCode.UNREACHABLE
        assert len(server.bodies) == len(list(egress.departures())) == 1
