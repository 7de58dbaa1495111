"""What roles may do: until the policy's last day what it says, afterwards what is owed."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_operator.moments import day
from folkmoot_web.clock import Clock
from folkmoot_web.permissions import PUBLIC, SIGNED_IN, Permissions

AFTER_SUNSET = frozenset(
    {PUBLIC, SIGNED_IN, *map(str, (Right.RIGHTS, Right.RESTRICT, Right.AUDIT))}
)
"""What outlasts a policy: residents are answered, also those of restricted households, households
are protected, and the log is read."""


class CaseworkPermissions(Permissions):
    """The roles of a policy as the site checks them."""

    def __init__(self, policy: CaseworkPolicy, clock: Clock) -> None:
        """Takes the roles of a policy.

        Args:
            policy: The policy.
            clock: The time, seconds since 1970-01-01T00:00:00Z.
        """
        super().__init__(Right, {name: role.may for name, role in policy.roles.items()})
        self._sunset = policy.sunset
        self._clock = clock

    def of(self, roles: Iterable[str]) -> frozenset[str]:
        """What somebody with these roles may do now."""
        held = super().of(roles)
        return held & AFTER_SUNSET if self._has_ended() else held

    def why_refused(self, permission: str) -> tuple[str, str, str] | None:
        """That the policy has ended, if that is why: people would look for a fault in their roles.

        Returns:
            Title, problem and remedy; None if it is a matter of roles.
        """
        if not self._has_ended() or permission in AFTER_SUNSET:
            return None
        return (
            "The casework policy has ended",
            f"Its last day was {self._sunset:%-d %B %Y}. Until another one is signed nobody opens "
            "households or lists. Residents are still answered.",
            "Ask the person who decides about the casework policy at the council.",
        )

    def _has_ended(self) -> bool:
        return day(self._clock()) > self._sunset
