"""The sections of a case: pages beside each other, each of one room."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_node.casework.authority.rights import Right


@dataclass(frozen=True, slots=True)
class Section:
    """A page of a case.

    Attributes:
        text: What its link says.
        path: What follows `/cases/{case_id}`.
        permission: Without which the link is not shown.
    """

    text: str
    path: str
    permission: Right


SECTIONS = (
    Section("Case", "", Right.LISTS),
    Section("Score", "/score", Right.OPEN),
    Section("Then and now", "/then-and-now", Right.OPEN),
    Section("Contacts and notes", "/record", Right.OPEN),
    Section("Needs", "/needs", Right.OPEN),
    Section("Plan", "/plan", Right.OPEN),
    Section("Referrals", "/referrals", Right.LISTS),
    Section("Notice", "/notice", Right.OPEN),
    Section("Objections", "/objections", Right.LISTS),
)
"""In the order in which links stand; each room adds its own."""
