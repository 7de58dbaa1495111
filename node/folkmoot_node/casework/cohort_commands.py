"""Cohorts for commands of the node: under the same policy as pages, and in the same log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from folkmoot_node.casework.authority.command_line import command_user, require_noted
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.authority.signed_policy import require_in_force
from folkmoot_node.casework.cohorts.cohorts import Cohort
from folkmoot_node.casework.desk import Desk, desk_for_command
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.clock import Clock, system_clock
from folkmoot_web.visitors import Visitor


@dataclass(frozen=True, slots=True)
class CohortCommand:
    """A command under way.

    Attributes:
        desk: Casework.
        by: Who runs it, as pages know visitors.
    """

    desk: Desk
    by: Visitor

    def cohort(self, named: str) -> Cohort:
        """A saved cohort by its id, or by its title.

        Raises:
            Problem: Exit code USAGE, if there is none, or several have the title.
        """
        found = [
            one
            for one in self.desk.cohorts.listed()
            if named in (one.cohort_id, one.definition.title)
        ]
        if len(found) != 1:
            what = "no saved cohort has" if not found else f"{len(found)} saved cohorts have"
            raise Problem(
                f"{what} the id or title {named!r}",
                where="COHORT",
                remedy="`folkmoot-node casework cohort list` shows ids and titles",
                exit_code=ExitCode.USAGE,
            )
        return found[0]


@contextmanager
def cohort_command(
    config: NodeConfig, right: Right, *, clock: Clock = system_clock
) -> Iterator[CohortCommand]:
    """Opens casework for whoever runs a command, if the casework policy permits them.

    Args:
        config: The node's settings.
        right: What the command needs.
        clock: The time.

    Raises:
        Problem: Exit code REFUSED, if the policy does not permit it or has ended; or if casework
            cannot be opened.
    """
    with desk_for_command(config, clock=clock) as desk:
        require_in_force(desk.known, desk.today())
        user = command_user(desk.known.policy, current_operator())
        require_noted(desk.state, user, right)
        permissions = frozenset(map(str, user.rights))
        yield CohortCommand(
            desk,
            Visitor(
                name=user.name,
                display_name=user.name,
                roles=user.roles,
                permissions=permissions,
                by_browser=False,
            ),
        )
