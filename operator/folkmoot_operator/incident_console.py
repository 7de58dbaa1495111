"""The commands `incident`, the same in each program: only where the register is differs."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from folkmoot_operator.console import application, console, minute, print_json
from folkmoot_operator.hash_chain import Entry, Head
from folkmoot_operator.incidents import (
    ACTIONS,
    Incident,
    Log,
    Register,
    Told,
    export_of,
    moment_of,
)
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem


class OpenLog(Log, Protocol):
    """An audit log that is open, with its head."""

    def head(self) -> Head:
        """Where the log ends now."""


Opening = Callable[[Path], AbstractContextManager[tuple[Register, OpenLog]]]

What = Annotated[
    str,
    typer.Option(
        "--what", help="What happened, in a few sentences. Name no resident: this is kept always."
    ),
]
Happened = Annotated[
    str, typer.Option("--happened", help="When it happened or began: 2026-12-01T12:30, in UTC.")
]
Noticed = Annotated[
    str | None, typer.Option("--noticed", help="When somebody noticed it; now if left out.")
]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="Of the incident.", min=1)]
Whom = Annotated[Told, typer.Option("--whom", help="Who was told.")]
By = Annotated[str, typer.Option("--by", help="Name or role of the person who told them.")]
At = Annotated[str | None, typer.Option("--at", help="When they were told; now if left out.")]
Note = Annotated[str, typer.Option("--note", help="Such as the reference of a report.")]
Outcome = Annotated[
    str, typer.Option("--outcome", help="What came of it, and what was changed. Name no resident.")
]
Out = Annotated[Path, typer.Option("--out", help="File to write; it must not exist.")]
OnlyOpen = Annotated[bool, typer.Option("--open", help="Only those that are open.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def incident_commands(program: str, home_option: Any, opening: Opening) -> typer.Typer:
    """The group of commands for one program.

    Args:
        program: Name of its command, for examples.
        home_option: Typer's option for the program's folder.
        opening: Opens the register of a folder.
    """
    app = application(
        "incident",
        "The register of incidents: what happened, when, who was told. Entries of the audit log, "
        "which nobody can change unnoticed.",
    )
    folder: Any = home_option

    def add(
        what: What,
        happened: Happened,
        noticed: Noticed = None,
        home: Path = folder,
        as_json: AsJson = False,
    ) -> None:
        """Enters an incident: what happened, when, and when it was noticed.

        Example: incident add --what "an extract of the wrong year was scored" --happened 2026-12-01
        """
        with opening(home) as (register, _):
            when = moment_of(happened, "--happened")
            seen = _now() if noticed is None else moment_of(noticed, "--noticed")
            _print_one(register.add(what, when, seen), as_json=as_json)

    def told(
        number: Number,
        whom: Whom,
        by: By,
        at: At = None,
        note: Note = "",
        home: Path = folder,
        as_json: AsJson = False,
    ) -> None:
        """Enters that somebody was told of an incident.

        Example: incident told 1 --whom dpo --by "head of revenues"
        """
        with opening(home) as (register, _):
            when = _now() if at is None else moment_of(at, "--at")
            _print_one(register.tell(number, whom, when, by, note), as_json=as_json)

    def close(
        number: Number, outcome: Outcome, home: Path = folder, as_json: AsJson = False
    ) -> None:
        """Enters what came of an incident, and closes it.

        Example: incident close 1 --outcome "scored again from the right extract"
        """
        with opening(home) as (register, _):
            _print_one(register.close(number, outcome), as_json=as_json)

    def list_(only_open: OnlyOpen = False, home: Path = folder, as_json: AsJson = False) -> None:
        """Lists incidents, newest last.

        Example: incident list --open
        """
        with opening(home) as (register, _):
            found = [one for one in register.all() if not only_open or one.closed_at is None]
        if as_json:
            print_json([one.as_json() for one in found])
        elif found:
            _print_table(found)
        else:
            typer.echo("There is no such incident.")

    def export(out: Out, home: Path = folder) -> None:
        """Writes the register into a file, with the entries of the audit log and a digest.

        Example: incident export --out incidents.json
        """
        from folkmoot_operator.output_places import require_place_for_file, writing_to
        from folkmoot_operator.private_files import write_private

        require_place_for_file(out)
        if out.exists():
            raise Problem(
                "exists already",
                where=str(out),
                remedy="Name another file",
                exit_code=ExitCode.SETTINGS,
            )
        with opening(home) as (register, log):
            content = export_of(register.all(), _entries(log), str(log.head()))
        with writing_to(out):
            write_private(out, content, replace=False)
        typer.echo(f"Wrote {out}")

    for name, command in (
        ("add", add), ("told", told), ("close", close), ("list", list_), ("export", export),
    ):  # fmt: skip
        text = (command.__doc__ or "").replace("Example: incident", f"Example: {program} incident")
        app.command(name, help=inspect.cleandoc(text))(command)
    return app


def _entries(log: OpenLog) -> Iterable[Entry]:
    return log.entries(ACTIONS)


def _now() -> int:
    return int(time.time())


def _print_one(incident: Incident, *, as_json: bool) -> None:
    if as_json:
        print_json(incident.as_json())
        return
    state = "open" if incident.closed_at is None else "closed"
    typer.echo(f"Incident {incident.number} is {state}, noticed {to_text(incident.noticed_at)}.")
    if incident.closed_at is None and not incident.is_ico_told:
        typer.echo(
            "If it may harm people, report it to the ICO by "
            f"{minute(to_text(incident.ico_by))} UTC, 72 hours after it was noticed."
        )


def _print_table(found: Iterable[Incident]) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(
        Column("", justify="right"),
        Column("Noticed (UTC)", no_wrap=True),
        Column("What", overflow="fold"),
        Column("Told", overflow="fold"),
        Column("State", no_wrap=True),
    )
    for one in found:
        told = ", ".join(dict.fromkeys(each.whom.value for each in one.told)) or "nobody"
        table.add_row(
            str(one.number),
            minute(to_text(one.noticed_at)),
            escape(one.what),
            told,
            "open" if one.closed_at is None else "closed",
        )
    console().print(table)
