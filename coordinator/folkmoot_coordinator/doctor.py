"""Checks of a coordinator's installation, each with what to do if it fails."""

from __future__ import annotations

import errno
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from folkmoot_coordinator.clock import DAY, Clock, system_clock
from folkmoot_coordinator.config import CoordinatorSettings, Home, split_address
from folkmoot_coordinator.database.connection import TABLES_VERSION, Database
from folkmoot_coordinator.database.models import RoundRow
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.membership.councils import enrolled
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.moments import to_text
from folkmoot_operator.private_files import is_open_to_others
from folkmoot_operator.problems import Problem

SOON_DAYS = 90
"""An authority that expires sooner is worth a warning."""
MIN_FREE_BYTES = 1_000_000_000
"""Free disk below which answers may soon not be stored."""
_CONNECT_SECONDS = 2.0


class Verdict(StrEnum):
    """Outcome of a check."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome.

    Attributes:
        subject: What was looked at.
        verdict: How it is.
        detail: What was found.
        remedy: What to do; empty if nothing.
    """

    subject: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def examine(home: Home, clock: Clock = system_clock) -> list[Finding]:
    """Looks at everything a coordinator needs; goes on after a fault.

    Raises:
        Problem: If the folder is no coordinator's home, or its settings are wrong.
    """
    settings = home.settings()
    checks: list[Callable[[], Iterator[Finding]]] = [
        lambda: _permissions(home),
        lambda: _keys(home, clock()),
        lambda: _database(home, settings, clock()),
        lambda: _ports(settings),
        lambda: _disk(home),
    ]
    findings = [Finding("settings", Verdict.GOOD, str(home.settings_file))]
    for check in checks:
        try:
            findings.extend(check())
        except Problem as problem:
            findings.append(
                Finding(
                    problem.where or "coordinator", Verdict.BAD, problem.problem, problem.remedy
                )
            )
    return findings


def _permissions(home: Home) -> Iterator[Finding]:
    private = [home.path, home.keys, *sorted(home.keys.glob("*"))]
    if home.database_file.exists():
        private.append(home.database_file)
    open_to_others = [path for path in private if is_open_to_others(path)]
    if open_to_others:
        names = " ".join(str(path) for path in open_to_others)
        yield Finding(
            "permissions", Verdict.BAD, f"others can use {names}", f"Run `chmod go= {names}`"
        )
    else:
        yield Finding("permissions", Verdict.GOOD, "keys and state are the owner's alone")


def _keys(home: Home, now: int) -> Iterator[Finding]:
    authority = Authority.load(home.keys)
    left = authority.expires_at - now
    until = f"the authority's certificate is valid until {to_text(authority.expires_at)}"
    if left <= 0:
        yield Finding(
            "authority", Verdict.BAD, until, "Make a new coordinator and invite every council"
        )
    elif left < SOON_DAYS * DAY:
        yield Finding("authority", Verdict.WARNING, until, "Plan a new coordinator before that day")
    else:
        yield Finding("authority", Verdict.GOOD, until)
    SigningKey.load(home.keys)
    yield Finding("signing key", Verdict.GOOD, "can be read")


def _database(home: Home, settings: CoordinatorSettings, now: int) -> Iterator[Finding]:
    database = Database(home.database_url(settings))
    try:
        found, wanted = database.version(), TABLES_VERSION
        if found != wanted:
            yield Finding(
                "database",
                Verdict.BAD,
                f"tables have version {found or 'none'}; this program needs {wanted}",
                "Start `folkmoot-coordinator serve`: it upgrades the tables",
            )
            return
        yield Finding("database", Verdict.GOOD, f"{database.address}, version {found}")
        yield _clock_against(database, now)
        yield from _certificates(database, now)
    except SQLAlchemyError as error:
        yield Finding(
            "database",
            Verdict.BAD,
            f"{database.address} cannot be used ({type(error).__name__})",
            "Check that it is running, and database.url in coordinator.toml",
        )
    finally:
        database.close()


def _clock_against(database: Database, now: int) -> Finding:
    """A clock that runs behind what it has said before breaks deadlines and certificates."""
    with database.reading() as session:
        opened = session.scalar(
            select(RoundRow.opened_at).order_by(RoundRow.opened_at.desc()).limit(1)
        )
    if opened is not None and opened > now:
        return Finding(
            "clock",
            Verdict.BAD,
            f"the machine says {to_text(now)}, but a round was opened at {to_text(opened)}",
            "Set the clock, and keep it right with NTP",
        )
    return Finding("clock", Verdict.GOOD, f"{to_text(now)} ({time.tzname[0]} on this machine)")


def _certificates(database: Database, now: int) -> Iterator[Finding]:
    councils = enrolled(database, now)
    without = [council.code for council in councils if not council.valid_certificates]
    if without:
        yield Finding(
            "councils",
            Verdict.WARNING,
            f"no valid certificate: {', '.join(without)}",
            "Invite them again if they should take part",
        )
    else:
        yield Finding("councils", Verdict.GOOD, f"{len(councils)} enrolled")


def _ports(settings: CoordinatorSettings) -> Iterator[Finding]:
    for name, listen in (
        ("collection port", settings.collection.listen),
        ("enrolment port", settings.enrolment.listen),
    ):
        host, port = split_address(listen)
        try:
            with socket.create_connection((_dialled(host), port), _CONNECT_SECONDS):
                yield Finding(name, Verdict.GOOD, f"{listen} is served")
                continue
        except OSError:
            pass
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((host, port))
        except OSError as error:
            yield Finding(
                name,
                Verdict.BAD,
                f"{listen} cannot be listened on ({errno.errorcode.get(error.errno or 0, error)})",
                "Choose another address or port in coordinator.toml",
            )
        else:
            yield Finding(
                name,
                Verdict.WARNING,
                f"{listen} is free: the coordinator is not running",
                "Start `folkmoot-coordinator serve`",
            )


def _dialled(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _disk(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.path).free
    text = f"{free / 1e9:.1f} GB free in {home.path}"
    if free < MIN_FREE_BYTES:
        yield Finding("disk", Verdict.WARNING, text, "Make room: answers are stored here")
    else:
        yield Finding("disk", Verdict.GOOD, text)
