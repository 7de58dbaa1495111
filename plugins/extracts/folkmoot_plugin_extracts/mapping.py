"""The mapping file: which column of an extract is which field, and how it is written."""

from __future__ import annotations

import codecs
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from folkmoot_plugin_extracts.amounts import Negative, Writing
from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.dates import check_date_format
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.identifiers import Identifiers
from folkmoot_plugin_extracts.mapped_field import MappedField
from folkmoot_plugin_extracts.not_records import LeaveOut, Surroundings
from folkmoot_plugin_extracts.series import Extracts
from folkmoot_sdk import (
    PluginError,
    RecordLevel,
    Schema,
)
from folkmoot_sdk.parameters import build, parameter

M = TypeVar("M", bound="Mapping")


@dataclass(frozen=True, slots=True)
class RecordDate:
    """The column that says to which date a record refers.

    Attributes:
        column: Column of the file.
        format: How a date is written, as in `strftime`, or each way that occurs; not needed where
            a Parquet file holds dates.
        latest_year: The latest year that a year of two digits may stand for.
    """

    column: str
    format: str | tuple[str, ...] = "%Y-%m-%d"
    latest_year: int | None = None

    def __post_init__(self) -> None:
        check_date_format(self.format, self.latest_year)


@dataclass(frozen=True, slots=True)
class Where:
    """A condition: only rows whose column holds one of these texts, or none of them, are read.

    Attributes:
        column: Column of the file.
        values: The texts of rows that are read.
        excluded: The texts of rows that are not read, if all others are.
    """

    column: str
    values: tuple[str | int, ...] = parameter(name="in", default=())
    excluded: tuple[str | int, ...] = parameter(name="not_in", default=())

    def __post_init__(self) -> None:
        if bool(self.values) == bool(self.excluded):
            raise ValueError("give `in`, the texts of rows that are read, or `not_in`; not empty")

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts named."""
        return tuple(str(value) for value in self.values or self.excluded)

    def met(self, column: pl.Series) -> pl.Series:
        """Whether each row is read: Boolean, never null. An empty cell is the text of no sign."""
        found = Text().parse(column).fill_null("").str.strip_chars().is_in(self.texts)
        return found if self.values else ~found


class Repeated(StrEnum):
    """What is done about a record whose key another record has, but not its values."""

    ONCE = "once"
    STOP = "stop"


class Identical(StrEnum):
    """What rows are that are the same in every column of the file."""

    ONCE = "once"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a mapping file says of the columns, wherever they are.

    Attributes:
        schema: Version of this format: 1.
        name: Name of the data set.
        level: What one record is about.
        fields: The fields by name.
        supplier: Who supplies the data.
        version: Version of the extract's layout.
        null_values: What the columns hold where a value is not known, beside nothing. A
            field's own words, codes and values go before these.
        uprn: Column of the UPRN, or several of which the first that is filled counts; empty if the
            files have none, but identifiers.
        person: Column of the person reference. Not read: a node needs none. The key may stay
            in the files of councils that have it.
        area: Column of the GSS code, if the level is area.
        area_type: What the areas are and of which year, such as `lsoa21`.
        record_date: Column of the date to which a record refers.
        where: Only rows that meet all these conditions are read.
        identifiers: Columns by which the household of a record without a UPRN is found.
        record_id: Column, or columns, by which a record is known, such as the account.
        repeated: What is done about records of one `record_id` with other values.
        identical: Whether rows that are the same in every column count once.
        people: Where one row holds several people: for each, from the columns that the mapping
            names to those of this person.
        thousands: Of all numbers that do not say otherwise; see `MappedField`.
        decimal: Likewise.
        currency: Likewise.
        negative: Likewise.
    """

    schema: int
    name: str
    level: RecordLevel
    fields: dict[str, MappedField]
    supplier: str = ""
    version: str = "1"
    null_values: tuple[str | int | float, ...] = ()
    uprn: str | tuple[str, ...] = ""
    person: str = ""
    area: str = ""
    area_type: str = ""
    record_date: RecordDate | None = None
    where: tuple[Where, ...] = ()
    identifiers: Identifiers = parameter(default_factory=Identifiers)
    record_id: str | tuple[str, ...] = ()
    repeated: Repeated = Repeated.ONCE
    identical: Identical = Identical.ONCE
    people: tuple[dict[str, str], ...] = ()
    thousands: str = ""
    decimal: str = "."
    currency: str = ""
    negative: tuple[Negative, ...] = ()

    def __post_init__(self) -> None:
        if self.schema != 1:
            raise ValueError(f"schema {self.schema} is not known; this program reads schema 1")
        if not self.fields:
            raise ValueError("`fields` is empty")
        if self.level is RecordLevel.AREA and not self.area:
            raise ValueError("level is area, but `area` does not name the column of the GSS code")
        if self.level is not RecordLevel.AREA and not self.uprn and not self.identifiers.declared:
            raise ValueError(
                f"level is {self.level.value}, but `uprn` does not name its column; a file without "
                "UPRNs needs the table `identifiers`"
            )
        if self.level is RecordLevel.AREA and self.identifiers.declared:
            raise ValueError("level is area, which has no `identifiers`")
        if not all(self.uprn_columns):
            raise ValueError("`uprn` names an empty column")
        if self.repeated is not Repeated.ONCE and not self.key:
            raise ValueError("`repeated` needs `record_id`, the column by which records are known")
        Writing(self.thousands, self.decimal, self.currency, self.negative)
        for field in self.fields.values():
            self.writing(field)
        self._check_people()

    def _check_people(self) -> None:
        if not self.people:
            return
        if self.level is RecordLevel.AREA:
            raise ValueError("level is area, which has no `people`")
        named = set(self.people[0])
        known = {name for field in self.fields.values() for name in field.columns}
        known |= set(self.identifiers.columns)
        for at, person in enumerate(self.people):
            if set(person) != named or not named:
                raise ValueError("each of `people` names the same columns, from the first on")
            for name in person:
                if name not in known:
                    raise ValueError(f"people[{at}].{name} is the column of no field or identifier")

    @property
    def uprn_columns(self) -> tuple[str, ...]:
        """The columns of the UPRN."""
        if isinstance(self.uprn, str):
            return (self.uprn,) if self.uprn else ()
        return self.uprn

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which a record is known; none if it is not said."""
        if isinstance(self.record_id, str):
            return (self.record_id,) if self.record_id else ()
        return self.record_id

    def writing(self, field: MappedField) -> Writing:
        """How the numbers of a field are written.

        Raises:
            ValueError: If its keys contradict each other or the mapping's.
        """
        pounds = "£" if field.unit.startswith("GBP") else ""
        return Writing(
            self.thousands if field.thousands is None else field.thousands,
            self.decimal if field.decimal is None else field.decimal,
            (self.currency or pounds) if field.currency is None else field.currency,
            self.negative if field.negative is None else field.negative,
        )

    @property
    def null_texts(self) -> tuple[str, ...]:
        """The null values as texts."""
        return tuple(str(value) for value in self.null_values)

    def declaration(self) -> Schema:
        """The schema that the data set declares.

        Raises:
            PluginError: If a field contradicts itself.
        """
        return Schema(
            name=self.name,
            level=self.level,
            fields=tuple(field.field(name) for name, field in self.fields.items()),
            supplier=self.supplier,
            version=self.version,
            has_date=self.record_date is not None,
            area_type=self.area_type,
            identifiers=self.identifiers.declared,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMapping(Mapping):
    """A mapping file of delimited text, Parquet files and workbooks.

    Attributes:
        files: Patterns of file names, relative to the source's folder.
        extracts: Which extracts of a series are read; None for the newest, where it is certain.
        allow_empty: True if one of several files may hold no record.
        encoding: Of delimited text.
        delimiter: Of delimited text; empty for what is usual for the ending of the file.
        quote: What delimited text puts around a text; empty if nothing.
        sheet: Of workbooks: the sheet; empty for the only one that has the columns.
        skip_rows: Number of lines above the header; None to find it by the names of the columns.
        comment: What lines begin with that are comments; empty if there are none.
        leave_out: Rows that are no records.
    """

    files: tuple[str, ...]
    extracts: Extracts | None = None
    allow_empty: bool = False
    encoding: str = "utf-8"
    delimiter: str = ""
    quote: str = '"'
    sheet: str = ""
    skip_rows: int | None = None
    comment: str = ""
    leave_out: tuple[LeaveOut, ...] = ()

    def __post_init__(self) -> None:
        Mapping.__post_init__(self)
        Dialect(self.encoding, self.delimiter, self.quote)
        if not self.files:
            raise ValueError("`files` is empty")
        if self.skip_rows is not None and self.skip_rows < 0:
            raise ValueError("`skip_rows` is below 0")

    @property
    def dialect(self) -> Dialect:
        """How delimited text is written."""
        return Dialect(self.encoding, self.delimiter, self.quote)

    @property
    def surroundings(self) -> Surroundings:
        """What stands around the records."""
        return Surroundings(self.skip_rows, self.comment, self._keys, self.leave_out)

    @property
    def _keys(self) -> tuple[str, ...]:
        """The columns that say whom a record is about."""
        if self.level is RecordLevel.AREA:
            return (self.area,)
        if self.uprn:
            return self.uprn_columns
        named = self.identifiers
        return tuple(filter(None, (*named.lines, named.postcode, named.surname)))


def load(path: Path, cls: type[M]) -> M:
    """Reads a mapping file.

    Args:
        path: The file.
        cls: What it maps.

    Raises:
        PluginError: Naming the file, the key and the remedy.
    """
    return make(read_toml(path, "mapping"), str(path), cls)


def read_toml(path: Path, option: str) -> dict[str, Any]:
    """Reads a TOML file that an option of a source names.

    Raises:
        PluginError: Naming the file and the remedy.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PluginError(
            str(path), f"cannot be read ({error.strerror})", f"Check the option `{option}`"
        ) from None
    try:
        return tomllib.loads(raw.removeprefix(codecs.BOM_UTF8).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise PluginError(
            str(path), f"is not UTF-8 text (byte {error.start})", "Save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise PluginError(
            str(path), f"is not valid TOML: {error}", "Correct the line named"
        ) from None
    except RecursionError:
        raise PluginError(
            str(path), "is nested too deeply", "Write it as the samples are"
        ) from None


def make(values: dict[str, Any], where: str, cls: type[M]) -> M:
    """Makes a mapping of what its file says.

    Args:
        values: The file's keys and values.
        where: Name of the file, for errors.
        cls: What it maps.

    Raises:
        PluginError: Naming the file, the key and the remedy.
    """
    try:
        mapping = build(cls, values, "")
        mapping.declaration()
    except PluginError as error:
        named = f"{where}: {error.where.removeprefix('.')}".removesuffix(": ")
        raise PluginError(named, error.problem, error.remedy) from None
    return mapping
