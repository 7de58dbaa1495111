"""`folkmoot-node casework audit`: who looked at which household, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import application

if TYPE_CHECKING:
    from pathlib import Path

    from folkmoot_node.casework.desk import Desk

audit_app = application("audit", "Who looked at which household, when and why.")


@audit_app.command()
def show(
    home: Home = HERE,
    as_json: AsJson = False,
    action: Annotated[
        list[str] | None,
        typer.Option(help="Only this action, such as `household shown`; may be repeated."),
    ] = None,
    by: Annotated[str, typer.Option(help="Only what this account did.")] = "",
    case: Annotated[str, typer.Option(help="Only this case, by its id.")] = "",
    household: Annotated[str, typer.Option(help="Only this household, by its id.")] = "",
    last: Annotated[int, typer.Option(help="How many of the newest entries.", min=1)] = 50,
) -> None:
    """Shows the log of casework, newest last. That it was read is an entry too.

    Households and cases have random ids; nothing from residents' records is in the log.

    Example: folkmoot-node casework audit show --action "household shown" --last 20
    """
    desk = _desk(home)
    from folkmoot_node.casework.opening.log import note_reading
    from folkmoot_operator.accounts import current_operator
    from folkmoot_operator.audit_console import show_entries

    note_reading(desk.state, f"command of {current_operator()}")
    wanted = {"by": by, "case": case, "household": household}
    found = (
        entry
        for entry in desk.state.audit.entries(tuple(action or ()))
        if all(entry.body.get(key) == value for key, value in wanted.items() if value)
    )
    show_entries(found, last, as_json=as_json)


@audit_app.command()
def verify(
    home: Home = HERE,
    as_json: AsJson = False,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HEAD",
            help="A head that was printed earlier, from which the log must go on; repeat.",
        ),
    ] = None,
) -> None:
    """Recomputes the hash chain of the log of casework.

    Newest entries that were cut off leave a chain that is whole: only a head that was noted
    elsewhere shows it. Exit code 7 if anything was changed, dropped or cut off.

    Example: folkmoot-node casework audit verify --expect 12:9f86...
    """
    from folkmoot_operator.hash_chain import Head

    noted = [Head.parse(text) for text in expect or ()]
    desk = _desk(home)
    from folkmoot_operator.audit_console import show_head

    show_head(desk.state.audit.verify(noted), as_json=as_json)


def _desk(home: Path) -> Desk:
    from folkmoot_node.casework.settings import load_config_as_reader, require_casework

    require_casework()
    from folkmoot_node.casework.desk import open_desk

    return open_desk(load_config_as_reader(home))
