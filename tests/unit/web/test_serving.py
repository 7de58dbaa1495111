"""A site that listens: TLS, reverse proxies, ports that are taken, an orderly end."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from pathlib import Path
from threading import get_ident

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from folkmoot_operator import service_manager
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web import request_size, serving
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.routes import Routes
from folkmoot_web.serving import Serving
from folkmoot_web.settings import WebSettings
from folkmoot_web.site import build_site
from tests.ports import free_port
from tests.web_site import PASSWORD, Browser, product, routes, running_site, serving_site


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A folder with `site.crt` and `site.key` for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "site.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "site.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return tmp_path


TLS = {"certificate": "site.crt", "key": "site.key"}


def test_over_tls_cookies_are_for_this_host_alone(certificate: Path) -> None:
    context = ssl.create_default_context(cafile=str(certificate / "site.crt"))
    with running_site(certificate, tls=TLS) as site, Browser(site, verify=context) as browser:
        assert site.address.startswith("https://")
        site.add_account("alice", "reader")
        answer = browser.sign_in("alice", PASSWORD)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-folkmoot-session=")
        for part in ("; Secure", "; HttpOnly", "; Path=/", "; SameSite=lax"):
            assert part in cookie
        assert "domain" not in cookie.lower()
        page = browser.get("/notes")
        assert page.status_code == 200
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert "__Host-folkmoot-session" in browser.get("/cookies").text


def test_a_page_is_not_kept_back_until_its_head_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    original = serving._Impatient.connection_made

    def connection_made(self: serving._Impatient, transport: asyncio.Transport) -> None:
        connection = transport.get_extra_info("socket")
        taken.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        original(self, transport)

    monkeypatch.setattr(serving._Impatient, "connection_made", connection_made)
    with running_site(tmp_path) as site, Browser(site) as browser:
        assert browser.get("/").status_code < 500
    assert taken
    assert set(taken) == {1}


@pytest.mark.parametrize("spoilt", ["missing", "not PEM", "another key"])
def test_certificate_files_that_cannot_be_used(spoilt: str, certificate: Path) -> None:
    settings = WebSettings.model_validate({"name": "Here", "tls": TLS})
    key = certificate / "site.key"
    if spoilt == "missing":
        key.unlink()
    elif spoilt == "not PEM":
        key.write_text("not a key")
    else:
        other = ec.generate_private_key(ec.SECP256R1())
        key.write_bytes(
            other.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    app = build_site(settings, product(), home=certificate)
    with pytest.raises(Problem, match="cannot be used") as caught:
        Serving(app, settings, home=certificate)
    assert caught.value.exit_code == ExitCode.SETTINGS


def test_behind_a_proxy_the_visitor_is_whom_the_proxy_names(tmp_path: Path) -> None:
    shown = Routes()

    @shown.get("/who", permission=PUBLIC)
    def who(request: Request) -> Response:
        assert request.client is not None
        return PlainTextResponse(f"{request.client.host} {request.url.scheme}")

    port = free_port()
    settings = WebSettings.model_validate(
        {"name": "Here", "listen": f"127.0.0.1:{port}", "proxies": ["127.0.0.1"],
         "address": "https://notes.example"}
    )  # fmt: skip
    site = product(routes=(*routes(), shown))
    forwarded = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https",
                 "Host": "notes.example"}  # fmt: skip
    with serving_site(settings, site, tmp_path):
        answer = httpx2.get(f"http://127.0.0.1:{port}/who", headers=forwarded)
        assert answer.text == "198.51.100.7 https"
        assert "strict-transport-security" in answer.headers


def test_behind_a_proxy_nobody_else_may_connect(tmp_path: Path) -> None:
    port = free_port()
    settings = WebSettings.model_validate(
        {"name": "Here", "listen": f"127.0.0.1:{port}", "proxies": ["192.0.2.1"],
         "address": "https://notes.example"}
    )  # fmt: skip
    with serving_site(settings, product(), tmp_path):
        answer = httpx2.get(f"http://127.0.0.1:{port}/", headers={"X-Forwarded-For": "192.0.2.1"})
        assert answer.status_code == 403
        assert "reverse proxy" in answer.text


def test_without_a_proxy_nobody_is_believed(tmp_path: Path) -> None:
    with running_site(tmp_path, attempts={"per_address": 1}) as site, Browser(site) as browser:
        browser.headers["X-Forwarded-For"] = "198.51.100.7"
        assert browser.sign_in("a", "x").status_code == 422
        browser.headers["X-Forwarded-For"] = "198.51.100.8"
        assert browser.sign_in("b", "x").status_code == 429


def test_it_does_not_listen_openly_without_tls(tmp_path: Path) -> None:
    settings = WebSettings(name="Here")
    app = build_site(settings, product(), home=tmp_path)
    open_one = settings.model_copy(update={"listen": "0.0.0.0:8080"})  # past the validation
    with pytest.raises(Problem, match="there is no TLS"):
        Serving(app, open_one, home=tmp_path)


def test_connections_that_ask_nothing_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_PATIENCE", 0.2)
    with running_site(tmp_path) as site:
        host, _, port = site.address.removeprefix("http://").partition(":")
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "):
            with socket.create_connection((host, int(port)), 60) as silent:
                silent.sendall(sent)
                assert silent.recv(1000) == b"", "closed without an answer"


def test_a_body_that_trickles_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_size, "SECONDS", 0.2)
    with running_site(tmp_path) as site, Browser(site) as browser:
        token = browser.token("/sign-in")
        cookie = browser.cookies["folkmoot-browser"]
        head = (
            f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n"
            f"Cookie: folkmoot-browser={cookie}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n\r\nform_token={token}"
        )
        host, _, port = site.address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), 60) as slow:
            slow.sendall(head.encode())
            assert slow.recv(1000).startswith(b"HTTP/1.1 408")


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = WebSettings(name="Here", listen=f"127.0.0.1:{taken.getsockname()[1]}")
        app = build_site(settings, product(), home=tmp_path)
        with pytest.raises(Problem, match=f"port {taken.getsockname()[1]} ") as caught:
            Serving(app, settings, home=tmp_path).run()
    assert caught.value.exit_code == ExitCode.UNREACHABLE


def test_a_site_that_cannot_open_its_database_does_not_start(tmp_path: Path) -> None:
    settings = WebSettings.model_validate(
        {"name": "Here", "listen": f"127.0.0.1:{free_port()}",
         "database": {"url": f"sqlite:///{tmp_path / 'nowhere' / 'site.sqlite'}"}}
    )  # fmt: skip
    app = build_site(settings, product(), home=tmp_path)
    ready = threading.Event()
    with pytest.raises(Problem):
        Serving(app, settings, home=tmp_path, ready=lambda _: ready.set()).run()
    assert not ready.is_set()


def test_what_is_being_served_is_finished_before_the_end(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    slow = Routes()

    @slow.get("/slow", permission=PUBLIC)
    def wait(request: Request) -> Response:
        begun.set()
        go_on.wait(30)
        return PlainTextResponse("done")

    settings = WebSettings(name="Here", listen=f"127.0.0.1:{free_port()}")
    site = product(routes=(*routes(), slow))
    answers: list[str] = []
    with serving_site(settings, site, tmp_path) as running:
        asking = threading.Thread(
            target=lambda: answers.append(httpx2.get(f"{running.address}/slow", timeout=30).text)
        )
        asking.start()
        assert begun.wait(30)
        threading.Timer(0.5, go_on.set).start()
    asking.join(30)
    assert answers == ["done"]


def test_a_loop_that_hangs_shows_no_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_signs: list[tuple[int, float]] = []  # of whatever runs in this process
    monkeypatch.setattr(
        service_manager, "works", lambda: all_signs.append((get_ident(), time.monotonic()))
    )
    ready = threading.Event()
    monkeypatch.setattr(service_manager, "ready", lambda _: ready.set())
    slow = Routes()
    begun: list[float] = []
    threads: list[int] = []

    @slow.get("/slow", permission=PUBLIC)
    async def hang(request: Request) -> Response:
        begun.append(time.monotonic())
        threads.append(get_ident())
        time.sleep(1.5)
        return PlainTextResponse("done")

    settings = WebSettings(name="Here", listen=f"127.0.0.1:{free_port()}")
    with serving_site(settings, product(routes=(*routes(), slow)), tmp_path) as running:
        assert ready.is_set()
        assert httpx2.get(f"{running.address}/slow", timeout=30).text == "done"
        time.sleep(0.5)
    signs = [at for thread, at in all_signs if thread == threads[0]]
    assert signs
    assert not [at for at in signs if begun[0] + 0.01 < at < begun[0] + 1.4]
    assert [at for at in signs if at > begun[0] + 1.4]


def test_a_logo_is_shown_and_a_missing_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "ours.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    with running_site(tmp_path, logo="ours.svg") as site, Browser(site) as browser:
        page = browser.get("/").text
        assert "/logo.svg" in page
    settings = WebSettings.model_validate({"name": "Here", "logo": "nowhere.svg"})
    with pytest.raises(Problem, match="logo"):
        build_site(settings, product(), home=tmp_path)
