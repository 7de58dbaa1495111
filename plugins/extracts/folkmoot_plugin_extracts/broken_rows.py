"""What may be taken from a row with too many or too few fields.

An amount with a comma that nobody quoted, `2,645.68`, moves all fields behind it. Whose record the
row was can often be said all the same: counted from the left or from the right, the field of the
UPRN is a long whole number. Nothing else of the row is believed.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence


def split_row(text: str, delimiter: str, quote: str) -> list[str]:
    """The fields of one row.

    Args:
        text: The row.
        delimiter: One character.
        quote: One character, or none.
    """
    if not quote:
        return text.split(delimiter)
    return next(csv.reader([text], delimiter=delimiter, quotechar=quote))


def number_at(fields: Sequence[str], place: int, width: int) -> str | None:
    """The whole number in a column, counted from the left or from the right.

    Args:
        fields: Of the row.
        place: Of the column, from 0.
        width: Number of columns that rows should have.

    Returns:
        The longer of the two; None if neither is a whole number.
    """
    found = []
    for at in (place, place - width + len(fields)):
        text = fields[at].strip() if 0 <= at < len(fields) else ""
        if text.isascii() and text.isdecimal():
            found.append(text)
    return max(found, key=len, default=None)
