"""How a coordinator stands, as metrics: read from its database and folder when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import func, select

from folkmoot.rounds import RoundState
from folkmoot_coordinator.clock import DAY, Clock, system_clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import RoundRow
from folkmoot_coordinator.database.pauses import paused
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_lives import AUTHORITY, authority_lives
from folkmoot_coordinator.membership.councils import enrolled
from folkmoot_coordinator.signals import metrics
from folkmoot_operator.checks import free_share
from folkmoot_operator.metrics import Readings
from folkmoot_operator.problems import Problem

OVERDUE_SECONDS = 300
"""How long after its deadline an open round shows that nobody closes it."""


def look_at(
    home: Home, server_certificate_ends: Callable[[], int], clock: Clock = system_clock
) -> Callable[[Readings], None]:
    """What brings the gauges of a coordinator up to date.

    Args:
        home: The coordinator's folder.
        server_certificate_ends: When the certificate that ports show ends, seconds since
            1970-01-01T00:00:00Z.
        clock: The time.
    """

    def database(readings: Readings) -> None:
        opened = Database(home.database_url(home.settings()))
        try:
            readings.set(metrics.PAUSED, paused(opened) is not None)
            _councils(opened, clock(), readings)
            _rounds(opened, clock(), readings)
        finally:
            opened.close()

    def certificates(readings: Readings) -> None:
        days = {one.name: one.days_left for one in authority_lives(home, clock())}
        server = (server_certificate_ends() - clock()) / DAY
        for name, left in (("server", server), ("authority", days[AUTHORITY])):
            readings.set(metrics.CERTIFICATE_DAYS, round(left, 3), certificate=name)

    def disk(readings: Readings) -> None:
        readings.set(metrics.DISK_FREE, free_share(home.path))
        if home.database_file.exists():
            readings.set(metrics.DATABASE_BYTES, home.database_file.stat().st_size)

    def look(readings: Readings) -> None:
        for part in (database, certificates, disk):
            with suppress(Problem, OSError):  # the others are known all the same
                part(readings)

    return look


def _councils(database: Database, now: int, readings: Readings) -> None:
    standings = dict.fromkeys(("heard", "silent", "without_certificate"), 0)
    for council in enrolled(database, now):
        if not council.valid_certificates:
            standings["without_certificate"] += 1
        elif council.last_seen is not None and now - council.last_seen <= DAY:
            standings["heard"] += 1
        else:
            standings["silent"] += 1
    for standing, number in standings.items():
        readings.set(metrics.COUNCILS, number, standing=standing)


def _rounds(database: Database, now: int, readings: Readings) -> None:
    states = dict.fromkeys(RoundState, 0)
    with database.reading() as session:
        query = select(RoundRow.state, func.count()).group_by(RoundRow.state)
        for state, number in session.execute(query):
            states[RoundState(state)] = number
        overdue = session.scalar(
            select(func.count()).where(
                RoundRow.state == RoundState.OPEN.value, RoundRow.deadline < now - OVERDUE_SECONDS
            )
        )
    for each, number in states.items():
        readings.set(metrics.ROUNDS, number, state=each.name.lower())
    readings.set(metrics.ROUNDS_OVERDUE, overdue or 0)
