"""`doctor`: finding out why the node does not run, and repairing what can be repaired at once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.doctor_console import Fix, Yes, diagnose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from folkmoot_node.home import NodeHome
    from folkmoot_operator.checks import Check
    from folkmoot_operator.repairs import Repair


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(doctor)


def doctor(
    home: Home = HERE,
    as_json: AsJson = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not try to reach the coordinator.")
    ] = False,
    repair: Fix = False,
    yes: Yes = False,
) -> None:
    """Checks settings, keys, policies, plugins, scores, evidence, the way to the coordinator and
    the coordinator.

    A check that failed or warns says how to fix it. --fix closes private files to other accounts,
    deletes what stopped processes have left, and finishes a pause that was interrupted; it looks
    again afterwards, and the audit log has what was done. Exit code 3 if a check failed.

    Example: folkmoot-node doctor --fix
    """
    from folkmoot_node.operations.doctor import examine

    diagnose(
        lambda: examine(home, offline=offline, further=_further),
        lambda: _repairs(home),
        fix=repair,
        yes=yes,
        as_json=as_json,
    )


@contextlib.contextmanager
def _repairs(home: Path) -> Iterator[tuple[list[Repair], Callable[[], list[str]]]]:
    """What can be repaired; a node that cannot be opened is left to people."""
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.repairs import repair, repairs
    from folkmoot_operator.accounts import current_operator

    who = current_operator()
    with open_home(home) as node:
        found = list(repairs(node, who))
        yield found, lambda: repair(node, found, who)


def _further(node: NodeHome) -> Iterator[Check]:
    """The checks of rooms above operations."""
    from folkmoot_node.operations.leaving import has_left
    from folkmoot_node.scrutiny.standing import scrutiny_checks

    if not has_left(node):
        yield from scrutiny_checks(node)
    yield from _casework(node)


def _casework(node: NodeHome) -> Iterator[Check]:
    """The checks of casework, where it is set up."""
    if node.config.casework is None:
        return
    from folkmoot_node.casework.settings import require_casework
    from folkmoot_operator.checks import Check
    from folkmoot_operator.problems import Problem

    def look() -> str:
        require_casework()
        return "what it needs is installed"

    yield Check("casework", look)
    with contextlib.suppress(Problem):
        require_casework()
        from folkmoot_node.casework.checks import casework_checks

        yield from casework_checks(node)
