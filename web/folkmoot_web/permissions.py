"""Who may do what: permissions, and the roles that hold them.

A product writes its permissions as a `StrEnum` and says which role holds which:

    class Right(StrEnum):
        READ = "read results"
        APPROVE = "approve rounds"

    RIGHTS = Permissions(Right, {"reader": {Right.READ}, "approver": set(Right)})

Each route then names the permission that it needs, `PUBLIC` or `SIGNED_IN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import nearest

PUBLIC: Final = "public"
"""A route for everybody."""
SIGNED_IN: Final = "signed in"
"""A route for everybody who is signed in, whatever their roles."""


class Permissions:
    """The permissions of a product, and its roles.

    Attributes:
        known: Every permission that a route may name.
        roles: What each role may do.
    """

    def __init__(self, known: Iterable[str], roles: Mapping[str, Iterable[str]]) -> None:
        """Checks that the roles hold only permissions there are.

        Raises:
            ValueError: If a role holds another, or a permission has a name of the kit's.
        """
        self.known = frozenset(str(one) for one in known) | {PUBLIC, SIGNED_IN}
        self.roles = {
            name: frozenset(str(one) for one in held) | {PUBLIC, SIGNED_IN}
            for name, held in roles.items()
        }
        for name, held in self.roles.items():
            if unknown := held - self.known:
                raise ValueError(f"role {name!r} holds unknown permissions: {sorted(unknown)}")

    def of(self, roles: Iterable[str]) -> frozenset[str]:
        """What somebody who is signed in and has these roles may do.

        A role that the product no longer has holds nothing.
        """
        held = (self.roles.get(role, frozenset[str]()) for role in roles)
        return frozenset({PUBLIC, SIGNED_IN}).union(*held)

    def why_refused(self, permission: str) -> tuple[str, str, str] | None:
        """Why nobody may do something now, whatever their roles: title, problem and remedy.

        None where it is a matter of roles. A product whose permissions end says so here.
        """
        return None

    def require_roles(self, roles: Iterable[str], where: str = "") -> tuple[str, ...]:
        """The roles in order, each once.

        Args:
            roles: Their names.
            where: Where they are written, for the message.

        Raises:
            Problem: Exit code USAGE, if one is none of the product's.
        """
        chosen = sorted(set(roles))
        for role in chosen:
            if role not in self.roles:
                near = nearest(role, self.roles)
                hint = f"; did you mean {near!r}?" if near else ""
                raise Problem(
                    f"there is no role {role!r}{hint}",
                    where=where,
                    remedy=f"Choose from: {', '.join(sorted(self.roles))}",
                    exit_code=ExitCode.USAGE,
                )
        return tuple(chosen)
