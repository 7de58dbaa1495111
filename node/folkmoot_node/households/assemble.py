"""Makes one row per household of the records of one partition."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from folkmoot_node.households.combine import (
    absent_value,
    as_they_are,
    combine,
    latest_dates,
    needs_order,
)
from folkmoot_node.households.outcomes import first_dates, outcome_columns, own_events
from folkmoot_node.households.rejected_values import rejected_values, without_rejected
from folkmoot_node.households.uprn_join import HOUSEHOLD, household_index, is_unique, link_by_uprn
from folkmoot_node.store.schema import date_column, record_column, rejected_column
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN, Field, FieldType

UNKNOWN_AREA = "unknown"
"""Stands for the area of households whose area is not known, in counts by area."""


class PartitionRecords(BaseModel):
    """What became of the records of a source, in one partition or in all.

    Attributes:
        linked: Records of households.
        communal: Records of communal establishments, which are no households.
        areas: Linked records by area.
        most: Records of the household that has the most.
        without_area: By area field: homes whose area is not known; of a source about areas,
            homes of whose area it has no record.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    linked: int = 0
    communal: int = 0
    areas: dict[str, int] = {}
    most: int = 0
    without_area: dict[str, int] = {}

    def __add__(self, other: PartitionRecords) -> PartitionRecords:
        areas = Counter(self.areas)
        areas.update(other.areas)
        without = Counter(self.without_area)
        without.update(other.without_area)
        return PartitionRecords(
            linked=self.linked + other.linked,
            communal=self.communal + other.communal,
            areas=dict(areas),
            most=max(self.most, other.most),
            without_area=dict(without),
        )


class Assembly:
    """The households of one partition, to which the fields of source after source are added.

    Attributes:
        households: One row per household of the frame: `uprn`, the fields, for each other
            source `record_column` of it: whether the household has a record; and for each
            source with dates `date_column` of it: the date of the household's latest record. A
            field that some household does not know since its record was rejected has
            `rejected_column` of it.
    """

    def __init__(
        self, frame: str, records: pl.DataFrame, fields: Sequence[Field], communal: str | None
    ) -> None:
        """Makes the households.

        Args:
            frame: Name of the source that is the household frame.
            records: Its records in this partition, each with a UPRN.
            fields: Its wanted fields.
            communal: Boolean column of the records that is true for communal
                establishments, which are no households; None if all are.
        """
        self._frame = frame
        self._communal = pl.Series(UPRN_COLUMN, [], pl.Int64)
        self._linked: dict[str, npt.NDArray[np.int64]] = {}
        self._of_communal: dict[str, int] = {}
        self._without_area: dict[str, dict[str, int]] = {}
        if communal is not None:
            is_communal = pl.col(communal).fill_null(False)
            self._communal = records.filter(is_communal)[UPRN_COLUMN].unique()
            kept = records.filter(~pl.col(UPRN_COLUMN).is_in(self._communal.implode()))
            self._of_communal[frame] = records.height - kept.height
            records = kept
        if is_unique(records[UPRN_COLUMN]):
            uprns, values = records[UPRN_COLUMN], as_they_are(records, fields)
            self._index = household_index(uprns)
            linked = records.with_columns(self._index[HOUSEHOLD])
        else:
            uprns = records[UPRN_COLUMN].unique(maintain_order=True)
            self._index = household_index(uprns)
            linked = link_by_uprn(records, self._index, ordered=True)
            values, _ = combine(linked, len(uprns), fields)
        self.households = pl.DataFrame([uprns])
        self._add_values(linked, values, fields)
        self._count(frame, linked)
        self._without_area[frame] = {
            field.name: self.households[field.name].null_count()
            for field in fields
            if field.household_type is FieldType.AREA
        }
        self._add_dates(frame, linked)
        dated = DATE_COLUMN in linked.columns
        self._frame_dates = linked.select(HOUSEHOLD, DATE_COLUMN) if dated else None

    @cached_property
    def _since(self) -> pl.Series | None:
        """Since when each household has been known; None if the frame has no dates."""
        if self._frame_dates is None:
            return None
        return first_dates(self._frame_dates, self.households.height)

    @property
    def _latest(self) -> pl.Series | None:
        """Until when each household has been known; None if the frame has no dates."""
        if self._frame_dates is None:
            return None
        return self.households[date_column(self._frame)]

    def add(self, source: str, records: pl.DataFrame, fields: Sequence[Field]) -> None:
        """Adds the fields of another source about people, households or properties.

        Args:
            source: Its name.
            records: Its records in this partition, each with a UPRN.
            fields: Its wanted fields.
        """
        linked = link_by_uprn(records, self._index, ordered=needs_order(fields))
        values, present = combine(linked, self.households.height, fields)
        self._add_values(linked, _with_absent(values, ~present, fields), fields)
        self._add(pl.DataFrame({record_column(source): present}))
        self._count(source, linked)
        if len(self._communal):
            of_communal = records[UPRN_COLUMN].is_in(self._communal.implode())
            self._of_communal[source] = int(of_communal.sum())
        self._add_dates(source, linked)

    def add_outcomes(
        self, source: str, records: pl.DataFrame, outcomes: Sequence[str], on: datetime.date
    ) -> None:
        """Adds the events of a source, as `outcome_columns` gives them; once its fields are added.

        Args:
            source: Its name.
            records: Its records in this partition, each with a UPRN, also those of later dates.
            outcomes: Its outcomes.
            on: Date as of which households are scored.
        """
        found = link_by_uprn(records, self._index, ordered=False)
        linked = own_events(found, outcomes, self._since)
        self._add(outcome_columns(linked, self.households.height, outcomes, on, self._latest))
        self._count(source, linked)
        if len(self._communal):
            of_communal = records[UPRN_COLUMN].is_in(self._communal.implode())
            self._of_communal[source] = int(of_communal.sum())

    def add_areas(self, source: str, on: str, values: pl.DataFrame, rows: pl.Series) -> None:
        """Adds the fields of a source about areas.

        Args:
            source: Its name.
            on: The household field that holds the area, as an index.
            values: The fields, one row for each area, and a last one for areas without a record.
            rows: For each index of `on` the row of `values`, never null.
        """
        at = rows.gather(self.households[on])
        known = int((at < values.height - 1).sum())
        self._without_area[source] = {on: self.households.height - known}
        self._add(values.select(pl.all().gather(at)))

    def records(
        self, area: str | None, labels: Mapping[str, Sequence[str]]
    ) -> dict[str, PartitionRecords]:
        """What became of each source's records.

        Args:
            area: Area field of the households by which linked records are counted.
            labels: For each area field the codes that its indexes stand for.
        """
        return {
            source: PartitionRecords(
                linked=int(counts.sum()),
                communal=self._of_communal.get(source, 0),
                areas=self._by_area(counts, area, labels),
                most=int(counts.max(initial=0)),
                without_area=self._without_area.get(source, {}),
            )
            for source, counts in self._linked.items()
        } | {
            source: PartitionRecords(without_area=without)
            for source, without in self._without_area.items()
            if source not in self._linked
        }

    def _by_area(
        self,
        counts: npt.NDArray[np.int64],
        area: str | None,
        labels: Mapping[str, Sequence[str]],
    ) -> dict[str, int]:
        if area is None:
            return {}
        codes = labels[area]
        at = self.households[area].fill_null(len(codes)).to_numpy()
        found = np.bincount(at, weights=counts, minlength=len(codes) + 1).astype(np.int64).tolist()
        named = zip([*codes, UNKNOWN_AREA], found, strict=True)
        return {code: number for code, number in named if number}

    def _count(self, source: str, linked: pl.DataFrame) -> None:
        rows = linked[HOUSEHOLD].to_numpy()
        self._linked[source] = np.bincount(rows, minlength=self.households.height)

    def _add(self, values: pl.DataFrame) -> None:
        self.households = self.households.hstack(values)

    def _add_values(
        self, linked: pl.DataFrame, values: pl.DataFrame, fields: Sequence[Field]
    ) -> None:
        rejected = rejected_values(linked, values, fields)
        self._add(without_rejected(values, rejected))
        self._add(pl.DataFrame({rejected_column(name): mask for name, mask in rejected.items()}))

    def _add_dates(self, source: str, linked: pl.DataFrame) -> None:
        if DATE_COLUMN in linked.columns:
            dates = latest_dates(linked, self.households.height)
            self._add(pl.DataFrame([dates.alias(date_column(source))]))


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
