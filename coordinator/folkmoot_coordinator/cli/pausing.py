"""`folkmoot-coordinator pause` and `resume`: stopping the region at once, and letting it go on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home

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
    lasts over restarts, and stands in the audit log. If the coordinator is paused already, its
    first reason stays, and is shown.

    Example: `folkmoot-coordinator pause --reason "we are looking into the results of May"`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.database.pauses import RESUME, paused
    from folkmoot_coordinator.database.pauses import pause as stop
    from folkmoot_operator.pause_console import say_paused

    _, database = open_home(home)
    before = paused(database)
    found = stop(database, system_clock, reason)
    say_paused(found, before, "coordinator", RESUME, as_json=json_)


def resume(reason: Why, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Let a paused coordinator go on. Exit code 5 if it is not paused.

    Example: `folkmoot-coordinator resume --reason "the results of May were withdrawn"`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.database.pauses import resume as go_on
    from folkmoot_operator.pause_console import say_resumed

    _, database = open_home(home)
    ended = go_on(database, system_clock, reason)
    say_resumed(ended, system_clock(), "coordinator", as_json=json_)
