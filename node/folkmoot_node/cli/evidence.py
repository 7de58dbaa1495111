"""`ledger` and `egress`: what was spent, and what left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.clock import accept_clock
from folkmoot_node.cli.inheriting import inherit
from folkmoot_node.cli.ledger_witnesses import Witness, head, require_heads, store
from folkmoot_node.cli.options import (
    HERE,
    NOT_NOTED,
    AsJson,
    Expected,
    Home,
    moment,
    print_renewal,
)
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, minute, print_json, print_text
from folkmoot_operator.moments import day_text
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot_node.evidence.lost_answers import LostAnswer


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(help="What was spent of the privacy budget.", no_args_is_help=True)
    group.command()(show)
    group.command()(verify)
    group.command()(recover)
    group.command()(accept_clock)
    group.command()(head)
    group.command("witness")(store)
    group.command()(inherit)
    app.add_typer(group, name="ledger")
    app.command()(egress)


def show(home: Home = HERE, as_json: AsJson = False) -> None:
    """Shows each debit and what is left, in the accounting period and for all time.

    The head of all logs names ledger, egress and audit log: note it outside this machine, for
    `ledger verify --expect`. Without a valid, signed release policy the debits are still shown, and
    the exit code is that of the policy's fault. Exit code 7 if answers have left that are not
    in this node's files.

    Example: folkmoot-node ledger show
    """
    from folkmoot.privacy import Rho, epsilon_at
    from folkmoot_node.answering.reconcile import require_complete
    from folkmoot_node.evidence.joint_head import JointHead
    from folkmoot_node.home import open_home
    from folkmoot_operator.problems import Problem

    fault: Problem | None = None
    incomplete: Problem | None = None
    with open_home(home) as node:
        debits, head, signers = node.ledger.debits(), node.ledger.head(), node.ledger.signers()
        of_all = JointHead.now(node.state)
        lifetime = Rho.total(debit.rho for debit in debits)
        try:
            balance = node.balance()
            delta = node.release_policy().policy.maximum_delta
        except Problem as found:
            fault = found
        try:
            require_complete(node)
        except Problem as found:
            incomplete = found
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
                "head": str(head),
                "head_of_all_logs": str(of_all),
                "debits": [
                    {
                        "at": moment(debit.at),
                        "round_id": debit.round_id,
                        "rho": str(debit.rho),
                        "entry": debit.entry.hex(),
                        "recovered": debit.recovered,
                        **({"inherited": True} if debit.inherited else {}),
                        **({"signer": debit.signer.hex()} if debit.signer else {}),
                    }
                    for debit in debits
                ],
                "signers": [
                    {"since": moment(debit.at), "key": debit.signer.hex()} for debit in signers
                ],
            }
        )
        problem = incomplete or fault
        if problem:
            raise problem
        return
    from rich.table import Table

    table = Table("When (UTC)", "Round", "rho", "Ledger entry", "")
    for debit in debits:
        table.add_row(
            minute(moment(debit.at)),
            debit.round_id[:12],
            str(debit.rho),
            debit.entry.hex()[:16],
            "recovered" if debit.recovered else "inherited" if debit.inherited else "",
        )
    if debits:
        print_table(table)
    else:
        typer.echo("No round has been answered with a release: nothing is spent.")
    for debit in signers[1:]:
        at, key = minute(moment(debit.at)), debit.signer.hex()
        typer.echo(f"Signer of the release policy changed before {at} UTC, to {key}")
    typer.echo(f"Ledger head {head}")
    typer.echo(f"Head of all logs {of_all}")
    if incomplete:
        raise incomplete
    if fault:
        print_text(f"Spent since this node exists: rho {lifetime}.")
        raise fault
    print_text(
        f"Accounting period {day_text(balance.period_start)} to "
        f"{day_text(balance.period_end - 1)}: "
        f"rho {balance.spent} of {balance.cap} spent, {balance.period_remaining} left "
        f"(epsilon spent {epsilon_at(balance.spent, delta):.2f} at delta {delta})."
    )
    print_text(
        f"For all time: rho {balance.lifetime} of {balance.lifetime_cap} spent, "
        f"{balance.lifetime_remaining} left "
        f"(epsilon spent {epsilon_at(balance.lifetime, delta):.2f} at delta {delta})."
    )


def verify(
    home: Home = HERE,
    as_json: AsJson = False,
    expect: Expected = None,
    witness: Witness = None,
) -> None:
    """Recomputes the hash chains of ledger, egress and audit log, and checks every stored answer,
    round and receipt: that each is as it was signed or digested, that they agree with each other,
    and that the logs go on from the heads noted earlier.

    Exit code 7, naming each place that does not hold, if anything was changed, dropped or
    returned to an earlier state. What nothing outside this machine vouches for is said on
    standard error.

    Example: folkmoot-node ledger verify --json
    """
    from folkmoot_node.answering.reconcile import require_complete
    from folkmoot_node.evidence.joint_head import NotedHead
    from folkmoot_node.home import open_home

    noted = [NotedHead.parse(text) for text in expect or ()]
    with open_home(home) as node:
        for one in noted:
            one.require(node.state)
        witnessed = require_heads(node, witness or ())
        found = node.verify_evidence()
        require_complete(node)
    unchecked = [*found.unchecked, *([] if noted or witnessed else [NOT_NOTED])]
    if as_json:
        print_json(
            {
                **{
                    name: {"entries": head.length, "head": head.digest.hex()}
                    for name, head in (
                        ("ledger", found.ledger),
                        ("egress", found.egress),
                        ("audit", found.audit),
                    )
                },
                "head_of_all_logs": str(found.head),
                "answers": found.answers,
                "receipts": found.receipts,
                "rounds": found.rounds,
                "expected": [str(one) for one in noted],
                "witnessed": [str(one.ledger) for one in witnessed],
                "unchecked": unchecked,
            }
        )
    else:
        typer.echo(f"Ledger: {found.ledger.length} entries, unbroken. Head {found.ledger}")
        typer.echo(f"Egress log: {found.egress.length} entries, unbroken. Head {found.egress}")
        typer.echo(f"Audit log: {found.audit.length} entries, unbroken. Head {found.audit}")
        for kept in witnessed:
            typer.echo(f"The ledger holds what a witness has of {kept.at}: {kept.ledger}")
        for expected in noted:
            typer.echo(f"The logs go on from {expected}, as expected.")
        typer.echo(
            f"Outbox: {found.answers} answers, each as it was stored and each release paid for."
        )
        typer.echo(f"Rounds: {found.rounds}, each as the coordinator signed it.")
        typer.echo(f"Receipts: {found.receipts}, each signed by the coordinator for that answer.")
        typer.echo(f"Head of all logs {found.head}")
    for what in unchecked:
        typer.echo(f"NOT CHECKED: {what}.", err=True)


def recover(
    home: Home = HERE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Accounts for answers that have left and are not in this node's files.

    Asks the coordinator which answers of this council it holds. The loss of each one that
    is missing here is debited, whatever the caps, and its round is marked as answered, so
    that it is never answered again. Use it only when there is no newer copy of the node's
    folder to put back: the coordinator's receipts are then the only record.

    Example: folkmoot-node ledger recover
    """
    from folkmoot_node.answering.reconcile import compare, require_same_time
    from folkmoot_node.answering.reconcile import recover as enter
    from folkmoot_node.answering.witnesses import require_witnessed
    from folkmoot_node.evidence.restored import note_compared
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        with node.connect() as client:
            print_renewal(client)
            require_same_time(compare(node, client, client.negotiate()))
        outstanding = node.lost_answers.outstanding()
        node.release_policy()  # its fault should be known before anybody is asked
        if outstanding and not yes:
            _print_lost(outstanding)
            typer.confirm("Count these, and never answer these rounds again?", abort=True, err=True)
        debited = [enter(node, lost) for lost in outstanding]
        if outstanding:
            with node.state.transaction() as connection:
                body = {
                    "action": "answers recovered",
                    **current_operator().as_body(),
                    "rounds": [lost.receipt.round_id for lost in outstanding],
                }
                node.audit.append(connection, node.clock(), body)
        require_witnessed(node)
        note_compared(node.state, node.clock())
        balance, head = node.balance(), node.ledger.head()
    if as_json:
        print_json(
            {
                "recovered": [
                    {"round_id": lost.receipt.round_id, "rho": str(rho)}
                    for lost, rho in zip(outstanding, debited, strict=True)
                ],
                "remaining": str(balance.remaining),
                "head": str(head),
            }
        )
        return
    if not outstanding:
        typer.echo("Nothing is missing: every answer that the coordinator holds is here.")
        return
    for lost, rho in zip(outstanding, debited, strict=True):
        typer.echo(f"Round {lost.receipt.round_id}: rho {rho} debited; the round stays answered.")
    typer.echo(f"Left now: rho {balance.remaining}. Ledger head {head}")


def _print_lost(outstanding: tuple[LostAnswer, ...]) -> None:
    from rich.table import Table

    table = Table("Round", "Answer", "Received (UTC)", "rho")
    for lost in outstanding:
        receipt = lost.receipt
        table.add_row(
            receipt.round_id[:12],
            "release" if receipt.is_release else "refusal",
            minute(moment(receipt.received_at)),
            str(receipt.loss),
        )
    print_table(table, console(stderr=True))


def egress(
    home: Home = HERE,
    as_json: AsJson = False,
    last: Annotated[int, typer.Option(help="How many of the newest records.", min=1)] = 50,
) -> None:
    """Shows what left this node: each message, when, to whom, how large, its SHA-256. The same
    message of one day, such as a visit that found nothing, has one line.

    Example: folkmoot-node egress --last 10
    """
    from collections import deque

    from folkmoot_node.home import open_home

    with open_home(home) as node:
        newest = deque(node.egress.days(), maxlen=last)
    if as_json:
        print_json(
            [
                {
                    "at": moment(day.departure.at),
                    "method": day.departure.method,
                    "destination": day.departure.destination,
                    "round_id": day.departure.round_id,
                    "messages": day.departure.messages,
                    "bytes": day.departure.size,
                    "sha256": day.departure.sha256.hex(),
                    "times": day.times,
                    "last_at": moment(day.last_at),
                }
                for day in newest
            ]
        )
        return
    if not newest:
        typer.echo("Nothing has left this node.")
        return
    from rich.table import Column, Table

    table = Table(
        Column("When (UTC)", no_wrap=True),
        Column("Times", justify="right", no_wrap=True),
        Column("Method", no_wrap=True),
        Column("To", overflow="fold"),
        Column("Round", no_wrap=True),
        Column("Bytes", justify="right", no_wrap=True),
        Column("SHA-256", no_wrap=True),
    )
    for day in newest:
        item = day.departure
        table.add_row(
            minute(moment(item.at)),
            str(day.times),
            item.method.rpartition("/")[2],
            item.destination,
            item.round_id[:8],
            str(item.size),
            item.sha256.hex()[:8],
        )
    print_table(table)
    typer.echo("--json shows whole digests, message counts, and when a message left last.")
