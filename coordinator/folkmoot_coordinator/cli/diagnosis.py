"""`folkmoot-coordinator doctor`."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.doctor_console import Fix, Yes, diagnose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from folkmoot_operator.repairs import Repair


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("doctor")(doctor)


def doctor(
    home: HomeOption = Path(),
    json_: JsonOption = False,
    repair: Fix = False,
    yes: Yes = False,
) -> None:
    """Check permissions, certificates, database, clock, names, ports, disk and the web site.

    Each failed check says how to fix it. --fix closes private files to other accounts and deletes
    what stopped processes have left; it looks again afterwards, and the audit log has what was
    done. Exit code 3 if a check failed.

    Example: `folkmoot-coordinator doctor --home region`
    """
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.operations.doctor import examine

    diagnose(
        lambda: examine(Home(home)), lambda: _repairs(home), fix=repair, yes=yes, as_json=json_
    )


@contextmanager
def _repairs(home: Path) -> Iterator[tuple[list[Repair], Callable[[], list[str]]]]:
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.database import audit_log
    from folkmoot_coordinator.operations.checks import repairs
    from folkmoot_operator.repairs import REPAIRED

    place, database = open_home(home)
    found = list(repairs(place))

    def put_right() -> list[str]:
        for one in found:
            one.do()
        done = [one.what for one in found]
        with database.writing() as session:
            audit_log.note(session, system_clock(), REPAIRED, {"what": done})
        return done

    yield found, put_right
