"""Who a command of the node is run by, and what the casework policy permits them.

Commands run as the account that owns the node's folder, because only that one has the key of the
scores. The policy says which roles a person has who signed in at the machine and became it, and
which the account has where nobody is known behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_operator.accounts import Operator
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.site import State

REFUSED = "command refused"
"""Action of the log."""
NODE_RIGHTS = frozenset({Right.OPEN, Right.EXPORT, Right.RIGHTS, Right.COHORTS, Right.LISTS})
"""What the node's account may do by commands unless the policy gives it roles."""
_RIGHTS_IN_WORDS = {
    Right.OPEN: "open households",
    Right.EXPORT: "write households to files",
    Right.RIGHTS: "answer what residents ask",
    Right.RESTRICT: "open restricted households",
    Right.COHORTS: "count, save and run cohorts",
    Right.LISTS: "see lists of households",
}


@dataclass(frozen=True, slots=True)
class CommandUser:
    """Who runs a command, under the casework policy.

    Attributes:
        operator: By the operating system.
        roles: Which they hold; empty for the node's account without roles.
        rights: What they may do.
        sources: Sensitive sources that they may see.
        is_node: Whether the entry of the log is that of the node's account, and of nobody.
    """

    operator: Operator
    roles: tuple[str, ...]
    rights: frozenset[Right]
    sources: frozenset[str]
    is_node: bool

    @property
    def name(self) -> str:
        """As the log has them."""
        return f"command of {self.operator}"

    def as_detail(self) -> dict[str, Any]:
        """What an entry of the log says of them beside the name."""
        who = {key: value for key, value in self.operator.as_body().items() if key != "by"}
        how = "the node's account" if self.is_node else "their own roles"
        return {**who, "as": how, "roles": list(self.roles)}

    def require(self, right: Right) -> None:
        """Checks that they may do something.

        Raises:
            Problem: Exit code REFUSED, naming the line of the policy that would permit it.
        """
        if right in self.rights:
            return
        what = _RIGHTS_IN_WORDS.get(right, right.value)
        key = "node_account" if self.is_node else "accounts"
        raise Problem(
            f"the casework policy does not permit {self.operator} to {what} by commands",
            where=f"casework policy: command_line.{key}",
            remedy="Ask somebody whom it permits; or have the person who decides give a role with "
            f"`{right}` there, and sign it: `folkmoot-node casework policy sign "
            '--signer "NAME, ROLE"`',
            exit_code=ExitCode.REFUSED,
        )


def command_user(policy: CaseworkPolicy, operator: Operator) -> CommandUser:
    """Who runs a command, with what the policy permits them.

    Args:
        policy: The policy.
        operator: Who it is by the operating system.
    """
    named = policy.command_line.accounts
    person = operator.login or operator.account
    if person in named:
        return _with_roles(policy, operator, named[person], is_node=False)
    if operator.login and named:
        # The policy names people, so somebody it does not name has no role.
        return _with_roles(policy, operator, (), is_node=False)
    roles = policy.command_line.node_account
    if roles is None:
        return CommandUser(operator, (), NODE_RIGHTS, frozenset(), is_node=True)
    return _with_roles(policy, operator, roles, is_node=True)


def require_noted(state: State, user: CommandUser, right: Right, **detail: Any) -> None:
    """Checks that somebody may do something; that they may not is an entry of the log.

    Args:
        state: Of casework.
        user: Who runs the command.
        right: What it needs.
        detail: More for the entry.

    Raises:
        Problem: As `CommandUser.require`.
    """
    try:
        user.require(right)
    except Problem:
        with state.database.writing() as session:
            body = {"right": str(right), **detail, **user.as_detail()}
            state.audit.record(session, REFUSED, user.name, body)
        raise


def _with_roles(
    policy: CaseworkPolicy, operator: Operator, roles: tuple[str, ...], *, is_node: bool
) -> CommandUser:
    rights = frozenset(right for role in roles for right in policy.roles[role].may)
    return CommandUser(operator, roles, rights, policy.sources_of(roles), is_node)
