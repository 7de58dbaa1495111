"""What `pause` and `resume` say, the same in each program."""

from __future__ import annotations

import typer

from folkmoot_operator.console import print_json, print_text
from folkmoot_operator.moments import to_text
from folkmoot_operator.pauses import Pause


def say_paused(
    found: Pause, before: Pause | None, program: str, command: str, *, as_json: bool
) -> None:
    """Says that a program is paused, and whether it was already: it keeps its first reason then.

    Args:
        found: The pause.
        before: The one that there was before; None if there was none.
        program: What it is called: `node`.
        command: That ends the pause.
        as_json: Whether for programs.
    """
    already = found == before
    if as_json:
        print_json({**found.as_json(), "already": already})
        return
    begin = f"Nothing changes: the {program} was already" if already else f"The {program} is"
    print_text(f"{begin} {found}.")
    if not found.is_final:
        typer.echo(f"To let it go on: `{command} --reason TEXT`")


def say_resumed(ended: Pause, now: int, program: str, *, as_json: bool) -> None:
    """Says that a program goes on.

    Args:
        ended: The pause that has ended.
        now: Seconds since 1970-01-01T00:00:00Z.
        program: What it is called: `node`.
        as_json: Whether for programs.
    """
    until = to_text(now)
    if as_json:
        print_json({**ended.as_json(), "until": until})
        return
    typer.echo(f"The {program} goes on. It was paused from {to_text(ended.at)} to {until}.")
