"""The command `folkmoot-coordinator`."""

from __future__ import annotations

from typing import NoReturn

from folkmoot_coordinator.cli import (
    audit,
    authority,
    backups,
    councils,
    diagnosis,
    drafts,
    exporting,
    incidents,
    initialise,
    keys,
    outcomes,
    pausing,
    planning,
    policies,
    record,
    rounds,
    series,
    serving,
    status,
    templates,
    viewing,
)
from folkmoot_operator.console import add_version, application, run

app = application(
    "folkmoot-coordinator",
    "A region's coordinator: invite councils, open rounds, publish regional statistics.\n\n"
    "Start with `init`, then `invite`, `serve` and `round open`.",
)
add_version(app, "folkmoot-coordinator")
initialise.add_to(app)
councils.add_to(app)
authority.add_to(app)
rounds.add_to(app)
planning.add_to(rounds.round_app)
drafts.add_to(rounds.round_app)
templates.add_to(rounds.round_app)
series.add_to(app)
exporting.add_to(app)
outcomes.add_to(app)
serving.add_to(app)
viewing.add_to(app)
keys.add_to(app)
diagnosis.add_to(app)
audit.add_to(app)
record.add_to(app)
backups.add_to(app)
pausing.add_to(app)
incidents.add_to(app)
status.add_to(app)
policies.add_to(app)


def main() -> NoReturn:
    """Runs the command."""
    run(app)
