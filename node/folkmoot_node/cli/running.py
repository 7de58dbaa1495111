"""`serve`: running the node."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, Home


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
    no_plugins: Annotated[
        bool,
        typer.Option(
            "--no-plugins",
            help="Start nothing that runs plugins, as in a service that may make no namespaces: "
            "`score` runs by its own timer, and leaves what the region may ask.",
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
    from folkmoot_node.answering.event import Event
    from folkmoot_node.answering.kept_catalogue import kept_catalogue
    from folkmoot_node.evidence.joint_head import JointHead
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.automatic_purge import tidy
    from folkmoot_node.running.catalogue_process import CatalogueProcess
    from folkmoot_node.running.measuring import look_at
    from folkmoot_node.running.serve import serve as run
    from folkmoot_node.running.serve import stop_on_signals
    from folkmoot_node.scrutiny.permission import permit_release
    from folkmoot_node.signals import events
    from folkmoot_node.signals.lines import lines_of_node, version_here
    from folkmoot_node.signals.metrics import METRICS
    from folkmoot_operator import log_output, readings_socket, service_manager, signal_output
    from folkmoot_operator.events import emit

    stop = stop_on_signals()
    with open_home(home, observe=lambda _: service_manager.works(), permit=permit_release) as node:
        node.state.check_pages()

        log_output.configure(
            node.config.log, node.config.home, "folkmoot-node", lines=lines_of_node()
        )
        address = node.coordinator().address
        emit(events.SERVE_STARTED, council=node.config.council, address=address)
        heads = f"ledger head {node.ledger.head()}, of all logs {JointHead.now(node.state)}"
        emit(events.SERVE_HEADS, text=heads)
        with (
            signal_output.shown(
                node.config.metrics,
                node.config.home,
                "folkmoot-node",
                version_here(),
                METRICS,
                look_at(home),
            ) as readings,
            readings_socket.heard(readings),
        ):
            run(
                node,
                Event.emit,
                stop=stop,
                until_idle=until_idle,
                no_plugins=no_plugins,
                poll_seconds=poll_seconds,
                tidy=tidy,
                make_catalogue=kept_catalogue if no_plugins else CatalogueProcess(),
            )
