"""Households read by commands of the node: under the same policy as pages, and in the same log.

An entry is durable before a command shows or writes anything. If it cannot be written, nothing is
shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from folkmoot_node.casework.authority.command_line import (
    REFUSED,
    CommandUser,
    command_user,
    require_noted,
)
from folkmoot_node.casework.authority.households import household_id
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.authority.signed_policy import load_signed_policy, require_in_force
from folkmoot_node.casework.desk import open_casework_state
from folkmoot_node.casework.opening.reasons import checked_reason
from folkmoot_node.casework.opening.restrictions import Restrictions
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.moments import day
from folkmoot_web.clock import Clock, system_clock
from folkmoot_web.site import State

HOUSEHOLD_READ = "household read by command"
SUBJECT_ACCESS = "subject access answered by command"
HOUSEHOLDS_WRITTEN = "households written to a file by command"
"""Actions of the log."""
SUBJECT_REASON = "A resident asks for their own data"


@dataclass(frozen=True, slots=True)
class ReadByCommand:
    """A reading that the log has.

    Attributes:
        user: Who reads.
        hidden_sources: Sensitive sources that they may not see.
        restricted: UPRNs of households that are left out of files.
    """

    user: CommandUser
    hidden_sources: frozenset[str]
    restricted: frozenset[int] = frozenset()


def note_household(
    config: NodeConfig,
    uprn: int,
    reason: str | None,
    *,
    subject_access: bool = False,
    clock: Clock = system_clock,
) -> ReadByCommand:
    """Notes that a command shows one household; the entry is durable when this returns.

    Args:
        config: The node's settings.
        uprn: The household.
        reason: Why, in the words of who asks; for a resident's request it need not be given.
        subject_access: Whether a resident asks for their own data, who is answered with
            every source, also after the policy's last day.
        clock: The time.

    Raises:
        Problem: Exit code USAGE without a reason; SETTINGS if the policy is not signed; REFUSED if
            it has ended or does not permit it, as for a restricted household; or why the log
            cannot be written.
    """
    if subject_access and reason is None:
        reason = SUBJECT_REASON
    right = Right.RIGHTS if subject_access else Right.OPEN
    action = SUBJECT_ACCESS if subject_access else HOUSEHOLD_READ
    with _reading(config, right, reason, ends=not subject_access, clock=clock) as noting:
        if uprn in noting.restricted():
            noting.note(REFUSED, uprn=uprn, what={"right": str(Right.RESTRICT)})
            noting.user.require(Right.RESTRICT)
        noting.note(action, uprn=uprn)
        hidden = noting.hidden_sources
    return ReadByCommand(noting.user, frozenset() if subject_access else hidden)


def note_households(
    config: NodeConfig,
    reason: str | None,
    what: Mapping[str, Any],
    *,
    clock: Clock = system_clock,
) -> ReadByCommand:
    """Notes that a command writes households to a file; the entry is durable when this returns.

    Args:
        config: The node's settings.
        reason: Why, in the words of who asks.
        what: Which households, for the log: nothing from their records.
        clock: The time.

    Raises:
        Problem: As `note_household`.
    """
    with _reading(config, Right.EXPORT, reason, ends=True, clock=clock) as noting:
        noting.note(HOUSEHOLDS_WRITTEN, what=what)
        return ReadByCommand(noting.user, noting.hidden_sources, noting.restricted())


def require_export_permitted(
    config: NodeConfig, reason: str | None, *, clock: Clock = system_clock
) -> None:
    """Refuses a command that writes a file in the end, before it begins to work.

    Raises:
        Problem: As `note_household`.
    """
    with _reading(config, Right.EXPORT, reason, ends=True, clock=clock):
        pass


@dataclass(frozen=True, slots=True)
class _Noting:
    user: CommandUser
    hidden_sources: frozenset[str]
    state: State
    reason: str

    def restricted(self) -> frozenset[int]:
        """Restricted households, for those who may not open them."""
        if Right.RESTRICT in self.user.rights:
            return frozenset()
        return Restrictions(self.state).restricted()

    def note(self, action: str, *, uprn: int | None = None, what: Mapping[str, Any] = {}) -> None:
        with self.state.database.writing() as session:
            detail = {"reason": self.reason, **what, **self.user.as_detail()}
            if uprn is not None:
                detail["household"] = household_id(session, uprn)
            self.state.audit.record(session, action, self.user.name, detail)


@contextmanager
def _reading(
    config: NodeConfig, right: Right, reason: str | None, *, ends: bool, clock: Clock
) -> Iterator[_Noting]:
    known = load_signed_policy(config).known
    given = checked_reason(reason)
    if ends:
        require_in_force(known, day(clock()))
    user = command_user(known.policy, current_operator())
    state = open_casework_state(config, known, clock=clock)
    hidden = frozenset(known.policy.sensitive_sources) - user.sources
    noting = _Noting(user, hidden, state, given)
    try:
        require_noted(state, user, right, reason=given)
        yield noting
    finally:
        state.database.close()
