"""What the processes do that `serve` starts: `python -m folkmoot_node.running.worker`.

They have their own memory, which goes back to the machine when a run ends, and a fault in one
does not end the node's visits to the coordinator. Prefect, which takes seconds to import, is
imported only by what is recorded.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from folkmoot_node.answering.catalogue import serialised_here
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.kept_catalogue import keep_catalogue
from folkmoot_node.evidence.acceptances import in_force
from folkmoot_node.evidence.scoring_runs import recorded_run
from folkmoot_node.home import open_home
from folkmoot_node.pipeline.engine import score as score_plainly
from folkmoot_node.pipeline.own_run import Judged, last_run
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scrutiny.permission import permit_run
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.signals import events
from folkmoot_node.signals.lines import lines_of_node, version_here
from folkmoot_node.signals.metrics import METRICS
from folkmoot_node.sources.connect import load_plugins
from folkmoot_operator import log_output, readings_socket, signal_output
from folkmoot_operator.console import application, run
from folkmoot_operator.events import emit

app = application("folkmoot_node.running.worker", "Processes of `folkmoot-node serve`.")

RECORDED = "--recorded"


@app.command()
def score(
    home: Path, recorded: Annotated[bool, typer.Option(RECORDED, help="As a flow.")] = False
) -> None:
    """Scores all households once. Prints nothing about them."""
    today = datetime.datetime.now(datetime.UTC).date()
    config = load_config(home)
    _configure(config)
    permit_run(config)  # before a run is recorded: one that never began leaves rounds as they were
    with (
        readings_socket.telling("scoring", METRICS),
        signal_output.traced(config.metrics, config.home, "folkmoot-node", version_here()),
        recorded_run(config.state_path, "serve") as record,
    ):
        if recorded:
            from folkmoot_node.running.prefect_flows import run_score

            summary = run_score(home, today, lambda text: emit(events.SCORING_WARNED, text=text))
        else:
            policy = load_policy(config.risk_policy)
            judged = Judged(last_run(config), in_force(config.state_path, today))
            with load_plugins(config) as plugins:
                summary = score_plainly(
                    config,
                    plugins,
                    policy,
                    today=today,
                    judged=judged,
                    progress=lambda *_: record.go_on(),
                )
        record.stored(whole=not summary.failed)
        _configure(config)  # again: Prefect sets the root of all logs as it likes
        for failure in summary.failed:
            emit(events.SCORING_WARNED, text=f"{failure.in_words}.")


def _configure(config: NodeConfig) -> None:
    """Sends events where the node's log goes."""
    log_output.configure(config.log, config.home, "folkmoot-node-scoring", lines=lines_of_node())


@app.command()
def catalogue(home: Path) -> None:
    """Writes the serialised catalogue to standard output; nothing if it cannot be made yet."""
    with open_home(home) as node:
        sys.stdout.buffer.write(serialised_here(node))


@app.command("keep-catalogue")
def keep(home: Path) -> None:
    """Writes the catalogue into the home, for a `serve` that starts no plugins."""
    with open_home(home) as node:
        keep_catalogue(node)


@app.command()
def record(moment: str) -> None:
    """Writes the events of a visit, on standard input as JSON, into Prefect's history."""
    from folkmoot_node.running.prefect_flows import record_visit

    record_visit(moment, [Event(*one) for one in json.load(sys.stdin)])


if __name__ == "__main__":
    run(app)
