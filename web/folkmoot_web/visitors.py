"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from folkmoot_web.permissions import PUBLIC


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sent a request.

    Attributes:
        account: Number of the account; None for somebody who is not signed in.
        name: The name with which they sign in, as audit logs have it; empty if not signed in.
        display_name: The name for people.
        roles: Their roles.
        permissions: What they may do.
        session: Digest of the session's token; empty where there is no session.
        by_browser: Whether the request could come from a page of another site: the browser
            sends cookies by itself. False for programs that send a key.
    """

    account: int | None = None
    name: str = ""
    display_name: str = ""
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset({PUBLIC})
    session: str = ""
    by_browser: bool = True

    @property
    def is_signed_in(self) -> bool:
        """Whether it is known who they are."""
        return self.account is not None or not self.by_browser

    def may(self, permission: str) -> bool:
        """Whether they hold a permission."""
        return str(permission) in self.permissions


NOBODY = Visitor()
"""Somebody who is not signed in."""


def visitor_of(request: Request) -> Visitor:
    """Who sent a request; `Depends(visitor_of)` gives it to an endpoint."""
    found = getattr(request.state, "visitor", NOBODY)
    assert isinstance(found, Visitor)
    return found
