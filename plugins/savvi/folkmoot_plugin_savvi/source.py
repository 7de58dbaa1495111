"""The data source `savvi`: attribute feeds, one row for each attribute of a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts import columns
from folkmoot_plugin_extracts.batch import Batch, handed_on
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.file_options import FileOptions
from folkmoot_plugin_extracts.files import TEXT_ENDINGS, find_files
from folkmoot_plugin_extracts.parsing import Output, Parser, any_of, parser
from folkmoot_plugin_extracts.repeats import Once
from folkmoot_plugin_savvi.attributes import attributes
from folkmoot_plugin_savvi.standard import folded, load
from folkmoot_sdk import DataSource, FieldType, ReadContext, Records, Rejection, Schema
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN

_FILES = ("savvi*.csv",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavviOptions(FileOptions):
    """Options of the source, in `node.toml`.

    Attributes:
        standard: Version of the standard that the feed follows.
        fields: Fields that the feed covers.
        mapping: A council's own changes to the version, and its additions.
        ignore: Terms and attribute types that are not read.
        supplier: Who supplies the feed.
    """

    standard: str = parameter(description="Version of the standard, such as alpha-2026-06.")
    fields: tuple[str, ...] = parameter(
        description="Fields that the feed covers: whom it does not name has no such attribute."
    )
    mapping: Path | None = parameter(
        default=None, description="File that changes or adds terms, relative to the node's home."
    )
    ignore: tuple[str, ...] = parameter(
        default=(),
        description="Terms and attribute types in the feed that are no field, and not an error.",
    )
    supplier: str = parameter(
        default="", description="Who supplies the feed, for the record of processing."
    )


class SavviSource(DataSource):
    """Attribute feeds of the Vulnerabilities Data Standard.

    A record is one attribute of one person at one address. A person who belongs to several
    households has records of each.
    """

    kind = "savvi"
    Options = SavviOptions

    @classmethod
    def draft(cls, file: Path) -> str:
        """The options that read a feed, with the fields that it seems to cover."""
        from folkmoot_plugin_savvi.drafting import draft

        return draft(file)

    def __init__(self, options: SavviOptions) -> None:
        super().__init__(options)
        own = None if options.mapping is None else options.base / options.mapping
        self._standard = load(options.standard, own)
        self._schema = self._standard.declaration(options.fields, options.supplier)
        self._folder = options.base / options.folder
        self._files = options.files or _FILES
        self._dialect = options.dialect
        self._ignored = frozenset(folded(term) for term in options.ignore)

    @property
    def schema(self) -> Schema:
        """The fields that the feed covers."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields the attributes that some wanted field is made of.

        Of a row of an attribute type or term that the standard does not have, the UPRN is
        handed on, and the fields that it may be about are unread: those of its type, or all if
        the type is not known. A malformed UPRN or date is unread alone.

        Raises:
            PluginError: If a file as a whole cannot be read.
        """
        wanted = [entry.name for entry in self._schema.fields if entry.name in context.fields]
        # If no field is wanted, the keys of all records are.
        asked = wanted or [entry.name for entry in self._schema.fields]
        names = self._standard.columns
        needed = (names.uprn, names.attribute_type, names.attribute)
        once = Once()
        undated: set[str] = set()
        with parser(self._outputs(context), ()) as reading:
            for path in find_files(self._folder, self._files, TEXT_ENDINGS):
                for batch in read_csv(
                    path,
                    needed,
                    self._dialect,
                    context.reject,
                    optional=(names.date, names.scheme),
                ):
                    if names.date not in batch.frame.columns and path.name not in undated:
                        undated.add(path.name)
                        context.note(f"{path.name} has no column {names.date}: nothing is dated")
                    rows = once.first_of(path.name, batch, context)
                    yield self._records(path.name, rows, asked, wanted, reading, context)

    def _outputs(self, context: ReadContext) -> list[Output]:
        names = self._standard.columns
        outputs = [Output(UPRN_COLUMN, names.uprn, columns.Uprn())]
        date = columns.Date(self._standard.date_format, self._standard.latest_year)
        outputs.append(Output(DATE_COLUMN, names.date, date))
        return outputs

    def _records(
        self,
        file: str,
        batch: Batch,
        asked: Sequence[str],
        wanted: Sequence[str],
        reading: Parser,
        context: ReadContext,
    ) -> Records:
        standard = self._standard
        if standard.columns.date not in batch.frame.columns:
            no_date = pl.lit(None, pl.String).alias(standard.columns.date)
            batch = Batch(batch.frame.with_columns(no_date), batch.first_row, batch.rows)
        found = attributes(batch.frame, standard.columns)
        foreign = ~found.is_of_kind(standard.attribute_types)
        ignored = found.terms.is_in(self._ignored) | found.kinds.is_in(self._ignored)
        foreign &= ~ignored
        unmapped = ~(foreign | ignored | found.are_for(standard.fields.values()))
        context.reject(self._rejections(file, batch, foreign, unmapped))
        if number := int(ignored.sum()):
            context.leave_out("the option `ignore` names its term or type", number)
        fields = [standard.fields[name] for name in asked]
        unknown = foreign | unmapped & found.is_of_kind(entry.attribute_type for entry in fields)
        selected = found.are_for(fields) & ~ignored | unknown
        rows, foreign, unknown = (
            batch.filter(selected), foreign.filter(selected), unknown.filter(selected)
        )  # fmt: skip
        read = reading.parse(file, rows, context.reject)
        kept = attributes(rows.frame, standard.columns)
        values: list[pl.Series] = []
        unread = dict(read.unread)
        undated: pl.Series | None = unread.get(DATE_COLUMN)
        for name in wanted:
            declared, field = self._schema[name], standard.fields[name]
            lost: pl.Series = unknown & (foreign | kept.is_of_kind([field.attribute_type]))
            if undated is not None and declared.type is FieldType.DATE:
                lost = any_of([lost, undated.set(~kept.are_for([field]), False)])
            value = kept.values(declared, field, read.frame[DATE_COLUMN])
            if lost.any():
                unread[name] = lost
                value = value.set(lost, None)
            values.append(value)
        return handed_on(read.frame.with_columns(values), file, rows, unread)

    def _rejections(
        self, file: str, batch: Batch, foreign: pl.Series, unmapped: pl.Series
    ) -> list[Rejection]:
        standard = self._standard
        kinds = ", ".join(standard.attribute_types)
        reasons = {
            standard.columns.attribute_type: (
                foreign,
                f"is not an attribute type of {standard.standard} ({kinds}); correct it, or name "
                "it in the option `ignore`",
            ),
            standard.columns.attribute: (
                unmapped,
                f"is no term that {standard.standard} or the option `mapping` maps to a field; "
                "map it, or name it in the option `ignore`",
            ),
        }
        numbers = batch.numbers()
        found = []
        for column, (mask, reason) in reasons.items():
            at = mask.arg_true()
            texts = batch.frame[column].gather(at).fill_null("").str.strip_chars().to_list()
            for row, text in zip(numbers[at.to_numpy()].tolist(), texts, strict=True):
                found.append(Rejection(file, row, column, f"{text!r} {reason}", text))
        return sorted(found, key=lambda entry: entry.row)
