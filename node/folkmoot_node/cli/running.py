"""`serve`: running the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, Home, moment

if TYPE_CHECKING:
    from folkmoot_node.answering.answer import Event


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command()(serve)


def serve(
    home: Home = HERE,
    until_idle: Annotated[
        bool,
        typer.Option(
            "--until-idle",
            help="End when a round is known and no round needs what this node does by itself; "
            "one that waits for a person is reported. Do not score, do not start Prefect.",
        ),
    ] = False,
    poll_seconds: Annotated[
        float | None, typer.Option(help="Seconds between visits, instead of the setting.", min=0.1)
    ] = None,
) -> None:
    """Keeps visiting the coordinator, and answers rounds as the policy says.

    Scores on the schedule in `[schedule]` of node.toml. Nothing listens to other machines: the
    node only connects out. Prefect's history of runs stays on this machine, unless `[prefect]`
    says otherwise. What is past the policy's retention rule is deleted, at the start and every
    hour, unless the rule says `purge = "manual"`. A coordinator that cannot be reached is
    retried until you stop the command with Ctrl-C or SIGTERM. Exit code 7 if this node's files
    are older than what has left it.

    Example: folkmoot-node serve
    """
    from folkmoot_node.evidence.joint_head import JointHead
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.automatic_purge import tidy
    from folkmoot_node.running.catalogue_process import CatalogueProcess
    from folkmoot_node.running.serve import serve as run
    from folkmoot_node.running.serve import stop_on_signals

    stop = stop_on_signals()
    with open_home(home) as node:
        node.state.check_pages()

        def report(event: Event) -> None:
            level = "problem" if event.is_problem else "info"
            subject = f" round {event.round_id[:12]}" if event.round_id else ""
            typer.echo(f"{moment(node.clock())} {level}{subject}: {event.text}", err=True)

        address = node.coordinator().address
        typer.echo(f"{node.config.name} ({node.config.council}) visits {address}.", err=True)
        heads = f"ledger head {node.ledger.head()}, of all logs {JointHead.now(node.state)}"
        typer.echo(f"{moment(node.clock())} info: {heads}", err=True)
        run(
            node,
            report,
            stop=stop,
            until_idle=until_idle,
            poll_seconds=poll_seconds,
            tidy=tidy,
            make_catalogue=CatalogueProcess(),
        )
