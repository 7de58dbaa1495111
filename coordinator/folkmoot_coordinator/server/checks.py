"""Whether this coordinator serves a port, or could."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from folkmoot_coordinator.config import PortSettings
from folkmoot_coordinator.membership.authorities import load_authorities
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.connection_probe import Obstacle, Way, probe
from folkmoot_operator.network_addresses import dialled_here, join_address, split_address

CONNECT_SECONDS = 2.0

_NOBODY = {Obstacle.REFUSED, Obstacle.NO_ROUTE, Obstacle.NAME_UNKNOWN}


def port(name: str, settings: PortSettings, keys: Path, *, mutual: bool) -> Check:
    """Whether this coordinator serves a port as nodes need it, or could listen on it.

    Args:
        name: What the port is for.
        settings: Where it listens, and what nodes dial.
        keys: The folder of the authority, which has signed what a node must be shown.
        mutual: Whether nodes have to show a certificate.
    """

    def look() -> Iterator[Finding]:
        host, number = split_address(settings.listen)
        way = Way(
            dialled_here(settings.listen),
            load_authorities(keys).present.pem.decode(),
            server_name=split_address(settings.address)[0],
        )
        blocked = probe(way, seconds=CONNECT_SECONDS)
        by = None if blocked is None else blocked.by
        if by is (Obstacle.CERTIFICATE_WANTED if mutual else None):
            yield Finding(name, State.OK, f"{settings.listen} is served")
        elif by in _NOBODY:
            yield _free(name, host, number)
        else:
            found = "it is the other port" if by is None else _MET[by]
            yield Finding(
                name,
                State.FAIL,
                f"what listens on {settings.listen} is not what nodes need: {found}",
                "Stop the program that uses the port, or choose another port in coordinator.toml; "
                "start `folkmoot-coordinator serve` again if it runs",
            )

    return Check(name, look)


_MET = {
    Obstacle.CERTIFICATE_WANTED: "it is the other port",
    Obstacle.SILENT: "it does not answer",
    Obstacle.CLOSED: "it closes the connection",
    Obstacle.NO_TLS: "it does not speak TLS",
    Obstacle.NO_HTTP2: "it does not speak HTTP/2",
    Obstacle.NO_AUTHORITY: "the authority in this folder cannot be read",
    Obstacle.WRONG_AUTHORITY: "its certificate is not by the authority in this folder",
    Obstacle.WRONG_NAME: "its certificate is not for the host that nodes dial",
    Obstacle.EXPIRED: "its certificate has expired, by this machine's clock",
    Obstacle.NOT_YET_VALID: "its certificate is not valid yet, by this machine's clock",
}


def _free(name: str, host: str, number: int) -> Finding:
    """Whether the coordinator could listen there."""
    listen = join_address(host, number)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, number))
    except OSError as error:
        return Finding(
            name,
            State.FAIL,
            f"{listen} cannot be listened on ({errno.errorcode.get(error.errno or 0, error)})",
            "Choose another address or port in coordinator.toml",
        )
    return Finding(
        name,
        State.WARN,
        f"{listen} is free: the coordinator is not running",
        "Start `folkmoot-coordinator serve`",
    )
