"""The command `folkmoot-node`."""

from __future__ import annotations

from typing import NoReturn

from folkmoot_node.cli import (
    audit,
    backups,
    casework,
    casework_rights,
    corrections,
    doctor,
    dossier,
    equality,
    evaluation,
    evidence,
    explaining,
    exporting,
    fitting,
    incidents,
    installation,
    leaving,
    linkage,
    pausing,
    plugins,
    policies,
    retention,
    rounds,
    running,
    scoring,
    scrutiny,
    setup,
    sources,
    status,
    upgrades,
)
from folkmoot_operator.console import add_version, application, run

app = application(
    "folkmoot-node",
    "A council's node: scores its own households, and releases only noisy counts.\n\n"
    "Exit codes: 0 done, 1 fault, 2 usage, 3 settings, 4 data, 5 refused, 6 unreachable, "
    "7 verification failed. Add --debug to any command for a stack trace.",
)
add_version(app, "folkmoot-node")
_MODULES = (
    setup, plugins, sources, scoring, exporting, explaining, linkage, corrections, equality,
    evaluation, fitting, retention, policies, rounds, evidence, audit, backups, upgrades, running,
    status, doctor, pausing, incidents, leaving, installation, casework, casework_rights, dossier,
    scrutiny,
)  # fmt: skip
_WITH_PLUGINS = frozenset(
    {
        "casework",
        "doctor",
        "dossier",
        "equality",
        "evaluate",
        "explain",
        "facts",
        "fit",
        "linkage",
        "rounds",
        "score",
        "sources",
    }
)
"""Commands that may run code of plugins."""
for _module in _MODULES:
    _module.register(app)


def main() -> NoReturn:
    """Entry point of the console script."""
    run(app, with_plugins=_WITH_PLUGINS)
