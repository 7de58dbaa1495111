"""Makes the rows of the table `households`: what is stored, in which type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.attributes import UNKNOWN, BoundAttribute
from folkmoot_node.binding import Binding
from folkmoot_node.run_summary import StoredAttribute
from folkmoot_node.stratify import UNKNOWN_POINTS, Stratified
from folkmoot_node.table import (
    BAND_COLUMN,
    SCORE,
    contribution_column,
    field_column,
    group_column,
)
from folkmoot_sdk.schema import UPRN_COLUMN

_SQL_TYPES: Mapping[pl.DataType | type[pl.DataType], str] = {
    pl.Boolean: "BOOLEAN",
    pl.Int8: "TINYINT",
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.UInt8: "UTINYINT",
    pl.UInt16: "USMALLINT",
    pl.UInt32: "UINTEGER",
    pl.Float32: "FLOAT",
    pl.Float64: "DOUBLE",
    pl.Date: "DATE",
}


def shrink(households: pl.DataFrame) -> pl.DataFrame:
    """The same values in the smallest integer types that hold them; UPRNs stay Int64."""
    integers = [
        name
        for name, dtype in households.schema.items()
        if dtype.is_integer() and name != UPRN_COLUMN
    ]
    return households.with_columns(households[name].shrink_dtype() for name in integers)


def add_groups(households: pl.DataFrame, attributes: Sequence[BoundAttribute]) -> pl.DataFrame:
    """Adds the index of the group for each attribute that groups a number."""
    return households.with_columns(
        _group(attribute).alias(group_column(attribute.name))
        for attribute in attributes
        if attribute.breaks
    )


def _group(attribute: BoundAttribute) -> pl.Expr:
    if attribute.field is None:
        raise ValueError("only fields have breaks")
    value = pl.col(attribute.field.name)
    reached = [(value >= lower).cast(pl.UInt8) for lower in attribute.breaks]
    return pl.sum_horizontal(reached, ignore_nulls=False)


def stored_attributes(
    binding: Binding, labels: Mapping[str, tuple[str, ...]]
) -> dict[str, StoredAttribute]:
    """How each attribute is stored.

    Args:
        binding: The attributes.
        labels: For each area field the codes that its indexes stand for.
    """
    stored = {}
    for attribute in binding.attributes:
        column: str
        codes: tuple[str, ...]
        if attribute.field is None:
            column, codes = BAND_COLUMN, attribute.codes or ()
        elif attribute.codes is None:
            column, codes = field_column(attribute.field.name), labels[attribute.field.name]
        elif attribute.breaks:
            column = group_column(attribute.name)
            codes = attribute.codes[: len(attribute.breaks) + 1]
        else:
            column = field_column(attribute.field.name)
            codes = attribute.field.codes or attribute.codes[:2]
        null = "" if attribute.codes is None else UNKNOWN
        stored[attribute.name] = StoredAttribute(
            column=column, stored_codes=(*codes, null), codes=attribute.codes
        )
    return stored


def table(households: pl.DataFrame, binding: Binding) -> dict[str, str]:
    """DuckDB type of each column of the table, by name."""
    columns = {UPRN_COLUMN: "BIGINT"}
    for name in _kept_fields(households, binding):
        columns[field_column(name)] = _SQL_TYPES[households.schema[name]]
    for attribute in binding.attributes:
        if attribute.breaks:
            columns[group_column(attribute.name)] = "UTINYINT"
    for bound in binding.factors:
        columns[contribution_column(bound.name)] = "INTEGER"
    return {**columns, SCORE: "INTEGER", BAND_COLUMN: "UTINYINT"}


def part(households: pl.DataFrame, result: Stratified, binding: Binding) -> pl.DataFrame:
    """The rows of the table for some households and their scores."""
    names = {name: field_column(name) for name in _kept_fields(households, binding)}
    groups = [group_column(a.name) for a in binding.attributes if a.breaks]
    return households.select(
        UPRN_COLUMN, *(pl.col(name).alias(column) for name, column in names.items()), *groups
    ).with_columns(
        *(
            _points(contribution_column(bound.name), points, unknown)
            for bound, points, unknown in zip(
                binding.factors, result.contributions, result.unknown, strict=True
            )
        ),
        pl.Series(SCORE, result.score),
        pl.Series(BAND_COLUMN, result.band),
    )


def _points(name: str, points: npt.NDArray[np.int32], unknown: bool) -> pl.Series:
    series = pl.Series(name, points)
    return series.set(series == UNKNOWN_POINTS, None) if unknown else series


def _kept_fields(households: pl.DataFrame, binding: Binding) -> list[str]:
    """Fields that a factor or an attribute uses; those that only joined areas are not kept."""
    used = {wanted.input.name for bound in binding.factors for wanted in bound.inputs}
    used |= {a.field.name for a in binding.attributes if a.field is not None}
    return [name for name in binding.fields if name in used and name in households.columns]
