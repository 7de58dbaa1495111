"""How households are laid out in the store.

What is counted stands in columns of the table `households`. What explains a score (inputs
and contributions) is read for one household at a time, and stands in the table `details`:
for each part of the households one Arrow IPC file, which is written three times as fast
as the same columns.
"""

from __future__ import annotations

POINT = 1000
"""Units of a point: contributions, scores and bands are whole thousandths of a point.

Whole numbers add up exactly, so a score is the sum of its contributions, 0.1 and 0.2
reach a band from 0.3, and every machine gives the same band."""
UNKNOWN_POINTS = -1
"""Stands for a contribution that is not known; the others are not negative."""
PART_COLUMN = "part"
"""Column that says in which row of `details` a household is."""
SCORE_COLUMN = "score"
"""Column of the score, in thousandths of a point."""
BAND_COLUMN = "band"
COMPLETENESS_COLUMN = "completeness"
"""Column of what is listed: known weight over total weight, from 0 to 1. It is not stored."""
WITHHELD_COLUMN = "withheld"
"""Column of `households`: whether a household is left out of cohorts and new counts, since its
objection was upheld."""


def attribute_column(name: str) -> str:
    """Column of `households`: index into the attribute's stored codes."""
    return BAND_COLUMN if name == BAND_COLUMN else f"attribute_{name}"


def released_column(name: str) -> str:
    """Column of `households`: the same index as rounds count it, without records found by person.

    It is there only if a run linked people: one household's records could otherwise move another's
    row.
    """
    return f"released@{name}"  # no attribute can be called so


def field_column(name: str) -> str:
    """Column of the details: a field's value; a category is an index into its codes."""
    return f"field_{name}"


def points_column(factor: str) -> str:
    """Column of the details: a factor's contribution, in thousandths of a point."""
    return f"points_{factor}"


def record_column(source: str) -> str:
    """Column of the details: whether the household has a record in a source."""
    return f"record@{source}"  # no field can be called so


def rejected_column(field: str) -> str:
    """Column of the details: whether a field is unknown since a record was rejected.

    Only parts with such a household have it.
    """
    return f"rejected@{field}"


def suppressed_column(field: str) -> str:
    """Column of the details: the day on which it was decided against a field, null if it is used.

    Only parts with such a household have it.
    """
    return f"suppressed@{field}"


def corrected_column(field: str) -> str:
    """Column of the details: the day on which a field was corrected, null if it was not.

    Only parts with such a household have it.
    """
    return f"corrected@{field}"


def date_column(source: str) -> str:
    """Column of the details: date of the household's latest record in a source."""
    return f"date@{source}"


def first_column(outcome: str) -> str:
    """Column of the details: day of the first event after the date as of which a run scored.

    Only runs of a back-test have it, and those of `before_column` and `gone_column`.
    """
    return f"first@{outcome}"


def before_column(outcome: str) -> str:
    """Column of the details: whether there was an event on that date or earlier."""
    return f"before@{outcome}"


def gone_column(outcome: str) -> str:
    """Column of the details: whether one of these was after the latest record of the household in
    the frame, so that nobody is known to live there since, if the event is that somebody left.
    """
    return f"gone@{outcome}"
