"""Ports of this machine on which nothing listens."""

from __future__ import annotations

import itertools
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

_SLOTS = 32
"""Of processes that run tests at once: no two of them are given the same port."""
_ALLOWED = 10_100
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _ports() -> Sequence[int]:
    """Ports of this process, below those that Linux gives to whoever connects.

    One of those could be taken by a connection of another test before a server listens on it.
    Where there is no room below them, above the ports that browsers refuse, any will do: 0.
    """
    lowest = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    slot = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SLOTS
    return range(max(_ALLOWED, lowest - 14_000) + slot, lowest, _SLOTS) or [0]


# Tests that are started twice begin elsewhere; ids of processes would be close to each other.
_turns = itertools.count(secrets.randbelow(1 << 20))


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many such ports, no two the same."""
    ports, found = _ports(), list[int]()
    for turn in itertools.islice(_turns, max(len(ports), 100)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", ports[turn % len(ports)]))
            except OSError:
                continue
            port = int(probe.getsockname()[1])
            if port not in found:
                found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"there are no {count} free ports")
