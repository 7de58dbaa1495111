"""`folkmoot-coordinator record`: what the coordinator holds, who looked, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home, open_site
from folkmoot_operator.console import minute, print_json, print_text
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot_coordinator.config import CoordinatorSettings
    from folkmoot_coordinator.home import Home
    from folkmoot_operator.sql_database import SqlDatabase
    from folkmoot_web.site import State


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("record")(record)


def record(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Show the coordinator's own record: what it holds and for how long, and who looked.

    Also which rounds were asked, by whom and for what, what loss each household of each council has
    borne at most, results that were withdrawn, and keys that were handed out.

    Example: `folkmoot-coordinator record --json`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.operations.record import coordinator_record

    place, database = open_home(home)
    settings = place.settings()
    with _drafts(place, settings) as drafts:
        found = coordinator_record(
            database, settings, system_clock(), site=_site(home, place, settings), drafts=drafts
        )
    if json_:
        print_json(found)
    else:
        _print(found)


def _site(home: Path, place: Home, settings: CoordinatorSettings) -> State | None:
    """What the site keeps; None where there is none, or nobody has started it."""
    file = place.drafts_file(settings)  # also of accounts
    if not settings.viewer.enabled or (file is not None and not file.exists()):
        return None
    return open_site(home)


@contextmanager
def _drafts(home: Home, settings: CoordinatorSettings) -> Iterator[SqlDatabase | None]:
    """The database of drafts; None where nobody has written one."""
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.drafts.models import DRAFTS

    file = home.drafts_file(settings)
    if file is not None and not file.exists():
        yield None
        return
    database = Database(home.drafts_url(settings), DRAFTS, read_only=True)
    try:
        yield database if database.version() else None
    finally:
        database.close()


def _print(found: dict[str, Any]) -> None:
    typer.echo(f"Record of {found['region']}, {minute(found['at'])} UTC")
    _table(
        "What is held",
        ("Table", "What", "Entries", "Kept"),
        [(one["table"], one["what"], f"{one['entries']:,}", one["kept"]) for one in found["holds"]],
    )
    _table(
        "Rounds",
        ("Round", "Title", "Purpose", "Opened (UTC)", "By", "rho", "State"),
        [
            (
                one["round_id"][:12],
                one["title"],
                one["purpose"],
                minute(one["opened_at"]),
                one["asked_by"].get("by", "not noted"),
                one["rho"],
                one["state"] + (", withdrawn" if one["withdrawn"] else ""),
            )
            for one in found["rounds"]
        ],
    )
    _table(
        "Loss (rho) that each household has borne at most, by what its council released here",
        ("Council", "Releases", "In all", "By year", "Council's own limit"),
        [
            (
                one["name"] or one["council"],
                str(one["releases"]),
                one["rho"],
                ", ".join(f"{year}: {rho}" for year, rho in one["years"].items()),
                one["rho_allowed"] or "not published",
            )
            for one in found["loss"]
        ],
    )
    _table("Commands", ("Action", "Times", "People", "Last (UTC)"), _actions(found["commands"]))
    site = found["site"]
    if site is None:
        typer.echo("\nThere is no site.")
        return
    _table(
        f"On the site, by the role that people have now ({site['accounts']['open']} accounts)",
        ("Action", "Role", "Times", "People", "Last (UTC)"),
        _actions(site["actions"]),
    )
    _table(
        "API keys",
        ("Key", "For", "Made by", "Until (UTC)", "State"),
        [
            (
                one["key_id"],
                one["name"],
                one["made_by"],
                minute(one["expires_at"]),
                one["state"],
            )
            for one in site["keys"]
        ],
    )


def _actions(found: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            one["action"],
            *((one["role"],) if "role" in one else ()),
            str(one["times"]),
            str(one["people"]),
            minute(one["last_at"]),
        )
        for one in found
    ]


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    typer.echo()
    print_text(title)
    if not rows:
        typer.echo("None")
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*map(escape, row))
    print_table(table)
