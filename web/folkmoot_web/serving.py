"""Serves a site: TLS, a call when it is ready, an orderly end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from folkmoot_operator import service_manager
from folkmoot_operator.network_addresses import is_loopback, split_address
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.settings import WebSettings
from folkmoot_web.site import State

MAX_CONNECTIONS = 500
"""At one time; further ones are answered with 503."""
_GRACE = 10
_IDLE = 5
_MAX_HEADERS = 32 * 1024
_PATIENCE = 20
"""Seconds within which a connection has to send a whole head of a request."""


class Serving:
    """One site, served until it is stopped.

    In the main thread it also stops at SIGINT and SIGTERM.
    """

    def __init__(
        self,
        app: FastAPI,
        settings: WebSettings,
        *,
        home: Path,
        ready: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepares it; nothing listens yet.

        Args:
            app: From `build_site`.
            settings: Of the site.
            home: The product's folder.
            ready: Called with the site's address once it answers.

        Raises:
            Problem: Exit code SETTINGS, if the certificate files cannot be used, or others could
                read what is sent.
        """
        self._host, self._port = split_address(settings.listen)
        self._address = settings.origin
        self._site: State = app.state.site
        files: dict[str, str] = {}
        if settings.tls is not None:
            certificate, key = home / settings.tls.certificate, home / settings.tls.key
            require_pair(certificate, key)
            files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
        elif not settings.proxies and not is_loopback(self._host):
            raise Problem(
                f"{settings.listen} can be reached from other machines, and there is no TLS",
                where="listen",
                remedy="Listen on 127.0.0.1, or name certificate files or reverse proxies",
                exit_code=ExitCode.SETTINGS,
            )
        configuration = uvicorn.Config(
            app,
            http=_Impatient,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,  # addresses hold tokens
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=_IDLE,
            timeout_graceful_shutdown=_GRACE,
            h11_max_incomplete_event_size=_MAX_HEADERS,
            **files,  # type: ignore[arg-type]
        )
        self._server = _Server(configuration, lambda: ready(self._address))

    def run(self) -> None:
        """Serves until `stop`, or a signal.

        Raises:
            Problem: If the port is taken, or the database cannot be used.
        """
        # Here rather than when the app starts, whose errors a server only logs.
        self._site.database.prepare()
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Only of sockets that name their protocol does asyncio set TCP_NODELAY; without it, the
        # kernel may keep the body of a page back until its head is acknowledged, 40 ms later.
        with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self._host, self._port))
            except OSError as error:
                raise Problem(
                    f"the site cannot listen on port {self._port} of {self._host} "
                    f"({error.strerror})",
                    where="listen",
                    remedy="End the program that listens there, or choose another port",
                    exit_code=ExitCode.UNREACHABLE,
                ) from None
            with suppress(SystemExit):  # how uvicorn says that the app did not start
                self._server.run([listener])
        if not self._server.has_started:
            raise Problem(
                "the site did not start; the log says why",
                where=self._address,
                remedy="Correct what the log names, and start it again",
                exit_code=ExitCode.UNREACHABLE,
            )

    def stop(self) -> None:
        """Ends it from another thread: requests that are being served are finished first."""
        self._server.should_exit = True


class _Impatient(H11Protocol):
    """Closes connections that ask nothing, so that a few clients cannot hold all of them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(_PATIENCE, self._look, self.cycle)

    def _look(self, seen: object) -> None:
        if self.transport.is_closing():
            return
        is_waiting = self.cycle is None or self.cycle.response_complete
        if is_waiting and self.cycle is seen:
            self.transport.close()
        else:
            self.loop.call_later(_PATIENCE, self._look, self.cycle if is_waiting else None)


class _Server(uvicorn.Server):
    def __init__(self, configuration: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(configuration)
        self._ready = ready
        self.has_started = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.has_started = True
            self._ready()
            service_manager.ready("serves the site")

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second by the loop that serves; where that hangs, no sign comes."""
        service_manager.works()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        service_manager.stopping()
        await super().shutdown(sockets)


def require_pair(certificate: Path, key: Path) -> None:
    """Checks that a site can speak TLS with these files.

    Args:
        certificate: The certificate and those between it and a root, PEM.
        key: Its private key, PEM without a password.

    Raises:
        Problem: Exit code SETTINGS, if they cannot be read, or do not belong together.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except OSError as error:  # an SSLError is one too
        raise Problem(
            f"the site's certificate and key cannot be used ({error.strerror or 'no such pair'})",
            where=f"{certificate}, {key}",
            remedy="Name PEM files that belong together, the key without a password, readable by "
            "the account that runs the site",
            exit_code=ExitCode.SETTINGS,
        ) from None
