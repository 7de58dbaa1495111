"""`ledger accept-clock`: a person says that the machine's clock is right again."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, Home, moment
from folkmoot_operator.accounts import current_operator


def accept_clock(
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    home: Home = HERE,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not compare the clock with the coordinator's.")
    ] = False,
) -> None:
    """Lets debits go on while the ledger has an entry that is dated ahead of the clock.

    A clock that was fast for a while leaves such an entry, and nothing is answered until its
    time has come. Make sure first that the clock is right now: accounting periods are chosen by
    it. What was spent stays spent, whatever its date. Exit code 5 if no entry lies ahead of the
    clock, 6 if the clock is a day off the coordinator's.

    Example: folkmoot-node ledger accept-clock --reason "the clock was a day fast on Monday"
    """
    from folkmoot_node.answering.reconcile import compare, require_same_time
    from folkmoot_node.evidence import ledger_clock
    from folkmoot_node.home import open_home
    from folkmoot_operator.problems import ExitCode, Problem

    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with open_home(home) as node:
        now = node.clock()
        latest = node.ledger.ahead_of(now)
        if latest is None:
            raise Problem(
                f"no entry of the ledger lies ahead of this machine's clock ({moment(now)})",
                remedy="Nothing needs to be done",
                exit_code=ExitCode.REFUSED,
            )
        head = node.ledger.verify()
        if not offline:
            with node.connect() as client:
                require_same_time(compare(node, client, client.negotiate()))
        with node.state.transaction() as connection:
            body = ledger_clock.decision(head, current_operator(), reason)
            node.audit.append(connection, now, body)
    typer.echo(
        f"Debits go on by this machine's clock, {moment(now)}; the ledger has an entry of "
        f"{moment(latest)}."
    )
