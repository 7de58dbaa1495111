"""Why a TLS connection fails: name, network, proxy, certificate, or what listens there.

gRPC gives one status for all of these. So when a call has failed, or `doctor` asks, the same way
is tried once more, step by step, up to the point where the other side speaks HTTP/2. Nothing is
sent but what opens a connection.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import time
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from urllib.parse import unquote

from folkmoot_operator.network_addresses import join_address, split_address

PROBE_SECONDS = 10.0
"""How long one try may take, after the name has been looked up."""
_MAX_HEAD = 65_536
"""Bytes of a proxy's answer that are read, at most."""
_SETTINGS, _FRAME_HEAD = 4, 9
"""Type of the frame with which a server of HTTP/2 begins, and bytes of its head."""
_EXPIRED, _NOT_YET_VALID = 10, 9
_WRONG_NAME = {62, 64}  # a host name, an IP address
_REFUSES_CERTIFICATE = re.compile(r"ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)")


class Obstacle(Enum):
    """What stands in the way of a connection."""

    NAME_UNKNOWN = auto()
    """The host name is not found."""
    REFUSED = auto()
    """Nothing listens on the port, or a firewall says so."""
    NO_ROUTE = auto()
    """The host is not reached, or does not answer."""
    PROXY_NAME_UNKNOWN = auto()
    """The proxy's host name is not found."""
    PROXY_UNREACHABLE = auto()
    """The proxy is not reached."""
    NOT_A_PROXY = auto()
    """What answers in the proxy's place does not speak HTTP."""
    PROXY_WANTS_PASSWORD = auto()
    """The proxy asks for another user or password (407)."""
    PROXY_FORBIDS = auto()
    """The proxy opens no tunnel to this address (other 4xx)."""
    PROXY_FAILED = auto()
    """The proxy did not reach the address (5xx)."""
    SILENT = auto()
    """Something accepts connections, and says nothing."""
    CLOSED = auto()
    """Something accepts connections, and closes them."""
    NO_TLS = auto()
    """What listens speaks something else than TLS."""
    NO_AUTHORITY = auto()
    """What is given as the authority to trust is not a certificate."""
    WRONG_AUTHORITY = auto()
    """The server's certificate is not by the authority that is trusted, or for servers."""
    WRONG_NAME = auto()
    """The server's certificate is for other hosts."""
    EXPIRED = auto()
    """The server's certificate is past its validity, by this machine's clock."""
    NOT_YET_VALID = auto()
    """The server's certificate is not valid yet, by this machine's clock."""
    CERTIFICATE_WANTED = auto()
    """The server is the right one, and wants a certificate; none was shown."""
    CERTIFICATE_REFUSED = auto()
    """The server is the right one, and does not accept the certificate that was shown."""
    DROPPED = auto()
    """The server is the right one, and closed the connection when it had seen the certificate.

    So do servers of gRPC that do not accept it; so may one that stops, or a device on the way."""
    NO_HTTP2 = auto()
    """TLS is as it should be; what is behind it does not speak HTTP/2, as gRPC does."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A connection that failed.

    Attributes:
        by: What stood in the way.
        detail: The operating system's word for it or the proxy's status; may be empty.
        certificate: The certificate that the server showed, DER, if that was the obstacle.
    """

    by: Obstacle
    detail: str = ""
    certificate: bytes | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is reached, and who it has to be.

    Attributes:
        address: `host:port` to connect to.
        authority: Certificates that are trusted, PEM.
        proxy: `http://host:port`, or None.
        certificate: Files of the certificate and the private key to show, PEM; or None.
        server_name: Name that the server's certificate must have, if not the host's.
    """

    address: str
    authority: str
    proxy: str | None = None
    certificate: tuple[Path, Path] | None = None
    server_name: str | None = None


class _Stopped(Exception):
    def __init__(self, by: Obstacle, detail: str = "") -> None:
        super().__init__(by.name)
        self.blocked = Blocked(by, detail)


def probe(way: Way, *, seconds: float = PROBE_SECONDS) -> Blocked | None:
    """Connects as far as the first frame of HTTP/2, and closes the connection.

    Args:
        way: To whom, and how.
        seconds: Longest time.

    Returns:
        What stood in the way; None if nothing did.
    """
    deadline = time.monotonic() + seconds
    try:
        with _connected(way, deadline) as plain:
            _shake_hands(way, plain, deadline)
    except _Stopped as stopped:
        blocked = stopped.blocked
        if blocked.by in _ABOUT_ITS_CERTIFICATE:
            return Blocked(blocked.by, blocked.detail, _shown_certificate(way, deadline))
        return blocked
    return None


_ABOUT_ITS_CERTIFICATE = {
    Obstacle.WRONG_AUTHORITY, Obstacle.WRONG_NAME, Obstacle.EXPIRED, Obstacle.NOT_YET_VALID,
}  # fmt: skip


def shown_certificate(address: str, *, seconds: float = PROBE_SECONDS) -> bytes | None:
    """The certificate that a server shows, DER; None if it shows none. Nothing is trusted.

    Args:
        address: `host:port`.
        seconds: Longest time.
    """
    return _shown_certificate(Way(address, ""), time.monotonic() + seconds)


def _connected(way: Way, deadline: float) -> socket.socket:
    """A TCP connection to the server, through the proxy if there is one."""
    if way.proxy is None:
        return _connect(way.address, deadline, Obstacle.NAME_UNKNOWN, None)
    user, _, address = way.proxy.removeprefix("http://").rpartition("@")
    connection = _connect(
        address, deadline, Obstacle.PROXY_NAME_UNKNOWN, Obstacle.PROXY_UNREACHABLE
    )
    try:
        _open_tunnel(connection, way.address, unquote(user), deadline)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(
    address: str, deadline: float, unknown: Obstacle, unreachable: Obstacle | None
) -> socket.socket:
    try:
        return socket.create_connection(split_address(address), _left(deadline))
    except socket.gaierror as error:
        raise _Stopped(unknown, error.strerror or "") from None
    except ConnectionRefusedError:
        raise _Stopped(unreachable or Obstacle.REFUSED, "connection refused") from None
    except TimeoutError:
        raise _Stopped(unreachable or Obstacle.NO_ROUTE, "no answer") from None
    except OSError as error:
        raise _Stopped(unreachable or Obstacle.NO_ROUTE, error.strerror or "") from None


def _open_tunnel(connection: socket.socket, address: str, user: str, deadline: float) -> None:
    host = join_address(*split_address(address))
    lines = [f"CONNECT {host} HTTP/1.1", f"Host: {host}"]
    if user:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(user.encode()).decode()}")
    head = b""
    try:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
            connection.settimeout(_left(deadline))
            if time.monotonic() > deadline:
                raise TimeoutError
            received = connection.recv(1)  # nothing of the server's own words
            if not received:
                break
            head += received
    except OSError as error:
        raise _Stopped(Obstacle.PROXY_UNREACHABLE, error.strerror or "no answer") from None
    if not head:
        raise _Stopped(Obstacle.PROXY_UNREACHABLE, "it closes the connection")
    status = re.match(rb"HTTP/1\.[01] ([1-5][0-9]{2})\b", head)
    if status is None or b"\r\n\r\n" not in head:
        raise _Stopped(Obstacle.NOT_A_PROXY)
    code = int(status[1])
    if 200 <= code < 300:
        return
    raise _Stopped(
        Obstacle.PROXY_WANTS_PASSWORD
        if code == 407
        else Obstacle.PROXY_FORBIDS
        if 400 <= code < 500
        else Obstacle.PROXY_FAILED
        if code >= 500
        else Obstacle.NOT_A_PROXY,
        f"status {code}",
    )


def _shake_hands(way: Way, plain: socket.socket, deadline: float) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    try:
        context.load_verify_locations(cadata=way.authority)
    except (ssl.SSLError, ValueError, TypeError):
        raise _Stopped(Obstacle.NO_AUTHORITY) from None
    if way.certificate is not None:
        try:
            context.load_cert_chain(*way.certificate)
        except (OSError, ValueError) as error:  # SSLError among them
            raise _Stopped(Obstacle.CERTIFICATE_REFUSED, type(error).__name__) from None
    name = way.server_name or split_address(way.address)[0]
    # Whoever says no to our certificate says so, or closes, when the server has shown its own.
    wanted = way.certificate is None
    refusal = Obstacle.CERTIFICATE_WANTED if wanted else Obstacle.CERTIFICATE_REFUSED
    closed = Obstacle.CLOSED
    try:
        plain.settimeout(_left(deadline))
        with context.wrap_socket(plain, server_hostname=name) as connection:
            if connection.selected_alpn_protocol() != "h2":
                raise _Stopped(Obstacle.NO_HTTP2)
            closed = Obstacle.CERTIFICATE_WANTED if wanted else Obstacle.DROPPED
            connection.settimeout(_left(deadline))
            frame = connection.recv(_FRAME_HEAD)
            if not frame:
                raise _Stopped(closed)
            if len(frame) < _FRAME_HEAD or frame[3] != _SETTINGS:
                raise _Stopped(Obstacle.NO_HTTP2)
    except ssl.SSLCertVerificationError as error:
        raise _Stopped(_of_certificate(error), error.verify_message) from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise _Stopped(closed) from None
    except ssl.SSLError as error:
        reason = error.reason or ""
        by = refusal if _REFUSES_CERTIFICATE.search(reason) else _of_tls(reason)
        raise _Stopped(by, reason) from None
    except TimeoutError:
        raise _Stopped(Obstacle.SILENT) from None
    except OSError as error:
        raise _Stopped(closed, error.strerror or "") from None


def _of_certificate(error: ssl.SSLCertVerificationError) -> Obstacle:
    if error.verify_code == _EXPIRED:
        return Obstacle.EXPIRED
    if error.verify_code == _NOT_YET_VALID:
        return Obstacle.NOT_YET_VALID
    return Obstacle.WRONG_NAME if error.verify_code in _WRONG_NAME else Obstacle.WRONG_AUTHORITY


def _of_tls(reason: str) -> Obstacle:
    return Obstacle.NO_HTTP2 if "NO_APPLICATION_PROTOCOL" in reason else Obstacle.NO_TLS


def _shown_certificate(way: Way, deadline: float) -> bytes | None:
    """The certificate that the server shows, DER, for a message; nothing is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    name = way.server_name or split_address(way.address)[0]
    try:
        with (
            _connected(way, deadline) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            return connection.getpeercert(binary_form=True)
    except (OSError, _Stopped):
        return None


def _left(deadline: float) -> float:
    return max(0.1, deadline - time.monotonic())


class Step(Enum):
    """A step of the way to a server, in order; each needs those before."""

    PROXY = "proxy"
    """The proxy is found, reached, and opens a tunnel."""
    NAME = "name"
    """The host name is found."""
    PORT = "port"
    """Something takes connections at the port, and answers."""
    TLS = "TLS"
    """It speaks TLS."""
    AUTHORITY = "authority"
    """Its certificate is by the authority that is trusted, for this name, and valid now."""
    CERTIFICATE = "certificate"
    """It accepts the certificate that it is shown."""
    SERVICE = "HTTP/2"
    """It speaks HTTP/2, as gRPC does."""


_STEP = {
    Obstacle.NAME_UNKNOWN: Step.NAME,
    Obstacle.REFUSED: Step.PORT,
    Obstacle.NO_ROUTE: Step.PORT,
    Obstacle.PROXY_NAME_UNKNOWN: Step.PROXY,
    Obstacle.PROXY_UNREACHABLE: Step.PROXY,
    Obstacle.NOT_A_PROXY: Step.PROXY,
    Obstacle.PROXY_WANTS_PASSWORD: Step.PROXY,
    Obstacle.PROXY_FORBIDS: Step.PROXY,
    Obstacle.PROXY_FAILED: Step.PORT,
    Obstacle.SILENT: Step.PORT,
    Obstacle.CLOSED: Step.TLS,
    Obstacle.NO_TLS: Step.TLS,
    Obstacle.NO_AUTHORITY: Step.AUTHORITY,
    Obstacle.WRONG_AUTHORITY: Step.AUTHORITY,
    Obstacle.WRONG_NAME: Step.AUTHORITY,
    Obstacle.EXPIRED: Step.AUTHORITY,
    Obstacle.NOT_YET_VALID: Step.AUTHORITY,
    Obstacle.CERTIFICATE_WANTED: Step.CERTIFICATE,
    Obstacle.CERTIFICATE_REFUSED: Step.CERTIFICATE,
    Obstacle.DROPPED: Step.CERTIFICATE,
    Obstacle.NO_HTTP2: Step.SERVICE,
}


def steps_of(way: Way, blocked: Blocked | None) -> tuple[list[Step], Step | None]:
    """How far a try has come.

    Args:
        way: How the server was to be reached.
        blocked: What stood in the way; None if nothing did.

    Returns:
        Steps that were done, in order, and the one that was not; None if all were done. Through a
        proxy the host name is the proxy's to find.
    """
    left_out = Step.PROXY if way.proxy is None else Step.NAME
    steps = [step for step in Step if step is not left_out]
    if blocked is None:
        return steps, None
    failed = _STEP[blocked.by]
    return steps[: steps.index(failed)], failed
