"""Options that every command takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot.geography import GssCode
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.home import Home
    from folkmoot_web.site import State

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="FOLKMOOT_COORDINATOR_HOME",
        help="The coordinator's folder.",
        show_default="current folder",
    ),
]
HOME_OPTION = typer.Option(
    Path(),
    "--home",
    envvar="FOLKMOOT_COORDINATOR_HOME",
    help="The coordinator's folder.",
    show_default="current folder",
)
"""The same, for commands that both programs have."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def open_home(path: Path) -> tuple[Home, Database]:
    """The coordinator's home and its database, brought up to date if an earlier version made it.

    Raises:
        Problem: If there is no coordinator there, or a later version made its database.
    """
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.home import Home

    home = Home(path)
    database = Database(home.database_url(home.settings()))
    database.bring_up_to_date()
    return home, database


def open_site(path: Path, *, only_reads: bool = False) -> State:
    """What the region's site keeps.

    Args:
        path: The coordinator's folder.
        only_reads: False to make the site's tables, or bring them up to date, where needed.

    Raises:
        Problem: If the region has no site, or its database cannot be used.
    """
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.viewer.settings import site_settings

    home = Home(path)
    web = site_settings(home, home.settings())
    from folkmoot_coordinator.viewer.keys.models import API_KEYS
    from folkmoot_coordinator.viewer.permissions import PERMISSIONS
    from folkmoot_web.site import open_state

    state = open_state(web, PERMISSIONS, home=home.path, tables=(API_KEYS,))
    if not only_reads:
        state.database.prepare()
    return state


def read_council(text: str, *, is_invited: bool = False) -> GssCode:
    """A GSS code from the command line.

    Args:
        text: As it was typed.
        is_invited: True if it has to be a council's, and not that of a ward, for example.

    Raises:
        Problem: If it is not one.
    """
    from folkmoot.council_codes import check_council
    from folkmoot.errors import ContractError
    from folkmoot.geography import GssCode

    try:
        code = GssCode(text.strip().upper())
        return check_council(code) if is_invited else code
    except ContractError as error:
        raise Problem(
            error.problem, where="council", remedy=error.remedy, exit_code=ExitCode.USAGE
        ) from None
