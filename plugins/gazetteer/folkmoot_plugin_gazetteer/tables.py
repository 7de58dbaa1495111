"""The records of a gazetteer that say what a property is, as one row for each property."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.codes import CodeList
from folkmoot_plugin_extracts.columns import Date, Text, Uprn
from folkmoot_plugin_extracts.parsing import Output, parser
from folkmoot_plugin_extracts.postcode import Postcode
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_plugin_gazetteer import addresses, classes
from folkmoot_plugin_gazetteer.dtf_file import Columns, describe, read_dtf
from folkmoot_sdk import ReadContext, Rejection

BLPU, LPI, CLASSIFICATION = 21, 24, 32
FILE, ROW = "__file", "__row"
"""Columns that say where a property's record stands."""
_BLPU = Columns(23, {
    "CHANGE_TYPE": 1, "UPRN": 3, "LOGICAL_STATUS": 4, "BLPU_STATE": 5, "BLPU_CLASS": 7,
    "PARENT_UPRN": 8, "START_DATE": 13, "END_DATE": 14, "LAST_UPDATE_DATE": 15,
})  # fmt: skip
_LPI = Columns(30, {"UPRN": 3, "LOGICAL_STATUS": 6, "END_DATE": 8, "POSTCODE": 24})
_ADDRESSED_LPI = Columns(30, {**_LPI.at, **addresses.LPI_COLUMNS})
_CLASS = Columns(12, {
    "UPRN": 3, "CLASSIFICATION_CODE": 5, "CLASS_SCHEME": 6, "START_DATE": 8, "END_DATE": 9,
})  # fmt: skip
_DATE = Date("%Y-%m-%d")
_STATUSES = CodeList(tuple((code, code) for code in "156789"), tuple("156789"))
_CHANGES = CodeList(tuple((code, code) for code in "IUD"), tuple("IUD"))
_PREFERRED = "1"


@dataclass(frozen=True, slots=True)
class ClassCode(Reader):
    """A classification code such as RD06."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        text = raw.str.to_uppercase()
        return text.set(~text.to_frame("c").select(classes.is_class(pl.col("c"))).to_series(), None)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} is not a classification code"


_OUTPUTS = {
    BLPU: [
        Output("uprn", "UPRN", Uprn()),
        Output("parent", "PARENT_UPRN", Uprn()),
        Output("change", "CHANGE_TYPE", _CHANGES),
        Output("status", "LOGICAL_STATUS", _STATUSES),
        Output("state", "BLPU_STATE", Text()),
        Output("class", "BLPU_CLASS", ClassCode()),
        Output("start", "START_DATE", _DATE),
        Output("end", "END_DATE", _DATE),
        Output("updated", "LAST_UPDATE_DATE", _DATE),
    ],
    LPI: [
        Output("uprn", "UPRN", Uprn()),
        Output("status", "LOGICAL_STATUS", Text()),
        Output("end", "END_DATE", _DATE),
        Output("postcode", "POSTCODE", Postcode()),
    ],
    addresses.STREET: addresses.STREET_OUTPUTS,
    CLASSIFICATION: [
        Output("uprn", "UPRN", Uprn()),
        Output("code", "CLASSIFICATION_CODE", ClassCode()),
        Output("scheme", "CLASS_SCHEME", Text()),
        Output("start", "START_DATE", _DATE),
        Output("end", "END_DATE", _DATE),
    ],
}
_REQUIRED: dict[int, dict[str, str]] = {
    addresses.STREET: {"usrn": "USRN"},
    BLPU: {"uprn": "UPRN", "status": "LOGICAL_STATUS"},
    LPI: {"uprn": "UPRN"},
    CLASSIFICATION: {"uprn": "UPRN", "code": "CLASSIFICATION_CODE"},
}


def read_properties(
    paths: Sequence[Path],
    encoding: str,
    context: ReadContext,
    *,
    postcodes: bool,
    whole_addresses: bool = False,
) -> pl.DataFrame:
    """Reads one row for each BLPU.

    Args:
        paths: The DTF files; together one gazetteer.
        encoding: Of the files.
        context: Records that cannot be read go to its `reject`; those of which only the
            class or the postcode is taken are counted as left out.
        postcodes: Whether to read addresses for their postcodes.
        whole_addresses: Whether to read complete addresses, with the streets.

    Returns:
        One row for each UPRN, with the columns `uprn`, `parent`, `change`, `status`, `state`,
        `class`, `start`, `end`, `updated`, `FILE`, `ROW`, and `postcode` and `address` if asked
        for. `uprn`, `class`, `FILE` and `ROW` are never null; others are where the gazetteer
        leaves them out.

    Raises:
        PluginError: If a file cannot be read or is not whole.
    """
    layouts = {BLPU: _BLPU, CLASSIFICATION: _CLASS}
    outputs = dict(_OUTPUTS)
    if whole_addresses:
        layouts |= {LPI: _ADDRESSED_LPI, addresses.STREET: addresses.STREET_COLUMNS}
        outputs[LPI] = [*_OUTPUTS[LPI], *addresses.LPI_OUTPUTS]
    elif postcodes:
        layouts[LPI] = _LPI
    tables = _read_tables(paths, layouts, outputs, encoding, context)
    for kind in list(layouts)[1:]:
        context.leave_out(describe(kind), tables[kind].height)
    blpus = tables[BLPU]
    repeated = ~blpus["uprn"].is_first_distinct()
    _reject(blpus.filter(repeated), "UPRN", "the UPRN has a record before this one", context)
    blpus = blpus.filter(~repeated)
    current = _classes_in_force(tables[CLASSIFICATION], context)
    blpus = blpus.join(current, on="uprn", how="left", maintain_order="left")
    blpus = blpus.with_columns(pl.coalesce("code", "class").alias("class")).drop("code")
    unclassed = blpus["class"].is_null()
    _reject(blpus.filter(unclassed), "BLPU_CLASS", "the property has no class", context)
    blpus = blpus.filter(~unclassed)
    if postcodes:
        addressed = _postcodes(tables[LPI], context)
        blpus = blpus.join(addressed, on="uprn", how="left", maintain_order="left")
    if whole_addresses:
        chosen = addresses.preferred(tables[LPI], context.reference_date)
        lines = addresses.composed(chosen, tables[addresses.STREET])
        blpus = blpus.join(lines, on="uprn", how="left", maintain_order="left")
    return blpus


def _read_tables(
    paths: Sequence[Path],
    layouts: Mapping[int, Columns],
    outputs: Mapping[int, Sequence[Output]],
    encoding: str,
    context: ReadContext,
) -> dict[int, pl.DataFrame]:
    found: dict[int, list[pl.DataFrame]] = {kind: [] for kind in layouts}
    with ExitStack() as stack:
        readings = {k: stack.enter_context(parser(outputs[k], ())) for k in layouts}
        for path in paths:
            for typed in read_dtf(path, layouts, encoding, context):
                kind = typed.record_type
                values, rows = readings[kind].whole(path.name, typed.batch, context.reject)
                frame = values.with_columns(
                    pl.lit(path.name).alias(FILE), pl.Series(ROW, rows.numbers())
                )
                for name, column in _REQUIRED[kind].items():
                    empty = frame[name].is_null()
                    _reject(frame.filter(empty), column, "is empty", context)
                    frame = frame.filter(~empty)
                found[kind].append(frame)
    return {
        kind: pl.concat(frames) if frames else _empty(outputs[kind])
        for kind, frames in found.items()
    }


def _empty(outputs: Sequence[Output]) -> pl.DataFrame:
    """An empty table, with the types that records would have."""
    values = [output.reader.parse(pl.Series([], dtype=pl.String)) for output in outputs]
    named = [value.rename(o.name) for value, o in zip(values, outputs, strict=True)]
    return pl.DataFrame([*named, pl.Series(FILE, [], pl.String), pl.Series(ROW, [], pl.Int64)])


def _classes_in_force(records: pl.DataFrame, context: ReadContext) -> pl.DataFrame:
    """`uprn` and `code`: the latest class on the reference date, in the national scheme."""
    date = context.reference_date
    in_scheme = pl.col("scheme").fill_null(classes.SCHEME).str.starts_with(classes.SCHEME_NAME)
    begun = (pl.col("start") <= date).fill_null(True)
    ended = (pl.col("end") <= date).fill_null(False)
    return (
        records.filter(in_scheme & begun & ~ended)
        .sort("start", descending=True, nulls_last=True, maintain_order=True)
        .unique("uprn", keep="first", maintain_order=True)
        .select("uprn", "code")
    )


def _postcodes(records: pl.DataFrame, context: ReadContext) -> pl.DataFrame:
    """`uprn` and `postcode`: of the preferred address if it has one, else of another."""
    ended = (pl.col("end") <= context.reference_date).fill_null(False)
    return (
        records.filter(pl.col("postcode").is_not_null() & ~ended)
        .sort(pl.col("status") != _PREFERRED, maintain_order=True)
        .unique("uprn", keep="first", maintain_order=True)
        .select("uprn", "postcode")
    )


def _reject(records: pl.DataFrame, column: str, reason: str, context: ReadContext) -> None:
    if records.height:
        rows = records.select(FILE, ROW).iter_rows()
        context.reject([Rejection(file, row, column, reason) for file, row in rows])
