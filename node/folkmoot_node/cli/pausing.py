"""`pause` and `resume`: stopping the node at once, and letting it go on."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator

Why = Annotated[
    str,
    typer.Option("--reason", help="Why, in a few words that name nobody: pages show it."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command()(pause)
    app.command()(resume)


def pause(reason: Why, home: Home = HERE, as_json: AsJson = False) -> None:
    """Stops scoring, releases and the pages of casework at once, until `resume`.

    No scoring run begins, and one that is going on ends before its next stage; its scores are not
    stored. No round is answered and no answer is sent. Of what the node sends, only the renewal of
    its certificate goes on. Pages of casework show the reason instead. It lasts over restarts, and
    stands in the audit log. If the node is paused already, its first reason stays, and is shown.

    Example: folkmoot-node pause --reason "we are looking into a mistake in the tax extract"
    """
    from folkmoot_node.evidence.pauses import RESUME, paused
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.pausing import pause as stop
    from folkmoot_operator.pause_console import say_paused

    with open_home(home) as node:
        before = paused(node)
        found = stop(node, reason, current_operator())
    say_paused(found, before, "node", RESUME, as_json=as_json)


def resume(reason: Why, home: Home = HERE, as_json: AsJson = False) -> None:
    """Lets a paused node go on: scoring, answers and the pages of casework.

    Rounds whose deadline has not passed are answered at the next visit. If the pause ended a
    scoring run, rounds wait until a run ends well (`folkmoot-node score`). Exit code 5 if the node
    is not paused, or has left its region.

    Example: folkmoot-node resume --reason "the extract was corrected"
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.pausing import resume as go_on
    from folkmoot_operator.pause_console import say_resumed

    with open_home(home) as node:
        ended = go_on(node, reason, current_operator())
        now = node.clock()
    say_resumed(ended, now, "node", as_json=as_json)
