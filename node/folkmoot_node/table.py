"""Names of the columns of the table `households` in the store."""

from __future__ import annotations

POINT = 10_000
"""Units of a point: contributions, scores and bands are whole ten-thousandths of a point.

Whole numbers add up exactly, so a score is the sum of its contributions, 0.1 and 0.2
reach a band from 0.3, and every machine gives the same band."""
SCORE = "score"
"""Column of the score, in ten-thousandths of a point."""
BAND_COLUMN = "band"


def field_column(name: str) -> str:
    """Column of a field's value; a category or area is an index into its codes."""
    return f"field_{name}"


def contribution_column(factor: str) -> str:
    """Column of a factor's contribution, in ten-thousandths of a point; null where unknown."""
    return f"points_{factor}"


def group_column(attribute: str) -> str:
    """Column of a grouped number: index of the group."""
    return f"group_{attribute}"
