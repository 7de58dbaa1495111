"""A data source that reads by a mapping, wherever its rows and the mapping come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import polars as pl

from folkmoot_plugin_extracts import columns
from folkmoot_plugin_extracts.amounts import Writing
from folkmoot_plugin_extracts.batch import Batch, handed_on
from folkmoot_plugin_extracts.codes import Boolean, CodeList, Valued
from folkmoot_plugin_extracts.elapsed import Elapsed
from folkmoot_plugin_extracts.identifiers import joined
from folkmoot_plugin_extracts.later import Later
from folkmoot_plugin_extracts.mapped_field import MappedField
from folkmoot_plugin_extracts.mapping import Identical, Mapping, Repeated
from folkmoot_plugin_extracts.nhs_number import hiding_numbers
from folkmoot_plugin_extracts.numbers import Number
from folkmoot_plugin_extracts.parsing import Output, Parser, Reading, parser
from folkmoot_plugin_extracts.people_of_row import PeopleOfRow
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_plugin_extracts.repeats import Keys, Once
from folkmoot_sdk import (
    Combine,
    DataSource,
    Field,
    FieldType,
    Identifier,
    ReadContext,
    RecordLevel,
    Records,
    Schema,
)
from folkmoot_sdk.schema import AREA_COLUMN, DATE_COLUMN, UPRN_COLUMN
from folkmoot_sdk.source import SourceOptions

_UNITS = {"age": "years", "days_since": "days"}


class MappedSource(DataSource):
    """Rows with named columns, read by a mapping.

    A subclass sets `kind` and `Options`, says where the mapping comes from, and gives the rows.
    """

    def __init__(self, options: SourceOptions, mapping: Mapping) -> None:
        super().__init__(options)
        self._mapping = mapping
        self._schema = mapping.declaration()

    @property
    def schema(self) -> Schema:
        """What the mapping declares."""
        return self._schema

    @abstractmethod
    def batches(
        self, columns: tuple[str, ...], context: ReadContext
    ) -> Iterator[tuple[str, Batch]]:
        """Yields the rows that the mapping selects, and what they are from.

        Args:
            columns: The columns needed. No other leaves its place.
            context: Of the read; receives rows that are no records, and the number of those
                that the mapping leaves out.

        Raises:
            PluginError: If the rows as a whole cannot be read.
        """

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields the records.

        A record with a malformed value in a wanted column, or in that of an identifier that
        is asked for, keeps its other values.

        Raises:
            PluginError: If the rows as a whole cannot be read.
        """
        uses = self._mapping
        asked = uses.identifiers.outputs(context.identifiers, context.reference_date)
        outputs = [*self._outputs(context), *asked]
        people = PeopleOfRow(uses, outputs)
        wanted = people.columns
        if Identifier.NHS_NUMBER in context.identifiers and uses.identifiers.nhs_number:
            context = hiding_numbers(context)
        once = Once() if uses.identical is Identical.ONCE else None
        stops = uses.repeated is Repeated.STOP
        household = () if stops else uses.uprn_columns
        keys = Keys(uses.key, household, wanted, stops=stops) if uses.key else None
        fields = [name for name in self._mapping.fields if name in context.fields]
        later = self._later(people, context)
        with parser(outputs, uses.null_texts) as reading:
            for origin, batch in self.batches((*wanted, *uses.key), context):
                if batch.broken:
                    yield from self._of_broken(reading, origin, batch)
                    continue
                doubtful = None
                if later is not None:
                    batch = later.without(batch, context)
                if once is not None:
                    batch = once.first_of(origin, batch, context)
                if keys is not None:
                    batch, doubtful = keys.first_of(origin, batch, context)
                for read, rows, chosen in people.read(reading, origin, batch, context.reject):
                    if doubtful is not None:
                        lost = doubtful if chosen is None else doubtful.filter(chosen)
                        read = read.without(fields, lost)
                    yield handed_on(self._whole(read.frame), origin, rows, read.unread)

    def _of_broken(self, reading: Parser, origin: str, batch: Batch) -> Iterator[Records]:
        """Records of which nothing is known but the UPRN: all else of them is unread."""
        if not self._mapping.uprn:
            return
        read = reading.parse(origin, batch, lambda _: None)  # the whole row was rejected already
        there = read.frame[UPRN_COLUMN].is_not_null()
        if not there.any():
            return
        read = Reading(read.frame.filter(there), {})
        others = [name for name in read.frame.columns if name != UPRN_COLUMN]
        read = read.without(others, pl.repeat(True, read.frame.height, eager=True))
        yield handed_on(self._whole(read.frame), origin, batch.filter(there), read.unread)

    def _whole(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The values with one column for each identifier, and a UPRN in any case."""
        if not self._mapping.uprn and self._mapping.level is not RecordLevel.AREA:
            frame = frame.with_columns(pl.lit(None, pl.Int64).alias(UPRN_COLUMN))
        return joined(frame)

    def _later(self, people: PeopleOfRow, context: ReadContext) -> Later | None:
        """What leaves rows out by their date; None if all are read, or people have dates each."""
        uses = self._mapping
        dated = self._dated()
        if context.known_on is None or dated is None or people.has_own(dated.column):
            return None
        return Later(dated, people, uses.null_texts, context.known_on)

    def _dated(self) -> Output | None:
        dated = self._mapping.record_date
        if dated is None:
            return None
        return Output(DATE_COLUMN, dated.column, columns.Date(dated.format, dated.latest_year))

    def _outputs(self, context: ReadContext) -> list[Output]:
        uses = self._mapping
        outputs = []
        if uses.level is RecordLevel.AREA:
            outputs.append(Output(AREA_COLUMN, uses.area, columns.Area(uses.area_type)))
        if uses.uprn:
            first, *further = uses.uprn_columns
            outputs.append(Output(UPRN_COLUMN, first, columns.Uprn(), tuple(further)))
        elif uses.level is not RecordLevel.AREA:
            # Some column must be read, to know how many records there are.
            outputs.append(Output(UPRN_COLUMN, uses.identifiers.first_column, columns.Text()))
        dated = self._dated()
        if dated is not None:
            outputs.append(dated)
        return [*outputs, *field_outputs(uses, self._schema, context)]


def field_outputs(mapping: Mapping, schema: Schema, context: ReadContext) -> list[Output]:
    """The wanted fields of a mapping, without what says whom a record is about.

    Args:
        mapping: The mapping.
        schema: Its declaration.
        context: Of the read.
    """
    return [
        Output(
            name,
            field.columns[0],
            _reader(schema[name], field, mapping.writing(field), context),
            field.columns[1:],
            field.null_texts,
        )
        for name, field in mapping.fields.items()
        if name in context.fields
    ]


def _reader(declared: Field, field: MappedField, writing: Writing, context: ReadContext) -> Reader:
    whole = field.type is FieldType.INTEGER
    if field.transform:
        # Nobody is born after the date of the run, but a duration may end after it.
        latest = context.reference_date if field.transform == "age" else None
        return Elapsed(
            columns.Date(field.format, field.latest_year, latest),
            context.reference_date,
            _UNITS[field.transform],
            declared.minimum,
            declared.maximum,
            whole,
        )
    if field.values:
        return Valued(tuple(field.values.items()), whole, field.words)
    if whole and declared.combine in (Combine.COUNT, Combine.COUNT_DISTINCT):
        return columns.Identity()
    if field.type in (FieldType.INTEGER, FieldType.NUMBER):
        return Number(
            declared.minimum,
            declared.maximum,
            whole,
            writing,
            field.scale,
            credit_is_zero=field.credits == "zero",
        )
    if field.type is FieldType.BOOLEAN:
        return Boolean(field.true_words, field.false_words, field.words)
    if field.type is FieldType.CATEGORY:
        return CodeList(tuple(field.code_of.items()), declared.codes, field.words)
    if field.type is FieldType.DATE:
        return columns.Date(field.format, field.latest_year)
    return columns.Area(field.area_type)
