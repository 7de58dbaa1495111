"""With the grant a process connects to others by TCP; without, to nobody. It never listens."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_kit.confinement import Grants
from tests.confined_code import run_confined

CONNECT = """
import socket
with socket.create_connection(("127.0.0.1", {port}), timeout=5) as made:
    result = made.recv(5).decode()
"""


@pytest.fixture
def port() -> Iterator[int]:
    """A server on this machine that says hello."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    caller.sendall(b"hello")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_connects_with_the_grant_alone(port: int) -> None:
    assert run_confined(CONNECT.format(port=port), Grants(network=True)).value == "hello"
    assert run_confined(CONNECT.format(port=port)).error.startswith("PermissionError")
    assert run_confined(CONNECT.format(port=port), Grants(clock=True)).error.startswith(
        "PermissionError"
    )


def test_finds_names_and_certificates_with_the_grant() -> None:
    code = (
        "import socket, ssl\n"
        "authorities = ssl.create_default_context().get_ca_certs()\n"
        "result = [socket.getaddrinfo('localhost', 443)[0][4][1], len(authorities)]\n"
    )

    outcome = run_confined(code, Grants(network=True))

    assert outcome.value is not None, outcome
    assert outcome.value[0] == 443
    if any(Path("/etc/ssl/certs").glob("*.pem")):
        assert outcome.value[1] > 10


@pytest.mark.parametrize("attempt", [
    "socket.create_server(('127.0.0.1', 0))",
    "socket.socket().bind(('127.0.0.1', 0))",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(('127.0.0.1', 0))",
    "socket.socket(socket.AF_INET, socket.SOCK_RAW)",
    "socket.socket(socket.AF_UNIX)",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "socket.socket(socket.AF_VSOCK)",
    "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
    "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].connect('\\0folkmoot-elsewhere')",
])  # fmt: skip
@pytest.mark.parametrize("network", [False, True], ids=["no network", "network"])
def test_neither_listens_nor_reaches_what_is_not_the_internet(attempt: str, network: bool) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind("\0folkmoot-elsewhere")

        outcome = run_confined(f"import socket; {attempt}", Grants(network=network))

    assert outcome.error.startswith("PermissionError"), outcome


def test_keys_beside_certificates_are_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from folkmoot_kit.confinement import folders

    private = tmp_path / "ssl" / "private"
    private.mkdir(parents=True)
    (private / "key.pem").write_text("a key")
    (tmp_path / "ssl" / "cert.pem").write_text("a certificate")
    monkeypatch.setattr(folders, "_OF_NETWORKS", (str(tmp_path / "ssl"),))
    monkeypatch.setattr(folders, "_PRIVATE", (str(private),))
    code = (
        "import os\n"
        f"folder = {str(tmp_path / 'ssl')!r}\n"
        "result = [open(folder + '/cert.pem').read(), os.listdir(folder + '/private')]\n"
    )

    outcome = run_confined(code, Grants(network=True))

    assert outcome.value == ["a certificate", []], outcome
