"""The attributes of a feed's rows, and the values of fields that are made of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

import polars as pl

from folkmoot_plugin_savvi.standard import AttributeField, FeedColumns, folded
from folkmoot_sdk import Combine, Field, FieldType

_TYPES = {
    FieldType.BOOLEAN: pl.Boolean(),
    FieldType.INTEGER: pl.Int64(),
    FieldType.NUMBER: pl.Float64(),
}


@dataclass(frozen=True, slots=True)
class Attributes:
    """Kind, term and taxonomy of each row, as they are compared; empty where missing."""

    kinds: pl.Series
    terms: pl.Series
    schemes: pl.Series

    def is_of_kind(self, kinds: Iterable[str]) -> pl.Series:
        """Whether each row has one of these attribute types: Boolean, never null."""
        return self.kinds.is_in([folded(kind) for kind in kinds])

    def are_for(self, fields: Iterable[AttributeField]) -> pl.Series:
        """Whether any of the fields is made from each row: Boolean, never null."""
        none = pl.repeat(False, len(self.terms), eager=True)
        return reduce(or_, (self._is_for(field) for field in fields), none)

    def values(self, declared: Field, field: AttributeField, dates: pl.Series) -> pl.Series:
        """Reads a field's value from each row.

        Returns:
            One value for each row, in the type of the field. In a row of another attribute it is
            null, or the value that stands for absence, which changes nothing when the
            household's records are combined.
        """
        its = self._is_for(field)
        if declared.type is FieldType.DATE:
            return dates.set(~its, None).alias(declared.name)
        dtype = _TYPES.get(declared.type, pl.Enum(declared.codes))
        values = self.terms.replace_strict(field.values, default=None, return_dtype=dtype)
        # A count counts what is known, whatever it is.
        other = None if declared.combine is Combine.COUNT else declared.absent
        return values.set(~its, other).alias(declared.name)

    def _is_for(self, field: AttributeField) -> pl.Series:
        its = self.is_of_kind([field.attribute_type]) & self.terms.is_in(list(field.values))
        return its & (self.schemes == folded(field.scheme)) if field.scheme else its


def attributes(frame: pl.DataFrame, columns: FeedColumns) -> Attributes:
    """The attributes of rows, which have the column of the taxonomy or not."""
    names = (columns.attribute_type, columns.attribute, columns.scheme)
    return Attributes(*(_folded(frame, name) for name in names))


def _folded(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        return pl.repeat("", frame.height, dtype=pl.String, eager=True)
    return frame[name].fill_null("").str.strip_chars().str.to_lowercase()
