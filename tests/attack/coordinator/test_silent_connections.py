"""Connections that send nothing, or too little, do not shut out enrolled councils."""

from __future__ import annotations

import functools
import resource
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from folkmoot.geography import GssCode
from folkmoot.versions import SPOKEN
from folkmoot_coordinator.server import port as port_module
from folkmoot_operator.network_addresses import split_address

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region, ServeProcess

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")
CONNECTIONS = 1_100
FILES = 1_024
SECONDS = 60.0
"""Within which an enrolled council must be answered, on a machine that is busy."""


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    """Lets the attacker open as many files as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8 * CONNECTIONS
    if hard not in (resource.RLIM_INFINITY,) and hard < wanted:
        pytest.skip(f"this account may open {hard} files; the attack needs {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@functools.cache
def client_hello() -> bytes:
    """What begins a TLS connection."""
    said = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said, server_hostname="coordinator").do_handshake()
    return said.read()


@pytest.mark.parametrize("port", ["enrolment", "collection"])
def test_connections_that_hang_do_not_shut_out_councils(
    stopped_region: Region, serve: Callable[..., ServeProcess], intensity: int, port: str
) -> None:
    """They say nothing, half of a ClientHello, a whole one, or what is no TLS."""
    region = stopped_region
    process = serve(region.home.path, files=FILES)
    member, newcomer = region.member(TRAFFORD), region.invite(BURY)
    member.seconds = newcomer.seconds = SECONDS
    address = split_address(getattr(region.settings, port).listen)
    sayings = (b"", client_hello()[:40], client_hello(), b"GET / HTTP/1.1\r\n\r\n")
    held: list[socket.socket] = []
    try:
        for number in range(CONNECTIONS * intensity):
            held.append(socket.create_connection(address, SECONDS))
            try:
                held[-1].sendall(sayings[number % len(sayings)])
            except OSError:
                continue  # turned away already
        for _ in range(3):
            begin = time.monotonic()
            assert member.negotiate() == SPOKEN.newest
            assert time.monotonic() - begin < SECONDS
        newcomer.enrol()
        assert newcomer.negotiate() == SPOKEN.newest
    finally:
        for each in held:
            each.close()
    assert process.process.poll() is None
    assert "Too many open files" not in (region.home.path / "serve.log").read_text()


def test_a_handshake_that_is_not_finished_is_ended(
    stopped_region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_module, "HANDSHAKE_SECONDS", 0.5)
    stopped_region.start()
    address = split_address(stopped_region.settings.collection.listen)
    with socket.create_connection(address, SECONDS) as connection:
        connection.sendall(client_hello())
        begin = time.monotonic()
        while connection.recv(65_536):
            pass
    assert time.monotonic() - begin < SECONDS
