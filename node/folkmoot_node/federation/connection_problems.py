"""What an operator reads when the coordinator is not reached, one text for each cause."""

from __future__ import annotations

import time
from collections.abc import Callable

from cryptography import x509
from cryptography.x509.oid import NameOID

from folkmoot.errors import plain
from folkmoot_operator.connection_probe import Blocked, Obstacle, Way
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.problems import ExitCode, Problem

_MAX_NAMES = 5
_PROXY = "proxy in [coordinator] of node.toml"
_NOT_ACCEPTED = (
    "Check the clocks of this machine and the region's. If they agree and it goes on, ask the "
    "region for a new invitation and run `folkmoot-node enrol FILE`; the ledger stays"
)
_AGAIN = "`folkmoot-node serve` tries again by itself"
_ENROL_AGAIN = "then run `folkmoot-node enrol FILE` again: the invitation works until it expires"


class ConnectionProblem(Problem):
    """The coordinator is not reached, or what is reached is not this region's coordinator."""


def of_connection(way: Way, blocked: Blocked, *, enrolling: bool) -> ConnectionProblem:
    """The problem that a probe has found.

    Args:
        way: How the coordinator was to be reached.
        blocked: What stood in the way.
        enrolling: Whether it was the enrolment port.
    """
    problem, remedy, code = _text(way, blocked, enrolling=enrolling)
    if enrolling:  # nothing but a person's command does that
        remedy = remedy.replace(_AGAIN, _ENROL_AGAIN)
    detail = f" ({blocked.detail})" if blocked.detail and blocked.by in _WITH_DETAIL else ""
    return ConnectionProblem(problem + detail, where=_where(way), remedy=remedy, exit_code=code)


def unanswered(way: Way, status: str, problem: str) -> ConnectionProblem:
    """The problem of a coordinator that is reached and gives no answer now.

    Args:
        way: How it was reached.
        status: Name of gRPC's status.
        problem: What happened.
    """
    remedy = f"If it goes on, report it to the region; {_AGAIN}"
    text = f"the coordinator {problem} ({status})"
    return ConnectionProblem(text, where=_where(way), remedy=remedy, exit_code=ExitCode.UNREACHABLE)


def not_a_coordinator(way: Way, *, enrolling: bool) -> ConnectionProblem:
    """The problem of a server of gRPC that has not the service of a coordinator's port."""
    return ConnectionProblem(
        f"what answers there is not a coordinator's {_port(enrolling=enrolling)} port",
        where=_where(way),
        remedy=_address_remedy(enrolling=enrolling),
        exit_code=ExitCode.SETTINGS,
    )


_WITH_DETAIL = {
    Obstacle.NAME_UNKNOWN, Obstacle.NO_ROUTE, Obstacle.PROXY_NAME_UNKNOWN,
    Obstacle.PROXY_UNREACHABLE, Obstacle.PROXY_FORBIDS, Obstacle.PROXY_FAILED,
    Obstacle.CERTIFICATE_REFUSED,
}  # fmt: skip


def _text(way: Way, blocked: Blocked, *, enrolling: bool) -> tuple[str, str, ExitCode]:
    address, unreachable = _address_remedy(enrolling=enrolling), ExitCode.UNREACHABLE
    proxy = f"Check {_PROXY}"
    now = to_datetime(time.time())  # TLS goes by the machine's own clock
    clock = f"by this machine's clock, which says {now:%Y-%m-%d %H:%M} UTC"
    texts: dict[Obstacle, tuple[str, str, ExitCode]] = {
        Obstacle.NAME_UNKNOWN: (
            "the coordinator cannot be reached: its name cannot be resolved",
            f"{address}, and the name service (DNS) of this machine; {_AGAIN}",
            unreachable,
        ),
        Obstacle.REFUSED: (
            "the coordinator cannot be reached: the connection is refused, by a firewall or "
            "because nothing listens there",
            f"Ask the region whether its coordinator runs, and your network team about the "
            f"firewall; {_AGAIN}",
            unreachable,
        ),
        Obstacle.NO_ROUTE: (
            "the coordinator cannot be reached",
            f"Check this machine's network and the firewalls on the way; {_AGAIN}",
            unreachable,
        ),
        Obstacle.PROXY_NAME_UNKNOWN: (
            "the proxy cannot be reached: its name cannot be resolved",
            f"{proxy}, and the name service (DNS) of this machine; {_AGAIN}",
            unreachable,
        ),
        Obstacle.PROXY_UNREACHABLE: (
            "the proxy cannot be reached",
            f"{proxy}, and whether it runs; {_AGAIN}",
            unreachable,
        ),
        Obstacle.NOT_A_PROXY: (
            "what answers in the proxy's place is not an HTTP proxy",
            proxy,
            ExitCode.SETTINGS,
        ),
        Obstacle.PROXY_WANTS_PASSWORD: (
            "the proxy asks for another user name or password",
            f"{proxy}: http://user:password@host:port",
            ExitCode.SETTINGS,
        ),
        Obstacle.PROXY_FORBIDS: (
            "the proxy opens no tunnel to the coordinator",
            "Ask those who run the proxy to allow CONNECT to this address and port",
            ExitCode.REFUSED,
        ),
        Obstacle.PROXY_FAILED: (
            "the proxy does not reach the coordinator",
            f"Ask those who run the proxy whether it can; {_AGAIN}",
            unreachable,
        ),
        Obstacle.SILENT: (
            "something accepts connections there and does not answer: not a coordinator, or one "
            "that is too busy",
            f"{address}; {_AGAIN}",
            unreachable,
        ),
        Obstacle.CLOSED: (
            "something accepts connections there and closes them: not a coordinator, or one that "
            "is stopping or too busy, or a device on the way",
            f"{address}; {_AGAIN}",
            unreachable,
        ),
        Obstacle.NO_TLS: (
            "what listens there does not speak TLS: it is not a coordinator",
            address,
            ExitCode.SETTINGS,
        ),
        Obstacle.NO_HTTP2: (
            "what listens there does not speak HTTP/2: it is not a coordinator",
            address,
            ExitCode.SETTINGS,
        ),
        Obstacle.NO_AUTHORITY: (
            "the certificate of the region's authority cannot be read",
            "Restore keys/region-ca.crt from a backup, or ask the region for a new invitation",
            ExitCode.SETTINGS,
        ),
        Obstacle.WRONG_AUTHORITY: (
            "the certificate shown there is not by this region's authority"
            f"{_read(blocked, _issuer)}: another server answers, or a device on the way "
            "opens what is encrypted",
            f"{address}. Ask your network team to leave this connection alone. If the region made "
            "a new coordinator, ask it for an invitation",
            ExitCode.REFUSED,
        ),
        Obstacle.WRONG_NAME: (
            f"the coordinator's certificate is not for this name{_read(blocked, _names)}",
            f"{address}; or ask the region to add this name to `hosts` in its coordinator.toml",
            ExitCode.SETTINGS,
        ),
        Obstacle.EXPIRED: (
            f"the coordinator's certificate has expired{_read(blocked, _until)}, {clock}",
            "If that clock is wrong, set it. If it is right, ask the region to start its "
            "coordinator again, which renews the certificate",
            ExitCode.REFUSED,
        ),
        Obstacle.NOT_YET_VALID: (
            f"the coordinator's certificate is not valid yet{_read(blocked, _from)}, {clock}",
            "Set the clock of this machine. If it is right, the region's is ahead: ask it to set "
            "its own and to start its coordinator again",
            ExitCode.SETTINGS,
        ),
        Obstacle.DROPPED: (
            "the coordinator closes the connection when it has seen this node's certificate: it "
            "does not accept it, or is stopping",
            f"{_NOT_ACCEPTED}; {_AGAIN}",
            unreachable,
        ),
        Obstacle.CERTIFICATE_WANTED: (
            "this port is for councils that have enrolled, not for enrolment",
            address,
            ExitCode.SETTINGS,
        ),
        Obstacle.CERTIFICATE_REFUSED: (
            "the coordinator does not accept this node's certificate",
            _NOT_ACCEPTED,
            ExitCode.REFUSED,
        ),
    }
    return texts[blocked.by]


def _where(way: Way) -> str:
    """The address, and the proxy without a password."""
    if way.proxy is None:
        return way.address
    return f"{way.address} through {way.proxy.removeprefix('http://').rpartition('@')[2]}"


def _port(*, enrolling: bool) -> str:
    return "enrolment" if enrolling else "collection"


def _address_remedy(*, enrolling: bool) -> str:
    key = "enrolment_address" if enrolling else "address"
    where = "the invitation" if enrolling else "[coordinator] of node.toml"
    return f"Check {key} in {where}"


def _read(blocked: Blocked, read: Callable[[x509.Certificate], str]) -> str:
    """What the certificate says that was shown; empty if it cannot be read.

    It may be a stranger's, and hold anything.
    """
    if blocked.certificate is None:
        return ""
    try:
        return read(x509.load_der_x509_certificate(blocked.certificate))
    except Exception:  # cryptography raises several kinds; each means the same here
        return ""


def _issuer(certificate: x509.Certificate) -> str:
    names = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return f" but by {plain(str(names[0].value), 60)!r}" if names else ""


def _names(certificate: x509.Certificate) -> str:
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    names = [
        plain(str(name.value), 60)
        for name in alternative.value
        if isinstance(name, x509.DNSName | x509.IPAddress)
    ]
    more = " ..." if len(names) > _MAX_NAMES else ""
    return f" but for {', '.join(names[:_MAX_NAMES])}{more}" if names else ""


def _until(certificate: x509.Certificate) -> str:
    return f" on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"


def _from(certificate: x509.Certificate) -> str:
    return f" before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
