"""`audit`: what people did at this node, and who they were."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, NOT_NOTED, AsJson, Expected, Home
from folkmoot_operator.console import print_json


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(help="What people did at this node, and who.", no_args_is_help=True)
    group.command()(show)
    group.command()(verify)
    app.add_typer(group, name="audit")


def show(
    home: Home = HERE,
    as_json: AsJson = False,
    since: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day (UTC) that is shown."),
    ] = None,
    until: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day (UTC) that is shown."),
    ] = None,
    action: Annotated[
        list[str] | None,
        typer.Option(help="Only this action, such as `household explained`; may be repeated."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Only what this account did.")] = None,
    last: Annotated[int, typer.Option(help="How many of the newest entries.", min=1)] = 50,
) -> None:
    """Shows who looked, exported, decided, signed and deleted, newest last.

    `By` is the account as which the command ran, by the operating system. `Signed in as` is the
    account that had signed in at this machine before, as Linux has it for the session. What
    LOGNAME, USER or SUDO_USER said, where that was something else, stands among the details as
    `claimed`: anybody can set it. Households are never named.

    Example: folkmoot-node audit show --since 2026-12-01 --action "household explained"
    """
    from folkmoot_node.home import open_home
    from folkmoot_operator.audit_console import show_entries

    first = None if since is None else _midnight(since)
    end = None if until is None else _midnight(until) + 86_400
    with open_home(home) as node:
        found = (
            entry
            for entry in node.audit.entries(tuple(action or ()))
            if (first is None or entry.at >= first)
            and (end is None or entry.at < end)
            and (by is None or entry.body.get("by") == by)
        )
        show_entries(found, last, as_json=as_json)


def verify(home: Home = HERE, as_json: AsJson = False, expect: Expected = None) -> None:
    """Recomputes the hash chain of the audit log, and checks that it goes on from the heads that
    the ledger names and that were noted earlier.

    Newest entries that were cut off leave a chain that is whole: only a head that was noted
    elsewhere, or that a ledger entry names, shows it. Exit code 7 if anything was changed, dropped
    or cut off. `ledger verify` checks everything else too.

    Example: folkmoot-node audit verify --expect 12:9f86...
    """
    from folkmoot_node.evidence.joint_head import NotedHead, broken_anchors
    from folkmoot_node.home import open_home
    from folkmoot_operator.problems import ExitCode, Problem

    noted = [NotedHead.parse(text) for text in expect or ()]
    with open_home(home) as node:
        head = node.audit.verify()
        node.ledger.verify()
        for earlier in noted:
            earlier.require(node.state)
        faults = list(broken_anchors(node.state, ("audit",)))
        if faults:
            raise Problem(
                "\n".join(faults),
                where=str(node.state.path),
                remedy="Compare with a backup, and find out who could write to this file",
                exit_code=ExitCode.VERIFICATION,
            )
    if as_json:
        print_json(
            {
                "entries": head.length,
                "head": str(head),
                "expected": [str(earlier) for earlier in noted],
                "unchecked": [] if noted else [NOT_NOTED],
            }
        )
    else:
        typer.echo(f"Audit log: {head.length} entries, unbroken. Head {head}")
        for earlier in noted:
            typer.echo(f"It goes on from {earlier}, as expected.")
    if not noted:
        typer.echo(f"NOT CHECKED: {NOT_NOTED}.", err=True)


def _midnight(day: datetime.datetime) -> int:
    return int(day.replace(tzinfo=datetime.UTC).timestamp())
