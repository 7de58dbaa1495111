"""`folkmoot-coordinator incident`: the region's register of incidents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from folkmoot_coordinator.cli.options import HOME_OPTION, open_home
from folkmoot_operator.incident_console import incident_commands

if TYPE_CHECKING:
    from folkmoot_coordinator.database.incident_log import IncidentLog
    from folkmoot_operator.incidents import Register


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(incident_commands("folkmoot-coordinator", HOME_OPTION, _opened), name="incident")


@contextmanager
def _opened(home: Path) -> Iterator[tuple[Register, IncidentLog]]:
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.database.incident_log import IncidentLog
    from folkmoot_operator.accounts import current_operator
    from folkmoot_operator.incidents import Register

    _, database = open_home(home)
    who = current_operator()
    log = IncidentLog(database, system_clock, who)
    yield Register(log, system_clock, who), log
