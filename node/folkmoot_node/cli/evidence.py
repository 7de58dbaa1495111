"""`ledger` and `egress`: what was spent, and what left."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home, day, moment
from folkmoot_operator.console import console, minute, print_json, print_text


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(help="What was spent of the privacy budget.", no_args_is_help=True)
    group.command()(show)
    group.command()(verify)
    app.add_typer(group, name="ledger")
    app.command()(egress)


def show(home: Home = HERE, as_json: AsJson = False) -> None:
    """Shows each debit and what is left, in the accounting period and for all time.

    Without a valid, signed release policy the debits are shown all the same, and the exit
    code is that of the policy's fault.

    Example: folkmoot-node ledger show
    """
    from folkmoot.privacy import Rho, epsilon_at
    from folkmoot_node.home import open_home
    from folkmoot_operator.problems import Problem

    fault: Problem | None = None
    with open_home(home) as node:
        debits = node.ledger.debits()
        lifetime = Rho(sum(debit.rho.nano for debit in debits))
        try:
            balance = node.balance()
            delta = node.release_policy().policy.maximum_delta
        except Problem as problem:
            fault = problem
    if as_json:
        period = (
            {}
            if fault
            else {
                "period_start": moment(balance.period_start),
                "period_end": moment(balance.period_end),
                "cap": str(balance.cap),
                "spent": str(balance.spent),
                "remaining": str(balance.remaining),
                "lifetime_cap": str(balance.lifetime_cap),
                "lifetime_remaining": str(balance.lifetime_remaining),
            }
        )
        print_json(
            {
                **period,
                "lifetime": str(lifetime),
                "debits": [
                    {
                        "at": moment(debit.at),
                        "round_id": debit.round_id,
                        "rho": str(debit.rho),
                        "entry": debit.entry.hex(),
                    }
                    for debit in debits
                ],
            }
        )
        if fault:
            raise fault
        return
    from rich.table import Table

    table = Table("When (UTC)", "Round", "rho", "Ledger entry")
    for debit in debits:
        table.add_row(
            minute(moment(debit.at)), debit.round_id[:12], str(debit.rho), debit.entry.hex()[:16]
        )
    if debits:
        console().print(table)
    else:
        typer.echo("No round has been answered with a release: nothing is spent.")
    if fault:
        print_text(f"Spent since this node exists: rho {lifetime}.")
        raise fault
    print_text(
        f"Accounting period {day(balance.period_start)} to {day(balance.period_end - 1)}: "
        f"rho {balance.spent} of {balance.cap} spent, {balance.period_remaining} left "
        f"(epsilon spent {epsilon_at(balance.spent, delta):.2f} at delta {delta})."
    )
    print_text(
        f"For all time: rho {balance.lifetime} of {balance.lifetime_cap} spent, "
        f"{balance.lifetime_remaining} left "
        f"(epsilon spent {epsilon_at(balance.lifetime, delta):.2f} at delta {delta})."
    )


def verify(home: Home = HERE, as_json: AsJson = False) -> None:
    """Recomputes the hash chains of ledger, egress and audit log, every stored answer and
    every receipt.

    Exit code 7, and the first entry that does not fit, if anything was changed.

    Example: folkmoot-node ledger verify --json
    """
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        ledger, egress_, audit = (
            node.ledger.verify(),
            node.egress.verify(),
            node.audit.verify(),
        )
        answers = node.outbox.verify()
        node.check_answers_are_paid()
        receipts = node.check_receipts()
    if as_json:
        print_json(
            {
                "ledger": {"entries": ledger.length, "head": ledger.digest.hex()},
                "egress": {"entries": egress_.length, "head": egress_.digest.hex()},
                "audit": {"entries": audit.length, "head": audit.digest.hex()},
                "answers": answers,
                "receipts": receipts,
            }
        )
        return
    typer.echo(f"Ledger: {ledger.length} entries, unbroken. Head {ledger.digest.hex()}")
    typer.echo(f"Egress log: {egress_.length} entries, unbroken. Head {egress_.digest.hex()}")
    typer.echo(f"Audit log: {audit.length} entries, unbroken. Head {audit.digest.hex()}")
    typer.echo(f"Outbox: {answers} answers, each as it was stored and each release paid for.")
    typer.echo(f"Receipts: {receipts}, each signed by the coordinator for that answer.")


def egress(
    home: Home = HERE,
    as_json: AsJson = False,
    last: Annotated[int, typer.Option(help="How many of the newest records.", min=1)] = 50,
) -> None:
    """Shows what left this node: each message, when, to whom, how large, its SHA-256.

    Example: folkmoot-node egress --last 10
    """
    from collections import deque

    from folkmoot_node.home import open_home

    with open_home(home) as node:
        newest = deque(node.egress.departures(), maxlen=last)
    if as_json:
        print_json(
            [
                {
                    "at": moment(item.at),
                    "method": item.method,
                    "destination": item.destination,
                    "round_id": item.round_id,
                    "messages": item.messages,
                    "bytes": item.size,
                    "sha256": item.sha256.hex(),
                }
                for item in newest
            ]
        )
        return
    if not newest:
        typer.echo("Nothing has left this node.")
        return
    from rich.table import Column, Table

    table = Table(
        Column("When (UTC)", no_wrap=True),
        Column("Method", no_wrap=True),
        Column("To", overflow="fold"),
        Column("Round", no_wrap=True),
        Column("Bytes", justify="right", no_wrap=True),
        Column("SHA-256", no_wrap=True),
    )
    for item in newest:
        table.add_row(
            minute(moment(item.at)),
            item.method.rpartition("/")[2],
            item.destination,
            item.round_id[:8],
            str(item.size),
            item.sha256.hex()[:8],
        )
    console().print(table)
    typer.echo("--json shows whole digests and message counts.")
