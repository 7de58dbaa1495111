"""`folkmoot-coordinator councils page`: what a council publishes of how it scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home, read_council
from folkmoot_operator.console import minute, print_json, print_text
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot.geography import GssCode
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.scrutiny.council_pages import CouncilPage


def add_to(app: typer.Typer) -> None:
    """Adds the command to `councils`."""
    app.command()(page)


def page(
    council: Annotated[str, typer.Argument(metavar="GSS", help="The council's GSS code.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="facts.json, as the council's node wrote it.", show_default=False),
    ] = None,
    home: HomeOption = Path(),
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take away the file that is shown now, for good.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why it is taken away; readers are told.")
    ] = "",
    json_: JsonOption = False,
) -> None:
    """Show on the region's site how a council scores, by the file that its node wrote for that.

    The council writes it with `folkmoot-node dossier public` and hands it over; nobody but you
    says that it comes from the council. The site shows it to everybody. Each file stays, until it
    is withdrawn: then its content is deleted, and the one before is shown again. Without a file,
    list what was given. Exit code 4 if the file is none or another council's, 5 if it is older
    than the one that is shown.

    Example: `folkmoot-coordinator councils page E08000009 facts.json`
    """
    code = read_council(council)
    if withdraw and file is not None:
        raise typer.BadParameter("give either a file or --withdraw")
    if reason and not withdraw:
        raise typer.BadParameter("--reason says why a file is taken away: give --withdraw as well")
    _, database = open_home(home)
    if withdraw:
        _withdraw(database, code, reason, json_)
    elif file is not None:
        _add(database, code, file, json_)
    else:
        _list(database, code, json_)


def _add(database: Database, code: GssCode, file: Path, json_: bool) -> None:
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.scrutiny.council_pages import add_page, shown_page
    from folkmoot_coordinator.scrutiny.public_facts import MAX_BYTES
    from folkmoot_operator.short_files import read_short_file

    try:
        content = read_short_file(file, MAX_BYTES)
    except OSError as error:
        raise Problem(
            f"cannot be read ({error.strerror})",
            where=str(file),
            remedy="Name the file facts.json, as the council's node wrote it",
            exit_code=ExitCode.DATA,
        ) from None
    facts = add_page(database, code, content, str(file), system_clock())
    found = shown_page(database, code)
    assert found is not None
    if json_:
        print_json(_json(found.page) | {"version": facts.latest.number, "name": facts.name})
        return
    print_text(
        f"{code}: shown now is the file of {facts.made_at}, version {facts.latest.number}, "
        f"SHA-256 {found.page.sha256}"
    )
    if not facts.is_as_approved:
        typer.echo("The council's system is not as it was approved: the page says so.")
    if found.forgotten:
        numbers = ", ".join(str(number) for number, _ in found.forgotten)
        typer.echo(
            f"Warning: earlier files named approved versions that this one does not ({numbers}). "
            "The page says so. Ask the council.",
            err=True,
        )
    typer.echo("Compare the SHA-256 with the council on a number that you know.")


def _withdraw(database: Database, code: GssCode, reason: str, json_: bool) -> None:
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.scrutiny.council_pages import shown_page, withdraw_page
    from folkmoot_operator.moments import to_text

    taken = withdraw_page(database, code, reason, system_clock())
    if json_:
        print_json(_json(taken))
        return
    print_text(f"{code}: the file of {to_text(taken.made_at)} is withdrawn: {taken.reason}")
    now = shown_page(database, code)
    typer.echo(
        "Nothing of it is shown now."
        if now is None
        else f"Shown again is the file of {to_text(now.page.made_at)}."
    )


def _list(database: Database, code: GssCode, json_: bool) -> None:
    from folkmoot_coordinator.scrutiny.council_pages import given_pages
    from folkmoot_operator.moments import to_text
    from folkmoot_operator.tables import print_table

    given = given_pages(database, code)
    if json_:
        print_json([_json(one) for one in given])
        return
    if not given:
        typer.echo(
            f"{code} has given nothing. At the council: `folkmoot-node dossier public --out FOLDER`"
        )
        return
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(
        "Made (UTC)", "Added (UTC)", "Withdrawn (UTC)", Column("SHA-256", overflow="fold"), "Reason"
    )
    for one in given:
        withdrawn = minute(to_text(one.withdrawn_at) if one.withdrawn_at else None, "")
        table.add_row(
            minute(to_text(one.made_at)),
            minute(to_text(one.added_at)),
            withdrawn,
            one.sha256,
            escape(one.reason),
        )
    print_table(table)


def _json(one: CouncilPage) -> dict[str, Any]:
    from folkmoot_operator.moments import to_text

    return {
        "council": one.council,
        "sha256": one.sha256,
        "made_at": to_text(one.made_at),
        "added_at": to_text(one.added_at),
        "withdrawn_at": None if one.withdrawn_at is None else to_text(one.withdrawn_at),
        "reason": one.reason or None,
    }
