"""Things that listen on loopback in the place of a coordinator or a proxy."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from folkmoot_coordinator.membership.certificate_authority import ServerIdentity

Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def listening(serve: Serve) -> Iterator[str]:
    """Its address; each connection is given to `serve` in a thread, and closed afterwards."""

    def attend(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=attend, args=server.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def saying(words: bytes) -> Serve:
    """Hears something and answers with the same words, whatever it was."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(words)

    return serve


def silence(connection: socket.socket) -> None:
    """Accepts and says nothing until the other side leaves."""
    while connection.recv(65_536):
        pass


def tls(
    identity: ServerIdentity,
    folder: Path,
    words: bytes,
    *,
    alpn: str = "",
    heard: list[bytes] | None = None,
) -> Serve:
    """Speaks TLS, and then says what it is given; notes what it hears."""
    files = folder / "listener.crt", folder / "listener.key"
    for path, content in zip(files, (identity.certificate, identity.key), strict=True):
        path.write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if alpn:
        context.set_alpn_protocols([alpn])

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.sendall(words)
            received = encrypted.recv(65_536)
            if heard is not None:
                heard.append(received)

    return serve


@dataclass
class Proxy:
    """An HTTP proxy that opens tunnels, and notes what was asked of it."""

    asked: list[str] = field(default_factory=list)

    def __call__(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        self.asked.append(head.decode())
        host, _, port = head.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port)), 5) as onward:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(onward, connection), daemon=True)
            back.start()
            _pass_on(connection, onward)
            back.join(5)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while received := source.recv(65_536):
            target.sendall(received)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def grpc_server(
    identity: ServerIdentity | None, clients: bytes | None = None, port: str = "0"
) -> Iterator[str]:
    """A server of gRPC that knows no service, with TLS if it has an identity.

    Args:
        identity: What it shows.
        clients: The authority of the clients that it accepts, PEM; None for any client.
        port: Where it listens; any free port by default.
    """
    server = grpc.server(ThreadPoolExecutor(2))
    if identity is None:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
    else:
        credentials = grpc.ssl_server_credentials(
            [(identity.key, identity.certificate)], clients, clients is not None
        )
        bound = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    server.start()
    yield f"127.0.0.1:{bound}"
    server.stop(None).wait()
