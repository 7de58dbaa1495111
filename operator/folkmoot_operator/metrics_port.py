"""The port of this machine at which Prometheus asks: for few at a time, each for a short while.

Every account of the machine can connect to it, and so can a browser on it: it answers only who
asks for this machine by a name of its own, so that no page of another site, whose name was pointed
here, reads it. Connections that hang take no thread and no file
from the program: the oldest of too many gives way, and a silent one is ended.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from folkmoot_operator.network_addresses import is_loopback

MOST = 8
"""Connections at one time."""
SILENT_SECONDS = 5.0
"""After so long without a byte a connection is ended."""
_CLOSE_SECONDS = 10.0
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(:[0-9]{1,5})?")


def open_port(host: str, port: int, application: Any) -> Callable[[], None]:
    """Serves until what is returned is called.

    Args:
        host: Address of this machine.
        port: Of it.
        application: The WSGI application.

    Returns:
        Ends it.

    Raises:
        OSError: If the address cannot be listened on.
    """
    server = (_Port6 if ":" in host else _Port)((host, port), _Handler)
    server.set_app(_for_this_machine(application))
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="metrics")
    thread.start()

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join(_CLOSE_SECONDS)

    return close


def _for_this_machine(application: Any) -> Any:
    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        named = _HOST.fullmatch(environ.get("HTTP_HOST", ""))
        if named and is_loopback(named["name"].strip("[]")):
            answered: Iterable[bytes] = application(environ, start)
            return answered
        start("421 Misdirected Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Ask for 127.0.0.1, [::1] or localhost: metrics are for this machine alone.\n"]

    return answer


class _Handler(WSGIRequestHandler):
    timeout = SILENT_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""


class _Port(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        self._open: dict[int, socket.socket] = {}
        self._lock = threading.Lock()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Takes a connection, in the place of the oldest if there are too many."""
        with self._lock:
            oldest = next(iter(self._open)) if len(self._open) >= MOST else None
            if oldest is not None:
                with suppress(OSError):
                    self._open.pop(oldest).shutdown(socket.SHUT_RDWR)
            self._open[id(request)] = request
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Ends a connection."""
        with self._lock:
            self._open.pop(id(request), None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asks has gone, or sends something else: nobody needs to know."""


class _Port6(_Port):
    address_family = socket.AF_INET6
