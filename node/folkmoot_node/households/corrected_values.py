"""What upheld objections change in households, after their records are combined.

Each decision is looked up by the household's own UPRN, and changes its own row alone: no value of
a household depends on another household, or on whether another has objected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.corrections.decisions import InForce
from folkmoot_node.corrections.values import can_be_corrected, checked_value
from folkmoot_node.store.household_table import VALUE_TYPES
from folkmoot_node.store.run_summary import CorrectionsSummary
from folkmoot_node.store.schema import corrected_column, rejected_column, suppressed_column
from folkmoot_operator.problems import Problem
from folkmoot_sdk.schema import UPRN_COLUMN, Field, FieldType


def corrected_households(
    households: pl.DataFrame, in_force: InForce, fields: Mapping[str, Field]
) -> pl.DataFrame:
    """Households as they are scored: without what was agreed not to use, and with corrections.

    A correction that the field cannot have any more, since the source declares it otherwise now,
    makes the value unknown: what was agreed to be wrong is not used again.

    Args:
        households: One row for each household: `uprn` and fields, as they were combined.
        in_force: The decisions that count on the day of the run.
        fields: The fields that the policy uses, by name.

    Returns:
        The same rows in their order, with the same columns. Fields are null where they are
        suppressed. For a field of which some household's value changed there is
        `suppressed_column` or `corrected_column`: the day of the decision (Date), null for other
        households.
    """
    uprns = households[UPRN_COLUMN]
    for name in sorted({*in_force.suppressed, *in_force.corrected}):
        field = fields.get(name)
        if field is None or name not in households.columns or not can_be_corrected(field):
            continue
        days = dict(in_force.suppressed.get(name, {}))
        values: dict[int, Any] = {}
        corrected_on = {}
        for uprn, correction in in_force.corrected.get(name, {}).items():
            try:
                values[uprn] = _stored(field, checked_value(field, correction.value))
                corrected_on[uprn] = correction.decided_on
            except Problem:
                days[uprn] = correction.decided_on
        changed = uprns.is_in(pl.Series([*days, *values], dtype=pl.Int64).implode())
        if not changed.any():
            continue
        put_in = _by_uprn(uprns, values, VALUE_TYPES[field.household_type])
        columns = [pl.when(changed).then(put_in).otherwise(pl.col(name)).alias(name)]
        if rejected_column(name) in households.columns:
            columns.append(pl.col(rejected_column(name)) & ~changed)
        for column, on in ((suppressed_column(name), days), (corrected_column(name), corrected_on)):
            dates = _by_uprn(uprns, on, pl.Date())
            columns += [pl.lit(dates).alias(column)] if dates.count() else []
        households = households.with_columns(columns)
    return households


def withheld(households: pl.DataFrame, in_force: InForce) -> npt.NDArray[np.bool_]:
    """Whether each household is withheld: bool, shape (households,), no nulls."""
    uprns = pl.Series(sorted(in_force.withheld), dtype=pl.Int64)
    return households[UPRN_COLUMN].is_in(uprns.implode()).to_numpy()


def applied(households: pl.DataFrame, withheld: npt.NDArray[np.bool_]) -> CorrectionsSummary:
    """Counts what `corrected_households` changed, and who is withheld."""

    def days(prefix: str) -> int:
        return sum(
            households[name].count() for name in households.columns if name.startswith(prefix)
        )

    return CorrectionsSummary(
        suppressed=days(suppressed_column("")),
        corrected=days(corrected_column("")),
        withheld=int(withheld.sum()),
    )


def _stored(field: Field, value: Any) -> Any:
    return field.codes.index(value) if field.household_type is FieldType.CATEGORY else value


def _by_uprn(uprns: pl.Series, values: Mapping[int, Any], kind: pl.DataType) -> pl.Series:
    """For each UPRN its value, null where it has none."""
    known = pl.Series(list(values), dtype=pl.Int64)
    stated = pl.Series(list(values.values()), dtype=kind)
    return uprns.cast(pl.Int64).replace_strict(known, stated, default=None, return_dtype=kind)
