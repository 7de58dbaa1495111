"""Names of the columns of the table `households` in the store."""

from __future__ import annotations

SCORE = "score"
BAND_COLUMN = "band"


def field_column(name: str) -> str:
    """Column of a field's value; a category or area is an index into its codes."""
    return f"field_{name}"


def contribution_column(factor: str) -> str:
    """Column of a factor's points; null where unknown."""
    return f"points_{factor}"


def group_column(attribute: str) -> str:
    """Column of a grouped number: index of the group."""
    return f"group_{attribute}"
