"""`corrections list`, `corrections withdraw`: what upheld objections change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import print_json
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    import datetime

    from folkmoot_node.corrections.decisions import Decision
    from folkmoot_node.home import NodeHome

corrections = typer.Typer(
    help="What upheld objections change: fields that are not used or are corrected, and "
    "households that are withheld.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    corrections.command("list")(list_)
    corrections.command()(withdraw)
    app.add_typer(corrections, name="corrections")


def list_(home: Home = HERE, as_json: AsJson = False) -> None:
    """Lists the decisions, by objection, without households and without their values.

    The audit log records that you looked.

    Example: folkmoot-node corrections list
    """
    from rich.table import Column, Table

    from folkmoot_node.corrections.sealed_file import decisions_of
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        _record(node, "corrections listed")
        decisions, today = decisions_of(node.config), node.today()
    rows = [_row(one, today) for one in decisions.all]
    rows.sort(key=lambda row: (row["decided_on"], row["objection"]))
    if as_json:
        print_json({"households": len(decisions.households), "decisions": rows})
        return
    if not rows:
        typer.echo("No objection changes anything.")
        return
    table = Table(
        Column("Objection", overflow="fold"), "Decided", "Until",
        Column("Not used", overflow="fold"), Column("Corrected", overflow="fold"), "Withheld",
        "State",
    )  # fmt: skip
    for row in rows:
        withheld = "yes" if row["withheld"] else ""
        fields = (", ".join(row[key]) for key in ("suppressed", "corrected"))
        table.add_row(
            row["objection"], row["decided_on"], row["until"] or "", *fields, withheld, row["state"]
        )
    print_table(table)
    typer.echo(f"{len(rows):,} decisions about {len(decisions.households):,} households.")


def withdraw(
    objection: Annotated[str, typer.Argument(help="Id of the objection, as `list` shows it.")],
    home: Home = HERE,
) -> None:
    """Takes out the decision about an objection, once the source has been corrected.

    The next `folkmoot-node score` uses what the source says again. The audit log records it.

    Example: folkmoot-node corrections withdraw o-7f3a91
    """
    from folkmoot_node.corrections.sealed_file import open_corrections
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        file = open_corrections(node.config)
        file.require(objection)
        _record(node, "correction withdrawn", objection=objection)
        gone = file.withdraw(objection)
    what = ", ".join(gone.fields) or "the household is withheld no more"
    typer.echo(
        f"Withdrew the decision about objection {objection} ({what}). Run `folkmoot-node score`: "
        "until then the last scores go by it."
    )


def _row(decision: Decision, today: datetime.date) -> dict[str, Any]:
    ended = decision.until is not None and decision.until < today
    state = "in force" if decision.counts_on(today) else "ended" if ended else "not yet"
    return {
        "objection": decision.objection,
        "decided_on": decision.decided_on.isoformat(),
        "until": decision.until.isoformat() if decision.until else None,
        "suppressed": list(decision.suppress),
        "corrected": list(decision.correct),
        "withheld": decision.withhold,
        "state": state,
    }


def _record(node: NodeHome, action: str, **more: str) -> None:
    """Writes into the audit log, before anything is shown or changed."""
    with node.state.transaction() as connection:
        body = {"action": action, **current_operator().as_body(), **more}
        node.audit.append(connection, node.clock(), body)
