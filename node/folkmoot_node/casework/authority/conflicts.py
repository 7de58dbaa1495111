"""Roles that hold rights which one person should not have together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right

CONFLICTS = (
    (
        Right.AUDIT,
        frozenset({Right.OPEN, Right.WORK, Right.DECIDE, Right.EXPORT, Right.RESTRICT}),
        "checks what they do themselves",
    ),
    (
        Right.RESTRICT,
        frozenset({Right.WORK}),
        "restricts households that they work with, and opens them all the same",
    ),
)
"""A right, those beside which it means little, and what follows."""


def conflicts_of(policy: CaseworkPolicy) -> Iterator[str]:
    """What a person who signs the policy should know of its roles, as sentences."""
    for name, role in policy.roles.items():
        for text in _conflicts(role.may):
            yield f"role {name}: {text}"


def conflicts_of_accounts(
    policy: CaseworkPolicy, accounts: Mapping[str, Iterable[str]]
) -> Iterator[str]:
    """The same of people who have several roles.

    Args:
        policy: The policy.
        accounts: The roles of each account, by name.
    """
    for name, held in accounts.items():
        roles = [policy.roles[role] for role in held if role in policy.roles]
        if any(list(_conflicts(role.may)) for role in roles):
            continue  # the role is named already
        for text in _conflicts({right for role in roles for right in role.may}):
            yield f"account {name}: {text}"


def _conflicts(may: Iterable[Right]) -> Iterator[str]:
    held = set(may)
    for right, others, what in CONFLICTS:
        both = sorted(held & others)
        if right in held and both:
            listed = ", ".join(f"`{one}`" for one in both)
            yield f"whoever has `{right}` and {listed} {what}"
