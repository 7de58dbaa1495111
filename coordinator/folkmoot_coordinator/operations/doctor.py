"""The checks of a coordinator, in order."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_coordinator.clock import Clock, system_clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.checks import disk, tables
from folkmoot_coordinator.drafts.checks import drafts
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.checks import (
    certificates,
    council_codes,
    keys,
    permissions,
    signers,
)
from folkmoot_coordinator.operations.checks import (
    audit_log_is_whole,
    backups,
    names,
    nothing_left_over,
    pauses,
)
from folkmoot_coordinator.rounds.checks import clock_goes_on
from folkmoot_coordinator.schedule.checks import schedule
from folkmoot_coordinator.schedule.jobs import has_work
from folkmoot_coordinator.server.checks import port
from folkmoot_coordinator.viewer.checks import site
from folkmoot_operator import checks
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.prefect_check import prefect

PREFECT = how_to_install("folkmoot-coordinator", "schedule")
"""How Prefect is installed."""


def examine(home: Home, clock: Clock = system_clock) -> list[Finding]:
    """Looks at everything a coordinator needs; goes on after a fault.

    Raises:
        Problem: If the folder is no coordinator's home, or its settings are wrong.
    """
    settings = home.settings()
    return [
        Finding("settings", State.OK, str(home.settings_file)),
        *checks.examine(_checks(home, settings, clock)),
    ]


def _checks(home: Home, settings: CoordinatorSettings, clock: Clock) -> Iterator[Check]:
    yield permissions(home)
    yield nothing_left_over(home)
    yield keys(home, clock)
    yield tables(
        home.database_url(settings),
        lambda database: clock_goes_on(database, clock()),
        pauses,
        audit_log_is_whole,
        lambda database: certificates(home, database, clock()),
        lambda database: council_codes(home, database, clock()),
        signers,
        schedule(home, settings, clock()),
    )
    yield drafts(home, settings, clock())
    yield site(home, settings, clock())
    yield port("collection port", settings.collection, home.keys, mutual=True)
    yield port("enrolment port", settings.enrolment, home.keys, mutual=False)
    yield names(settings)
    if has_work(settings):
        yield prefect(settings.prefect, home.path, PREFECT, offline=False)
    yield disk(home.path)
    yield from backups(home, settings, clock())
