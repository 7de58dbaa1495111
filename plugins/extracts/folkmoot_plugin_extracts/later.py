"""Rows that are dated after the date of a back-test, left out before their values are read."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from folkmoot_plugin_extracts.batch import Batch
from folkmoot_plugin_extracts.cells import read_columns
from folkmoot_plugin_extracts.parsing import Output
from folkmoot_plugin_extracts.people_of_row import PeopleOfRow
from folkmoot_sdk import ReadContext
from folkmoot_sdk.source import LATER


class Later:
    """Leaves out later rows: with them their values, which nobody may know, and their faults.

    Args:
        dated: How the date of a row is read.
        people: The people of a row, who are a record each.
        nulls: Texts that stand for an unknown value.
        known_on: The date.
    """

    def __init__(
        self, dated: Output, people: PeopleOfRow, nulls: Sequence[str], known_on: datetime.date
    ) -> None:
        self._dated = dated
        self._people = people
        self._nulls = (*nulls, *dated.nulls)
        self._known_on = known_on

    def without(self, batch: Batch, context: ReadContext) -> Batch:
        """The rows of no later date, also those whose date is unknown or malformed.

        Args:
            batch: The rows.
            context: Of the read; told how many records are left out.
        """
        dates = read_columns(self._dated.reader, self._dated.columns, batch.frame, self._nulls)
        later = (dates.values > self._known_on).fill_null(False)
        if not later.any():
            return batch
        context.leave_out(LATER, self._people.records(batch.filter(later)))
        return batch.filter(~later)
