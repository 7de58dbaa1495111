"""Whether a port is served, or could be."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.network_addresses import split_address

CONNECT_SECONDS = 2.0


def port(name: str, listen: str) -> Check:
    """Whether something serves `listen`, or the coordinator could listen on it.

    Args:
        name: What the port is for.
        listen: `host:port` as the settings have it.
    """

    def look() -> Iterator[Finding]:
        host, number = split_address(listen)
        try:
            with socket.create_connection((_dialled(host), number), CONNECT_SECONDS):
                yield Finding(name, State.OK, f"{listen} is served")
                return
        except OSError:
            pass
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((host, number))
        except OSError as error:
            yield Finding(
                name,
                State.FAIL,
                f"{listen} cannot be listened on ({errno.errorcode.get(error.errno or 0, error)})",
                "Choose another address or port in coordinator.toml",
            )
        else:
            yield Finding(
                name,
                State.WARN,
                f"{listen} is free: the coordinator is not running",
                "Start `folkmoot-coordinator serve`",
            )

    return Check(name, look)


def _dialled(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
