"""`incident`: the node's register of incidents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from folkmoot_node.cli.options import HOME_OPTION
from folkmoot_operator.incident_console import incident_commands

if TYPE_CHECKING:
    from folkmoot_node.evidence.incident_log import IncidentLog
    from folkmoot_operator.incidents import Register


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(incident_commands("folkmoot-node", HOME_OPTION, _opened), name="incident")


@contextmanager
def _opened(home: Path) -> Iterator[tuple[Register, IncidentLog]]:
    from folkmoot_node.evidence.incident_log import IncidentLog
    from folkmoot_node.home import open_home
    from folkmoot_operator.accounts import current_operator
    from folkmoot_operator.incidents import Register

    with open_home(home) as node:
        log = IncidentLog(node.state, node.clock)
        yield Register(log, node.clock, current_operator()), log
