"""What an operator reads when the coordinator is not reached: one text for each cause.

The commands are real processes, so that what gRPC itself writes to standard error is seen.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from stage import COUNCIL, Stage

from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.membership.certificate_authority import (
    Authority,
    ServerIdentity,
    SigningRequest,
)
from folkmoot_node.answering.event import Event
from folkmoot_node.federation.connection_problems import ConnectionProblem
from folkmoot_node.federation.identity import KeyFiles, create_request
from folkmoot_node.home import open_home
from folkmoot_node.running.serve import serve
from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.connection_probe import Obstacle, Way, probe
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode
from tests.commands import Done
from tests.forked_commands import run_forked
from tests.listeners import Proxy, grpc_server, listening, saying, silence, tls
from tests.ports import free_port

REFUSED, SETTINGS, UNREACHABLE = ExitCode.REFUSED, ExitCode.SETTINGS, ExitCode.UNREACHABLE


@dataclass(frozen=True)
class Place:
    """Where a listener is made."""

    authority: Authority
    folder: Path

    def identity(self, *, host: str = "127.0.0.1", begins: int = 0) -> ServerIdentity:
        """What the region's coordinator shows, made `begins` days from now for 30 days."""
        return self.authority.issue_server_identity((host,), int(time.time()) + begins * DAY, 30)

    def stranger(self) -> ServerIdentity:
        folder = self.folder / "stranger"
        folder.mkdir()
        other = Authority.create(folder, "Inspecting Box", int(time.time()))
        return other.issue_server_identity(("127.0.0.1",), int(time.time()), 30)


def set_address(home: Path, **values: str) -> None:
    """Writes keys of `[coordinator]` into node.toml."""
    path = home / "node.toml"
    table = {"enrolment_address": "127.0.0.1:9", **values}
    before = path.read_text("utf-8").partition("\n[coordinator]\n")[0]
    lines = [f'{key} = "{value}"' for key, value in table.items()]
    path.write_text("\n".join([before, "[coordinator]", *lines, ""]), "utf-8")


def address_of(stage: Stage) -> str:
    settings = load_config(stage.home).coordinator
    assert settings is not None
    return settings.address


def ask(stage: Stage) -> Done:
    return run_forked("folkmoot-node", "rounds", "list", "--home", stage.home)


def require_one_message(done: Done, code: ExitCode, *says: str) -> None:
    lines = done.stderr.splitlines()
    assert done.code == code, done
    assert [line[:6] for line in lines] == ["Error:", "  Reme"], done.stderr
    for text in says:
        assert text in done.stderr, done.stderr


@contextlib.contextmanager
def nowhere(_: Place) -> Iterator[str]:
    yield f"127.0.0.1:{free_port()}"


@contextlib.contextmanager
def unknown_name(_: Place) -> Iterator[str]:
    yield "no-such-coordinator.invalid:7443"


LISTENERS: dict[str, tuple[Callable[[Place], AbstractContextManager[str]], ExitCode, str]] = {
    "name": (unknown_name, UNREACHABLE, "its name cannot be resolved"),
    "refused": (nowhere, UNREACHABLE, "the connection is refused"),
    "closes": (lambda _: listening(lambda _: None), UNREACHABLE, "closes them"),
    "authority": (
        lambda place: grpc_server(place.stranger()),
        REFUSED,
        "not by this region's authority but by 'Inspecting Box'",
    ),
    "certificate of another host": (
        lambda place: grpc_server(place.identity(host="folkmoot.example")),
        SETTINGS,
        "is not for this name but for folkmoot.example",
    ),
    "expired": (
        lambda place: grpc_server(place.identity(begins=-40)),
        REFUSED,
        "certificate has expired on",
    ),
    "clock": (
        lambda place: grpc_server(place.identity(begins=40)),
        SETTINGS,
        "Set the clock of this machine",
    ),
    "web server": (
        lambda _: listening(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        SETTINGS,
        "does not speak TLS: it is not a coordinator",
    ),
    "gRPC without TLS": (lambda _: grpc_server(None), SETTINGS, "does not speak TLS"),
    "TLS without HTTP/2": (
        lambda place: listening(tls(place.identity(), place.folder, b"hello")),
        SETTINGS,
        "it is not a coordinator",
    ),
    "another service": (
        lambda place: grpc_server(place.identity()),
        SETTINGS,
        "is not a coordinator's collection port",
    ),
}


@pytest.mark.parametrize("kind", LISTENERS)
def test_each_fault_has_its_own_message(stage: Stage, tmp_path: Path, kind: str) -> None:
    make, code, says = LISTENERS[kind]
    with make(Place(stage.authority, tmp_path)) as address:
        set_address(stage.home, address=address)
        require_one_message(ask(stage), code, address, says)


def test_the_messages_differ() -> None:
    says = [says for _, _, says in LISTENERS.values()]
    assert len(set(says)) == len(says)


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (b"HTTP/1.1 407 Who?\r\n\r\n", SETTINGS, "another user name or password"),
        (b"HTTP/1.1 403 No\r\n\r\n", REFUSED, "opens no tunnel to the coordinator (status 403)"),
        (b"HTTP/1.1 502 No\r\n\r\n", UNREACHABLE, "the proxy does not reach the coordinator"),
        (b"SSH-2.0-x\r\n", SETTINGS, "not an HTTP proxy"),
        (b"", UNREACHABLE, "the proxy cannot be reached"),
    ],
)
def test_a_fault_of_the_proxy(stage: Stage, answer: bytes, code: ExitCode, says: str) -> None:
    with listening(saying(answer)) as proxy:
        set_address(stage.home, address=address_of(stage), proxy=f"http://me:s3cret@{proxy}")
        done = ask(stage)
    require_one_message(done, code, f"through {proxy}", says)
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize(
    ("host", "says"),
    [("127.0.0.1", "connection refused"), ("no-such-proxy.invalid", "cannot be resolved")],
)
def test_a_proxy_that_is_not_there(stage: Stage, host: str, says: str) -> None:
    set_address(stage.home, address=address_of(stage), proxy=f"http://{host}:{free_port()}")
    require_one_message(ask(stage), UNREACHABLE, "the proxy cannot be reached", says)


def test_a_proxy_is_used_whatever_the_environment_says(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    proxy, address = Proxy(), address_of(stage)
    with listening(proxy) as at:
        set_address(stage.home, address=address, proxy=f"http://me:s3cret@{at}")
        assert ask(stage).code == 0
    assert len(proxy.asked) == 1
    assert proxy.asked[0].startswith(f"CONNECT {address} HTTP/1")
    assert "Basic bWU6czNjcmV0" in proxy.asked[0]


def test_a_proxy_of_the_environment_is_not_used(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy()
    with listening(proxy) as at:
        for name in ("http_proxy", "https_proxy", "grpc_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{at}")
        assert ask(stage).code == 0
    assert proxy.asked == []


def test_a_certificate_that_the_coordinator_does_not_accept(stage: Stage, tmp_path: Path) -> None:
    """gRPC closes the connection without a word, as a coordinator does that stops."""
    folder = tmp_path / "before"
    folder.mkdir()
    before = Authority.create(folder, "Test", int(time.time()))
    files = KeyFiles(stage.home / "keys")
    request = SigningRequest.parse(create_request(files, COUNCIL))
    issued = before.issue_node_certificate(request, COUNCIL, int(time.time()), 30)
    pem = x509.load_der_x509_certificate(issued.certificate).public_bytes(
        serialization.Encoding.PEM
    )
    write_private(files.certificate, pem, replace=True)
    require_one_message(
        ask(stage), UNREACHABLE, "when it has seen this node's certificate: it does"
    )


def test_a_listener_that_says_nothing_is_named_in_time(stage: Stage) -> None:
    with listening(silence) as address:
        began = time.monotonic()
        blocked = probe(Way(address, stage.authority.pem.decode()), seconds=0.5)
    assert blocked is not None
    assert blocked.by is Obstacle.SILENT
    assert time.monotonic() - began < 60


def test_a_proxy_that_says_a_letter_now_and_then_is_named_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)

    with listening(drip) as proxy:
        began = time.monotonic()
        blocked = probe(Way("127.0.0.1:1", "", f"http://{proxy}"), seconds=0.5)
    assert blocked is not None
    assert blocked.by is Obstacle.PROXY_UNREACHABLE
    assert time.monotonic() - began < 60


def test_a_probe_sends_nothing_but_what_opens_a_connection(stage: Stage, tmp_path: Path) -> None:
    identity = Place(stage.authority, tmp_path).identity()
    heard: list[bytes] = []
    settings_frame = b"\0\0\0\4\0\0\0\0\0"
    serve = tls(identity, tmp_path, settings_frame, alpn="h2", heard=heard)
    with listening(serve) as address:
        assert probe(Way(address, stage.authority.pem.decode())) is None
        until = time.monotonic() + 60
        while not heard and time.monotonic() < until:
            time.sleep(0.01)
    assert heard == [b""]


def test_an_authority_that_cannot_be_read_is_said(stage: Stage) -> None:
    for authority in ("", "no certificate", "\ufffd"):
        blocked = probe(Way(address_of(stage), authority))
        assert blocked is not None
        assert blocked.by is Obstacle.NO_AUTHORITY


def test_nothing_stands_in_the_way_of_a_coordinator(stage: Stage) -> None:
    files = KeyFiles(stage.home / "keys")
    authority, address = stage.authority.pem.decode(), address_of(stage)
    assert probe(Way(address, authority, certificate=(files.certificate, files.tls_key))) is None
    blocked = probe(Way(address, authority))
    assert blocked is not None
    assert blocked.by is Obstacle.CERTIFICATE_WANTED


def test_another_server_at_the_address_stops_a_node_only_at_its_start(
    stage: Stage, tmp_path: Path
) -> None:
    """Who can turn the name of the coordinator elsewhere for a minute must not stop nodes."""
    address, stop, problems = address_of(stage), threading.Event(), []

    def report(event: Event) -> None:
        if "not by this region's authority" in event.text:
            problems.append(event)
        if len(problems) == 2:
            stop.set()

    stranger = Place(stage.authority, tmp_path).stranger()
    with contextlib.ExitStack() as stack:

        def replace() -> None:
            while len(stage.coordinator.metadata) < 2:  # the first visit has ended
                time.sleep(0.01)
            stage.server.stop(0.2).wait()
            stack.enter_context(grpc_server(stranger, port=address.rpartition(":")[2]))

        replacing = threading.Thread(target=replace)
        replacing.start()
        with open_home(stage.home) as home:
            serve(home, report, stop=stop, until_idle=True, poll_seconds=0.1)
            replacing.join()
            assert all(event.is_problem for event in problems)
            with pytest.raises(ConnectionProblem) as caught:
                serve(home, report, stop=threading.Event(), until_idle=True, poll_seconds=0.1)
    assert caught.value.exit_code is REFUSED
