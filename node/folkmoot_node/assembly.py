"""Makes one row per household of the records of one partition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.households import absent_value, as_they_are, combine, latest_dates, needs_order
from folkmoot_node.link import HOUSEHOLD, household_index, is_unique, link_by_uprn
from folkmoot_node.source_read import RECORDS
from folkmoot_node.table import date_column
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN, Field


class Assembly:
    """The households of one partition, to which the fields of source after source are added.

    Attributes:
        households: One row per UPRN of the frame: `uprn`, the fields, and for each source
            with dates `date_column` of it: the date of the household's latest record.
        linked: Records of households in the frame, by source.
    """

    def __init__(self, frame: str, records: pl.DataFrame, fields: Sequence[Field]) -> None:
        """Makes the households.

        Args:
            frame: Name of the source that is the household frame.
            records: Its records in this partition, each with a UPRN.
            fields: Its wanted fields.
        """
        if is_unique(records[UPRN_COLUMN]):
            uprns, values = records[UPRN_COLUMN], as_they_are(records, fields)
            self._index = household_index(uprns)
            linked = records.with_columns(self._index[HOUSEHOLD])
        else:
            uprns = records[UPRN_COLUMN].unique(maintain_order=True)
            self._index = household_index(uprns)
            linked = link_by_uprn(records, self._index, ordered=True)
            values, _ = combine(linked, len(uprns), fields)
        self.households = pl.DataFrame([uprns, *values.get_columns()])
        self.linked = {frame: records.height}
        self._add_dates(frame, linked)

    def add(self, source: str, records: pl.DataFrame, fields: Sequence[Field]) -> None:
        """Adds the fields of another source about people, households or properties.

        Args:
            source: Its name.
            records: Its records in this partition, each with a UPRN.
            fields: Its wanted fields.
        """
        linked = link_by_uprn(records, self._index, ordered=needs_order(fields))
        values, present = combine(linked, self.households.height, fields)
        self._add(_with_absent(values, ~present, fields))
        self.linked[source] = linked.height
        self._add_dates(source, linked)

    def add_areas(self, on: str, values: pl.DataFrame, rows: pl.Series) -> None:
        """Adds the fields of a source about areas.

        Args:
            on: The household field that holds the area, as an index.
            values: The fields, one row an area.
            rows: For each index of `on` the row of `values`, null if there is none.
        """
        at = rows.gather(self.households[on])
        self._add(values.select(pl.all().gather(at)))

    def _add(self, values: pl.DataFrame) -> None:
        self.households = self.households.hstack(values)

    def _add_dates(self, source: str, linked: pl.DataFrame) -> None:
        if DATE_COLUMN in linked.columns:
            dates = latest_dates(linked, self.households.height)
            self._add(pl.DataFrame([dates.alias(date_column(source))]))


def area_values(
    values: pl.DataFrame, fields: Sequence[Field], rows: pl.Series
) -> tuple[pl.DataFrame, pl.Series]:
    """The table of an area source, with a last row for areas of which it has no record.

    Args:
        values: As `SourceReading.tabulate_areas` gives it.
        fields: Its fields.
        rows: For each area of the households its row, null if there is none.

    Returns:
        The fields, and for each area of the households its row.
    """
    table = values.drop(RECORDS)
    none = pl.DataFrame(
        {field.name: [absent_value(field)] for field in fields}, schema=table.schema
    )
    return pl.concat([table, none]), rows.fill_null(table.height)


def _with_absent(
    values: pl.DataFrame, missing: npt.NDArray[np.bool_], fields: Sequence[Field]
) -> pl.DataFrame:
    """Gives households without a record the values that absence stands for."""
    if not missing.any():
        return values
    mask = pl.Series(missing)
    absent = {field.name: absent_value(field) for field in fields}
    return values.with_columns(
        values[name].set(mask, value) for name, value in absent.items() if value is not None
    )
