"""`folkmoot-coordinator pause` and `resume`: stopping the region at once, and letting it go on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import print_json, print_text

Why = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Why, in a few words that name nobody: councils and the site's pages show it.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("pause")(pause)
    app.command("resume")(resume)


def pause(reason: Why, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Stop at once: no round is opened, no answer taken, and the region's site is closed.

    Nodes are told that their answer is not taken now, keep it, and send it again. Deadlines of
    open rounds pass as they would. Drafts that are approved and rounds of the schedule wait. It
    lasts over restarts, and stands in the audit log. To repeat it changes nothing.

    Example: `folkmoot-coordinator pause --reason "we are looking into the results of May"`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.database.pauses import pause as stop

    _, database = open_home(home)
    found = stop(database, system_clock, reason)
    if json_:
        print_json(found.as_json())
        return
    print_text(f"The coordinator is {found}.")
    typer.echo("To let it go on: `folkmoot-coordinator resume --reason TEXT`")


def resume(reason: Why, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Let a paused coordinator go on. Exit code 5 if it is not paused.

    Example: `folkmoot-coordinator resume --reason "the results of May were withdrawn"`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.database.pauses import resume as go_on
    from folkmoot_operator.moments import to_text

    _, database = open_home(home)
    ended = go_on(database, system_clock, reason)
    until = to_text(system_clock())
    if json_:
        print_json({**ended.as_json(), "until": until})
        return
    typer.echo(f"The coordinator goes on. It was paused from {to_text(ended.at)} to {until}.")
