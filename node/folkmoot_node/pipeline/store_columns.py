"""Makes the columns that are stored from households and their scores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.policies.attribute_entries import UNKNOWN, Condition
from folkmoot_node.scoring.attributes import NO, YES, BoundAttribute, BoundOutcome
from folkmoot_node.scoring.audited_fields import audit_column
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.scoring.stratify import Stratified
from folkmoot_node.store.run_summary import StoredAttribute, StoredField
from folkmoot_node.store.schema import (
    BAND_COLUMN,
    PART_COLUMN,
    POINT,
    SCORE_COLUMN,
    UNKNOWN_POINTS,
    WITHHELD_COLUMN,
    attribute_column,
    before_column,
    corrected_column,
    date_column,
    field_column,
    first_column,
    gone_column,
    points_column,
    record_column,
    rejected_column,
    released_column,
    suppressed_column,
)
from folkmoot_sdk.schema import UPRN_COLUMN, Field

_SQL_TYPES = {"uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER"}


def stored_attributes(
    binding: Binding, labels: Mapping[str, tuple[str, ...]], *, people: bool = False
) -> dict[str, StoredAttribute]:
    """How each attribute is stored.

    Args:
        binding: The attributes.
        labels: For each area field the codes that its indexes stand for.
        people: Whether the run links people, so that rounds count columns of their own.
    """
    stored = {}
    for attribute in binding.stored:
        field, codes = attribute.field, attribute.codes
        known: tuple[str, ...]
        if attribute.conditions or attribute.outcome:
            known = (NO, YES)
        elif attribute.factor:
            known = (codes or ())[:-1]
        elif field is None:
            known = codes or ()
        elif codes is None:
            known = labels[field.name]
        elif attribute.breaks:
            known = codes[: len(attribute.breaks) + 1]
        else:
            known = field.codes or codes[:2]
        stored[attribute.name] = StoredAttribute(
            column=attribute_column(attribute.name),
            released=released_column(attribute.name) if people else "",
            stored_codes=(*known, "" if codes is None else UNKNOWN),
            codes=codes,
        )
    return stored


def stored_fields(binding: Binding) -> dict[str, StoredField]:
    """How the inputs of factors are stored, by name: those that `details` keeps."""
    return {
        name: StoredField(
            type=bound.field.household_type,
            codes=bound.field.codes,
            unit=bound.field.unit,
            description=bound.field.description,
            source=bound.source,
        )
        for name, bound in binding.fields.items()
        if name in _kept(binding)
    }


def table(stored: Mapping[str, StoredAttribute], binding: Binding) -> dict[str, str]:
    """DuckDB type of each column of the table `households`, by name."""
    columns = {
        UPRN_COLUMN: "BIGINT",
        PART_COLUMN: "UINTEGER",
        SCORE_COLUMN: "INTEGER",
        WITHHELD_COLUMN: "BOOLEAN",
    }
    for attribute in stored.values():
        for column in filter(None, (attribute.column, attribute.released)):
            columns[column] = _SQL_TYPES[_index_type(attribute).name]
    for audit in binding.audited:
        columns[audit.stored.column] = "UTINYINT"
    return columns


def counted(
    households: pl.DataFrame,
    result: Stratified,
    part: int,
    binding: Binding,
    stored: Mapping[str, StoredAttribute],
    withheld: npt.NDArray[np.bool_],
) -> dict[str, npt.NDArray[np.generic]]:
    """Makes the columns of the table `households` for some households.

    Args:
        households: The households.
        result: Their scores.
        part: Number of their partition.
        binding: The attributes and audited fields.
        stored: How attributes are stored.
        withheld: Which are left out of cohorts and new counts: shape (households,).

    Returns:
        For each column an array of shape (households,), in the type that `table` gives it,
        without nulls: an index one past the codes stands for unknown.
    """
    columns: dict[str, npt.NDArray[np.generic]] = {
        UPRN_COLUMN: households[UPRN_COLUMN].to_numpy(),
        PART_COLUMN: np.full(households.height, part, dtype=np.uint32),
        SCORE_COLUMN: result.score,
        WITHHELD_COLUMN: withheld,
    }
    for name, column in _attributes(households, result, binding, stored).items():
        columns[stored[name].column] = column
    for audit in binding.audited:
        columns[audit.stored.column] = audit_column(households, audit)
    return columns


def released(
    households: pl.DataFrame,
    result: Stratified,
    binding: Binding,
    stored: Mapping[str, StoredAttribute],
) -> dict[str, npt.NDArray[np.generic]]:
    """Makes the columns that rounds count where people are linked.

    Args:
        households: Assembled without the records that were linked by person.
        result: Their scores.
        binding: The attributes.
        stored: How they are stored.

    Returns:
        For each attribute an array of shape (households,), as `counted` has it, without nulls.
    """
    found = _attributes(households, result, binding, stored)
    return {stored[name].released: column for name, column in found.items()}


def details(households: pl.DataFrame, result: Stratified, binding: Binding) -> pl.DataFrame:
    """Makes the table `details` for some households, in the smallest types.

    Returns:
        One row for each household: UPRN; inputs, null where unknown; whether and when each source
        has a record; events of a back-test's outcomes; which inputs were rejected, suppressed or
        corrected, if some were; contributions, `UNKNOWN_POINTS` where unknown.
    """
    listed = _kept(binding)
    kept = [name for name in binding.fields if name in listed]
    events = [
        name(outcome)
        for outcome in binding.outcomes
        for name in (first_column, before_column, gone_column)
    ]
    sources = dict.fromkeys(binding.fields[name].source for name in kept)
    marks = (rejected_column, suppressed_column, corrected_column)
    told = [name(source) for source in sources for name in (record_column, date_column)]
    return households.select(
        UPRN_COLUMN,
        *(_shrunk(households[name]).alias(field_column(name)) for name in kept),
        *(name for name in told if name in households.columns),
        *events,
        *(column(name) for name in kept for column in marks if column(name) in households.columns),
    ).with_columns(
        pl.Series(points_column(bound.name), points)
        for bound, points in zip(binding.factors, result.points, strict=True)
    )


def _kept(binding: Binding) -> set[str]:
    return binding.inputs | set(binding.kept)


def _attributes(
    households: pl.DataFrame,
    result: Stratified,
    binding: Binding,
    stored: Mapping[str, StoredAttribute],
) -> dict[str, npt.NDArray[np.generic]]:
    """By attribute its index in each household, the band's too."""
    others = [entry for entry in binding.stored if entry.name != BAND_COLUMN]
    indexes = households.select(
        _indexes(entry, stored[entry.name]).alias(entry.name)
        for entry in others
        if not entry.factor
    )
    found: dict[str, npt.NDArray[np.generic]] = {BAND_COLUMN: result.band}
    for entry in others:
        column = _levels(entry, binding, result) if entry.factor else indexes[entry.name].to_numpy()
        found[entry.name] = column.astype(_index_type(stored[entry.name]))
    return found


def _levels(
    attribute: BoundAttribute, binding: Binding, result: Stratified
) -> npt.NDArray[np.integer]:
    """Level of a factor in each household: shape (households,); the last one if it is unknown."""
    at = next(at for at, one in enumerate(binding.factors) if one.name == attribute.factor)
    points, full = result.points[at], binding.factors[at].weight * POINT
    # Points are whole, so that a score of exactly a break may be half a unit below it.
    lower = np.rint(np.array(attribute.breaks) * full)
    levels = np.searchsorted(lower, points, side="right")
    return np.where(points == UNKNOWN_POINTS, len(attribute.breaks) + 1, levels)


def _shrunk(series: pl.Series) -> pl.Series:
    return series.shrink_dtype() if series.dtype.is_integer() else series


def _index_type(stored: StoredAttribute) -> np.dtype[np.generic]:
    return np.min_scalar_type(len(stored.stored_codes))


def _indexes(attribute: BoundAttribute, stored: StoredAttribute) -> pl.Expr:
    """Indexes into the stored codes, of which the last stands for unknown."""
    if attribute.conditions:
        met = pl.all_horizontal(_meets(*one) for one in attribute.conditions)  # Kleene's logic
        return met.cast(pl.UInt32).fill_null(len(stored.stored_codes) - 1)
    if attribute.outcome is not None:
        return _happened(attribute.outcome, stored)
    if attribute.field is None:
        raise ValueError("the band comes from the score, and a level from a factor's points")
    value = pl.col(attribute.field.name)
    if attribute.breaks:
        reached = [(value >= lower).cast(pl.UInt8) for lower in attribute.breaks]
        value = pl.sum_horizontal(reached, ignore_nulls=False)
    return value.cast(pl.UInt32).fill_null(len(stored.stored_codes) - 1)


def _happened(outcome: BoundOutcome, stored: StoredAttribute) -> pl.Expr:
    """Whether the event happened within the horizon, and who was lost from sight before, or
    had left before the date: as `evaluation.dated_snapshots` has it.
    """
    until = outcome.until
    first = pl.col(first_column(outcome.event))
    had = (first <= until).fill_null(False)
    if not outcome.ends:
        return had.cast(pl.UInt32)
    ended = pl.min_horizontal(first_column(name) for name in outcome.ends)
    had &= (ended >= first).fill_null(True)  # a later one belongs to who lives there then
    gone = pl.any_horizontal(gone_column(name) for name in outcome.ends)
    lost = (ended <= until).fill_null(False) | gone
    unknown = len(stored.stored_codes) - 1
    return pl.when(had & ~gone).then(1).when(lost).then(unknown).otherwise(0).cast(pl.UInt32)


def _meets(condition: Condition, field: Field) -> pl.Expr:
    """Whether households meet a condition: Boolean, null where the field is unknown."""
    value, stated = pl.col(field.name), condition.is_
    if isinstance(stated, bool):
        return value == stated
    if stated is not None:
        return pl.any_horizontal(value == field.codes.index(code) for code in stated)
    ends = [
        *([value >= condition.at_least] if condition.at_least is not None else []),
        *([value < condition.under] if condition.under is not None else []),
    ]
    return pl.all_horizontal(ends)
