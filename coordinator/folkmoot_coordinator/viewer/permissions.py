"""Who may do what on the region's site."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from folkmoot_coordinator.config import ViewerSettings
from folkmoot_web.permissions import Permissions


class Right(StrEnum):
    """What a page may need."""

    READ = "read"
    """Rounds, their results, how they were made."""
    ASK = "ask"
    """Write questions and submit them."""
    APPROVE = "approve"
    """Approve questions that somebody else wrote."""
    ALLOCATE = "allocate"
    """Share out a quantity by need."""
    KEYS = "keys"
    """Make API keys of one's own."""


PERMISSIONS = Permissions(
    Right,
    {
        "reader": {Right.READ},
        "analyst": {Right.READ, Right.ASK, Right.ALLOCATE, Right.KEYS},
        "approver": {Right.READ, Right.APPROVE},
    },
)
"""The roles; a person may have several."""


def may_see_all(settings: ViewerSettings, roles: Iterable[str]) -> bool:
    """Whether somebody may see rounds of every purpose.

    Args:
        settings: They may name purposes by role.
        roles: Those of the person.
    """
    return any(role not in settings.visibility for role in _known(roles))


def everybody_may_see(settings: ViewerSettings, purpose: str) -> bool:
    """Whether every role may see rounds of a purpose, so that it may be named to the public."""
    return all(may_see(settings, [role], purpose) for role in PERMISSIONS.roles)


def may_see(settings: ViewerSettings, roles: Iterable[str], purpose: str) -> bool:
    """Whether somebody may see rounds of a purpose: any of their roles is enough.

    Args:
        settings: They may name purposes by role.
        roles: Those of the person.
        purpose: The round's.
    """
    return any(
        role not in settings.visibility or purpose in settings.visibility[role]
        for role in _known(roles)
    )


def _known(roles: Iterable[str]) -> list[str]:
    """Roles that there are: one of an earlier version shows nothing."""
    return [role for role in roles if role in PERMISSIONS.roles]
