"""Addresses in settings: hosts, ports, proxies; wrong ones are found when they are read."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

MAX_PORT = 65_535
MAX_HOST = 253
"""Characters of a host name, at most."""

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PORT = re.compile(r"[0-9]{1,5}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def split_address(value: str) -> tuple[str, int]:
    """Host and port of `host:port`; an IPv6 host is written in brackets.

    Raises:
        ValueError: If it is not of that form.
    """
    if scheme := _SCHEME.match(value):
        raise ValueError(f"write host:port alone, without {scheme[0]}")
    host, _, port = value.rpartition(":")
    if host.startswith("[") and host.endswith("]") and ":" in host:
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("write an IPv6 address in brackets, such as [::1]:7443")
    if not host or not _PORT.fullmatch(port):
        raise ValueError("is not an address; write host:port, such as 127.0.0.1:7443")
    if not 0 < int(port) <= MAX_PORT:
        raise ValueError(f"is not an address: a port is from 1 to {MAX_PORT}")
    return check_host(host), int(port)


def join_address(host: str, port: int) -> str:
    """The address `host:port`, with brackets where the host is an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_host(value: str) -> str:
    """The host in its usual form: a name in lower case, or an IP address.

    Raises:
        ValueError: If it is neither. That includes short forms such as 127.1, which some
            programs take for IP addresses.
    """
    if (address := _ip_address(value)) is not None:
        if "%" in value:
            raise ValueError("has a zone, which no other machine knows; leave out % and the rest")
        return str(address)
    labels = value.split(".")
    if (
        len(value) > MAX_HOST
        or not all(_LABEL.fullmatch(label) for label in labels)
        or _NUMERIC.fullmatch(labels[-1])
    ):
        raise ValueError(f"{value[:80]!r} is neither a host name nor an IP address")
    return value.lower()


def check_dialled_host(value: str) -> str:
    """As `check_host`, for a host that other machines connect to.

    Raises:
        ValueError: Also for 0.0.0.0 and ::, which mean every address of a machine, and for
            addresses of many machines.
    """
    host = check_host(value)
    address = _ip_address(host)
    if address is not None:
        if address == ipaddress.ip_address("255.255.255.255") or address.is_multicast:
            raise ValueError(f"{host} is the address of many machines")
        if _is_every_address(address):
            raise ValueError(
                f"{host} means every address of a machine: it can be listened on, not connected "
                "to. Write the name or the address by which others reach it"
            )
    return host


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    address = _ip_address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _check_address(value: str) -> str:
    return join_address(*split_address(value))


def check_dialled_address(value: str) -> str:
    """The address `host:port` in its usual form; ValueError unless it can be connected to."""
    host, port = split_address(value)
    return join_address(check_dialled_host(host), port)


def check_http_proxy(value: str) -> str:
    """The proxy in its usual form, `http://host:port`, with `user:password@` if it has that.

    gRPC passes over a proxy that it does not understand, and dials directly. So any other
    form is refused. What is refused is not quoted, since it may hold a password.

    Raises:
        ValueError: If it is not of that form.
    """
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise ValueError("begin with http://, such as http://proxy.example.gov.uk:8080")
    if scheme[1].lower() != "http":
        raise ValueError(
            f"a proxy is reached by http://, not {scheme[0]}; what goes through it is encrypted"
        )
    rest = value[scheme.end() :].removesuffix("/")
    user, at, address = rest.rpartition("@")
    if re.search(r"[/?#\s]", rest) or (at and not user):
        raise ValueError("write http://host:port, with nothing after it")
    try:
        address = check_dialled_address(address)
    except ValueError as error:
        raise ValueError(f"{error} (of a proxy: http://host:port)") from None
    return f"http://{user}{at}{address}"


Host = Annotated[str, AfterValidator(check_dialled_host)]
"""A name or an IP address that other machines connect to."""
ListenedAddress = Annotated[str, AfterValidator(_check_address)]
"""`host:port` to listen on; 0.0.0.0 and [::] are every address of the machine."""
DialledAddress = Annotated[str, AfterValidator(check_dialled_address)]
"""`host:port` to connect to."""
HttpProxy = Annotated[str, AfterValidator(check_http_proxy)]
"""`http://host:port` of a proxy that opens tunnels (CONNECT)."""


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return address if host.isascii() else None


def _is_every_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_unspecified or (mapped is not None and mapped.is_unspecified)


def dialled_here(listened: str) -> str:
    """The address by which this machine reaches what listens on `host:port`."""
    host, port = split_address(listened)
    return join_address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104
