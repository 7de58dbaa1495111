"""The data source `nhs_shielding`: who is on a list of people at clinical risk."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts import columns
from folkmoot_plugin_extracts.batch import Batch, Unread, handed_on
from folkmoot_plugin_extracts.codes import Boolean, CodeList
from folkmoot_plugin_extracts.csv_file import Reject, read_csv
from folkmoot_plugin_extracts.dates import check_date_format
from folkmoot_plugin_extracts.file_options import FileOptions
from folkmoot_plugin_extracts.files import TEXT_ENDINGS, find_files
from folkmoot_plugin_extracts.identifiers import BirthColumn, Identifiers, joined
from folkmoot_plugin_extracts.nhs_number import NhsNumber, hiding_numbers
from folkmoot_plugin_extracts.parsing import (
    Output,
    Reading,
    any_of,
    needed_columns,
    parser,
)
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_plugin_extracts.repeats import Once
from folkmoot_plugin_nhs_shielding.declared import DISEASE_GROUPS, schema
from folkmoot_sdk import DataSource, Identifier, ReadContext, Records, Rejection, Schema
from folkmoot_sdk.parameters import nearest, parameter
from folkmoot_sdk.schema import UPRN_COLUMN

_FILES = ("shielded*.csv",)
_NUMBER, _FLAG, _ADDED, _REMOVED, _GROUP = "number", "flag", "added", "removed", "group"


@dataclass(frozen=True, slots=True)
class ListColumns:
    """What the columns of the list are called; empty for one that it does not have.

    Attributes:
        nhs_number: The NHS number.
        uprn: The UPRN.
        flag: Whether the person is on the list.
        added: Since when.
        removed: From when no more.
        group: Disease group.
        person: The list's own reference of a person. Not read.
        address: The address, or its lines.
        postcode: The postcode.
        forename: The forename.
        surname: The surname.
        date_of_birth: The date of birth.
    """

    nhs_number: str = "NHSNumber"
    uprn: str = "UPRN"
    flag: str = "Flag"
    added: str = "DateAdded"
    removed: str = "DateRemoved"
    group: str = "DiseaseGroup"
    person: str = ""
    address: str | tuple[str, ...] = ("AddressLine1", "AddressLine2")
    postcode: str = "Postcode"
    forename: str = "Forename"
    surname: str = "Surname"
    date_of_birth: str = "DateOfBirth"

    def __post_init__(self) -> None:
        if not self.nhs_number or not self.uprn:
            raise ValueError("a list without NHS number or UPRN cannot be read")
        if not self.flag and not self.added:
            raise ValueError("name `flag` or `added`: nothing would say who is on the list")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldingOptions(FileOptions):
    """Options of the source, in `node.toml`.

    Attributes:
        columns: What the columns are called.
        date_format: How dates are written, as in `strftime`, or each way that occurs.
        latest_year: The latest year that a year of two digits may stand for.
        true: What the flag is for people on the list.
        false: What it is for others.
        groups: From what the list holds to a disease group.
        null_values: What the list holds where a value is not known, beside nothing.
        supplier: Who supplies the list.
    """

    columns: ListColumns = parameter(
        default=ListColumns(), description='What the columns are called; "" if there is none.'
    )
    date_format: str | tuple[str, ...] = parameter(
        default="%Y-%m-%d", description="How dates are written, as in %d/%m/%Y, or a list."
    )
    latest_year: int | None = parameter(
        default=None, description="The latest year that a year of two digits may stand for."
    )
    true: tuple[str | int, ...] = parameter(
        default=("Y", "1"), description="What the flag is for people on the list."
    )
    false: tuple[str | int, ...] = parameter(
        default=("N", "0"), description="What it is for people who are not, or no longer."
    )
    groups: dict[str, str] = parameter(
        default_factory=dict, description="From what the list holds to a disease group."
    )
    null_values: tuple[str | int, ...] = parameter(
        default=("NULL",), description="Texts that stand for an unknown value."
    )
    supplier: str = parameter(
        default="NHS England", description="Who supplies the list, for the record of processing."
    )

    def __post_init__(self) -> None:
        FileOptions.__post_init__(self)
        check_date_format(self.date_format, self.latest_year)
        if set(map(str, self.true)) & set(map(str, self.false)):
            raise ValueError("a word of the flag stands for both true and false")
        for text, group in self.groups.items():
            if group not in DISEASE_GROUPS:
                raise ValueError(f"groups.{text} {group!r}: {nearest(group, DISEASE_GROUPS)}")


class ShieldingSource(DataSource):
    """The shielded patient list: one row for each person.

    Somebody is on the list on the date of the run if the flag says so, they were added on or
    before it, and not removed on or before it. The NHS number is checked, and then dropped
    unless the node asks for it to find the household.
    """

    kind = "nhs_shielding"
    Options = ShieldingOptions

    @classmethod
    def draft(cls, file: Path) -> str:
        """The options that read a list, if it is one."""
        from folkmoot_plugin_extracts.list_draft import draft_list

        columns = dataclasses.asdict(ListColumns())
        needed = ("nhs_number", "uprn", "flag", "added")
        dates = ("added", "removed", "date_of_birth")
        return draft_list(cls.kind, file, columns, needed, dates, "%Y-%m-%d")

    def __init__(self, options: ShieldingOptions) -> None:
        super().__init__(options)
        self._options: ShieldingOptions = options
        names = options.columns
        birth = BirthColumn(names.date_of_birth, options.date_format, options.latest_year)
        self._identifiers = Identifiers(
            address=names.address,
            postcode=names.postcode,
            forename=names.forename,
            surname=names.surname,
            date_of_birth=birth if names.date_of_birth else None,
        )
        self._schema = schema(
            options.supplier,
            dated=bool(names.added),
            grouped=bool(names.group),
            identifiers=(*self._identifiers.declared, Identifier.NHS_NUMBER),
        )

    @property
    def schema(self) -> Schema:
        """The fields that the list's columns allow."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields the people of the list, also those who are not on it on the date of the run.

        An NHS number that fails the check, and a UPRN that cannot be read, cost a row nothing
        else. If the flag or a date cannot be read, or somebody was removed before they were
        added, it is unknown whether they are on the list, unless the rest says that they are not.

        Raises:
            PluginError: If a file as a whole cannot be read.
        """
        given, context = self._options, hiding_numbers(context)
        outputs = self._outputs(context)
        needed = needed_columns(outputs)
        nulls = tuple(str(value) for value in given.null_values)
        once = Once()
        with parser(outputs, nulls) as reading:
            folder = given.base / given.folder
            for path in find_files(folder, given.files or _FILES, TEXT_ENDINGS):
                for rows in read_csv(path, needed, given.dialect, context.reject):
                    batch = once.first_of(path.name, rows, context)
                    parsed = reading.parse(path.name, batch, context.reject)
                    read = self._ordered(path.name, parsed, batch, context.reject)
                    values, unread = self._values(joined(read.frame), read.unread, context)
                    yield handed_on(values, path.name, batch, unread)

    def _outputs(self, context: ReadContext) -> list[Output]:
        """What is read: the NHS number always, since a row without a sound one is nobody's."""
        given, wanted = self._options, set(context.fields) & {f.name for f in self._schema.fields}
        names, date = given.columns, columns.Date(given.date_format, given.latest_year)
        words = (tuple(map(str, given.true)), tuple(map(str, given.false)))
        possible = [
            (True, Output(UPRN_COLUMN, names.uprn, columns.Uprn())),
            (True, Output(_NUMBER, names.nhs_number, NhsNumber())),
            (bool(wanted), Output(_FLAG, names.flag, Boolean(*words))),
            (bool(wanted), Output(_ADDED, names.added, date)),
            (bool(wanted), Output(_REMOVED, names.removed, date)),
            ("shielding_group" in wanted, Output(_GROUP, names.group, self._groups())),
        ]
        read = [output for is_needed, output in possible if is_needed and output.column]
        return read + self._identifiers.outputs(context.identifiers, context.reference_date)

    def _groups(self) -> Reader:
        texts = {group: group for group in DISEASE_GROUPS} | self._options.groups
        return CodeList(tuple(texts.items()), DISEASE_GROUPS)

    def _ordered(self, file: str, read: Reading, rows: Batch, reject: Reject) -> Reading:
        """The rows, without the dates of those that were removed before they were added."""
        frame = read.frame
        if _ADDED not in frame.columns or _REMOVED not in frame.columns:
            return read
        wrong = (frame[_REMOVED] < frame[_ADDED]).fill_null(False)
        if not wrong.any():
            return read
        names = self._options.columns
        reject([
            Rejection(file, row, names.removed, f"is before {names.added}")
            for row in rows.numbers()[wrong.to_numpy()].tolist()
        ])  # fmt: skip
        dates = (_ADDED, _REMOVED)
        unread = {name: any_of([wrong, *_mask(read.unread, name)]) for name in dates}
        cleared = frame.with_columns(frame[name].set(wrong, None) for name in dates)
        return Reading(cleared, {**read.unread, **unread})

    def _values(
        self, frame: pl.DataFrame, unread: Unread, context: ReadContext
    ) -> tuple[pl.DataFrame, Unread]:
        """The columns that the node receives, and what of them could not be read."""
        values = [frame[UPRN_COLUMN]]
        lost = dict(unread)
        if Identifier.NHS_NUMBER in context.identifiers:
            column = Identifier.NHS_NUMBER.column
            values.append(frame[_NUMBER].alias(column))
            if _NUMBER in unread:
                lost[column] = unread[_NUMBER]
        asked = [i.column for i in self._schema.identifiers if i in context.identifiers]
        values += [frame[name] for name in asked if name in frame.columns]
        wanted = [field.name for field in self._schema.fields if field.name in context.fields]
        if wanted:
            listed = frame.select(self._listed(frame, unread, context)).to_series()
            doubtful = [*_mask(unread, _FLAG), *_mask(unread, _ADDED), *_mask(unread, _REMOVED)]
            undecided = [any_of(doubtful) & listed.is_null()] if doubtful else []
            ungrouped = [mask & listed.fill_null(False) for mask in _mask(unread, _GROUP)]
            for name in wanted:
                masks = [*undecided, *(ungrouped if name == "shielding_group" else [])]
                if masks and (mask := any_of(masks)).any():
                    lost[name] = mask
            made: dict[str, pl.Series | pl.Expr] = {
                "shielded": listed,
                "shielded_people": listed.cast(pl.Int64),
            }
            made["shielded_since"] = pl.when(listed).then(_ADDED)
            made["shielding_group"] = pl.when(listed).then(_GROUP)
            values += frame.select(made[name].alias(name) for name in wanted).get_columns()
        return pl.DataFrame(values), lost

    def _listed(self, frame: pl.DataFrame, unread: Unread, context: ReadContext) -> pl.Expr:
        """Whether somebody is on the list; null where the flag is missing or it is unknown."""
        day = pl.lit(context.reference_date)
        listed = pl.col(_FLAG) if _FLAG in frame.columns else pl.lit(True)
        for name, met in ((_ADDED, pl.col(_ADDED) <= day), (_REMOVED, pl.col(_REMOVED) > day)):
            if name in frame.columns:
                # A date that is missing says nothing; one that cannot be read might say no.
                certain = met.fill_null(True)
                for mask in _mask(unread, name):
                    certain = pl.when(~pl.lit(mask)).then(certain)
                listed &= certain
        return listed


def _mask(unread: Unread, name: str) -> list[pl.Series]:
    """Where a column could not be read; empty if all of it was."""
    return [unread[name]] if name in unread else []
