"""The data source `notifications`: who was notified, when, and of what."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts import columns
from folkmoot_plugin_extracts.batch import Unread, handed_on
from folkmoot_plugin_extracts.codes import CodeList
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.files import TEXT_ENDINGS, find_files
from folkmoot_plugin_extracts.identifiers import BirthColumn, Identifiers, joined
from folkmoot_plugin_extracts.nhs_number import hiding_numbers
from folkmoot_plugin_extracts.parsing import Output, any_of, needed_columns, parser
from folkmoot_plugin_extracts.repeats import Once
from folkmoot_plugin_notifications.declared import (
    AREA,
    BY_PERIOD,
    EVENT,
    FIRST_NOTIFIED,
    NOTIFICATIONS,
    NOTIFIED,
    schema,
)
from folkmoot_plugin_notifications.options import NotificationColumns, NotificationOptions
from folkmoot_sdk import DataSource, ReadContext, RecordLevel, Records, Schema
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN

_FILES = ("notifications*.csv",)


class NotificationSource(DataSource):
    """Dated notifications: one row for each, about a person or a property.

    A notification counts if its date is in the period that ends with the date of the run. Those
    after that date do not count yet.
    """

    kind = "notifications"
    Options = NotificationOptions

    @classmethod
    def draft(cls, file: Path) -> str:
        """The options that read a list of notifications, if it is one."""
        from folkmoot_plugin_extracts.list_draft import draft_list

        columns = dataclasses.asdict(NotificationColumns())
        needed, dates = ("uprn", "date", "event"), ("date", "date_of_birth")
        return draft_list(cls.kind, file, columns, needed, dates, "%Y-%m-%d")

    def __init__(self, options: NotificationOptions) -> None:
        super().__init__(options)
        self._options: NotificationOptions = options
        self._identifiers = _identifiers(options)
        names = options.columns
        self._schema = schema(
            options.supplier,
            RecordLevel(options.about),
            days=options.days,
            events=options.event_codes if names.event else (),
            area_type=options.area_type if names.area else None,
            identifiers=self._identifiers.declared,
        )

    @property
    def schema(self) -> Schema:
        """The fields that the list's columns allow."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields all notifications, also those outside the period.

        A UPRN, event or area that cannot be read costs a row nothing else. If the date cannot be
        read, it is unknown whether the notification counts.

        Raises:
            PluginError: If a file as a whole cannot be read.
        """
        given, context = self._options, hiding_numbers(context)
        outputs = self._outputs(context)
        nulls = tuple(str(value) for value in given.null_values)
        once = Once()
        with parser(outputs, nulls) as reading:
            folder = given.base / given.folder
            for path in find_files(folder, given.files or _FILES, TEXT_ENDINGS):
                for rows in read_csv(path, needed_columns(outputs), given.dialect, context.reject):
                    batch = once.first_of(path.name, rows, context)
                    read = reading.parse(path.name, batch, context.reject)
                    values, unread = self._values(joined(read.frame), read.unread, context)
                    yield handed_on(values, path.name, batch, unread)

    def _outputs(self, context: ReadContext) -> list[Output]:
        given, wanted = self._options, self._wanted(context)
        names, texts = given.columns, {code: code for code in given.event_codes} | given.events
        outputs = [
            Output(UPRN_COLUMN, names.uprn, columns.Uprn()),
            Output(DATE_COLUMN, names.date, columns.Date(given.date_format, given.latest_year)),
        ]
        if EVENT in wanted or (given.counted and set(wanted) & set(BY_PERIOD)):
            events = CodeList(tuple(texts.items()), given.event_codes)
            outputs.append(Output(EVENT, names.event, events))
        if AREA in wanted:
            outputs.append(Output(AREA, names.area, columns.Area(given.area_type)))
        return outputs + self._identifiers.outputs(context.identifiers, context.reference_date)

    def _wanted(self, context: ReadContext) -> list[str]:
        return [field.name for field in self._schema.fields if field.name in context.fields]

    def _values(
        self, frame: pl.DataFrame, unread: Unread, context: ReadContext
    ) -> tuple[pl.DataFrame, Unread]:
        """The columns that the node receives, and what of them could not be read."""
        wanted = self._wanted(context)
        asked = [
            identifier.column
            for identifier in self._schema.identifiers
            if identifier in context.identifiers
        ]
        counts, doubtful = self._counts(frame, unread, context.reference_date)
        made = {
            NOTIFIED: counts,
            NOTIFICATIONS: counts.cast(pl.Int64),
            FIRST_NOTIFIED: frame[DATE_COLUMN].set(~counts.fill_null(False), None),
        }
        lost = dict(unread)
        lost.pop(EVENT, None)
        for name in set(wanted) & set(BY_PERIOD):
            masks = [doubtful]
            if name == EVENT:
                made[EVENT] = frame[EVENT].set(~counts.fill_null(False), None)
                masks += [mask & counts.fill_null(True) for mask in _mask(unread, EVENT)]
            if (mask := any_of(masks)).any():
                lost[name] = mask
        if AREA in wanted:
            made[AREA] = frame[AREA]
        values = [frame[name] for name in (UPRN_COLUMN, DATE_COLUMN, *asked)]
        values += [made[name].alias(name) for name in wanted]
        return pl.DataFrame(values), lost

    def _counts(
        self, frame: pl.DataFrame, unread: Unread, reference: datetime.date
    ) -> tuple[pl.Series, pl.Series]:
        """Whether each notification counts, null if unknown; and where that could not be read."""
        given, day = self._options, frame[DATE_COLUMN]
        first = reference - datetime.timedelta(days=given.days - 1)
        counts = (day >= first) & (day <= reference)
        doubtful = [pl.repeat(False, frame.height, eager=True), *_mask(unread, DATE_COLUMN)]
        if given.counted and EVENT in frame.columns:
            counts = counts & frame[EVENT].cast(pl.String).is_in(list(given.counted))
            doubtful += _mask(unread, EVENT)
        # What is certainly outside, by its date or its event, does not count whatever the rest is.
        return counts, any_of(doubtful) & counts.is_null()


def _identifiers(options: NotificationOptions) -> Identifiers:
    names = options.columns
    if RecordLevel(options.about) is RecordLevel.PROPERTY:
        return Identifiers(address=names.address, postcode=names.postcode)
    birth = BirthColumn(names.date_of_birth, options.date_format, options.latest_year)
    return Identifiers(
        address=names.address,
        postcode=names.postcode,
        forename=names.forename,
        surname=names.surname,
        date_of_birth=birth if names.date_of_birth else None,
        nhs_number=names.nhs_number,
    )


def _mask(unread: Unread, name: str) -> list[pl.Series]:
    """Where a column could not be read; empty if all of it was."""
    return [unread[name]] if name in unread else []
