"""The mapping file: which column of an extract is which field, and how it is written."""

from __future__ import annotations

import codecs
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from folkmoot_plugin_extracts.dates import check_date_format
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.identifiers import Identifiers
from folkmoot_plugin_extracts.not_records import LeaveOut, Surroundings
from folkmoot_plugin_extracts.series import Extracts
from folkmoot_sdk import (
    Category,
    Combine,
    Field,
    FieldType,
    PluginError,
    ProtectedCharacteristic,
    RecordLevel,
    Schema,
)
from folkmoot_sdk.parameters import build, nearest, parameter

TRUE_WORDS = ("true", "True", "TRUE", "1", "Y", "y", "Yes", "YES", "yes")
FALSE_WORDS = ("false", "False", "FALSE", "0", "N", "n", "No", "NO", "no")
TRANSFORMS = ("age", "days_since")
_NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
_UNITS = {"age": "years", "days_since": "days"}


M = TypeVar("M", bound="Mapping")


@dataclass(frozen=True, slots=True)
class RecordDate:
    """The column that says to which date a record refers.

    Attributes:
        column: Column of the file.
        format: How a date is written, as in `strftime`; not needed where a Parquet file
            holds dates.
    """

    column: str
    format: str = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class Where:
    """A condition: only rows whose column holds one of these texts are read.

    Attributes:
        column: Column of the file.
        values: The texts.
    """

    column: str
    values: tuple[str | int, ...] = parameter(name="in")

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("the list `in` is empty, no row could be read")

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as texts."""
        return tuple(str(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class MappedField:
    """One field of the data set, and the column that it is read from.

    Attributes:
        column: Column of the file.
        type: Type of the field.
        combine: How several records of a household become one value.
        category: Kind of information.
        description: One sentence.
        unit: Unit, for example `GBP`.
        protected: Protected characteristic it states or nearly states.
        savvi_term: Term of the Vulnerabilities Data Standard.
        consumer_data: True if bought from a consumer-data supplier.
        codes: For a category, a list of the codes, or a table from what the file holds
            to the code it stands for.
        order: All codes in order, if it is not the order in which `codes` names them, or if
            the files do not hold all codes that there are.
        values: For a number or an integer, a table from what the file holds to the value
            it stands for, such as the lower end of an age band.
        minimum: Smallest valid value.
        maximum: Largest valid value.
        absent: Value of a household of which the data set has no record.
        format: How a date is written, as in `strftime`.
        transform: `age` or `days_since`: a number made of a date and the date of the run.
        true: What the file holds for true; with `false`, or neither for the usual words.
        false: What the file holds for false.
        area_type: Of an area: what its codes are and of which year, such as `lsoa21`.
    """

    column: str
    type: FieldType
    combine: Combine
    category: Category
    description: str = ""
    unit: str = ""
    protected: ProtectedCharacteristic | None = None
    savvi_term: str = ""
    consumer_data: bool = False
    codes: dict[str, str] | tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    values: dict[str, float] = parameter(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    absent: bool | float | str | None = None
    format: str = "%Y-%m-%d"
    transform: str = ""
    true: tuple[str | int, ...] = ()
    false: tuple[str | int, ...] = ()
    area_type: str = ""

    def __post_init__(self) -> None:
        if self.transform and self.transform not in TRANSFORMS:
            raise ValueError(f"transform {self.transform!r}: {nearest(self.transform, TRANSFORMS)}")
        if self.transform and self.type not in _NUMERIC:
            raise ValueError(
                f"transform {self.transform!r} gives an integer, not {self.type.value}"
            )
        if self.values and (self.transform or self.type not in _NUMERIC):
            raise ValueError("`values` is for a number or an integer without a transform")
        if self.type is FieldType.INTEGER and any(v != int(v) for v in self.values.values()):
            raise ValueError("`values` of an integer are not all whole numbers")
        if self.codes and self.type is not FieldType.CATEGORY:
            raise ValueError("`codes` is for a category; a number has `values`")
        if self.reads_date:
            check_date_format(self.format)
        if bool(self.true) != bool(self.false):
            raise ValueError("give both `true` and `false`, or neither")
        words = (*self.true_words, *self.false_words)
        if len(set(words)) != len(words):
            raise ValueError("a word stands for both true and false, or stands there twice")
        if self.true and self.type is not FieldType.BOOLEAN:
            raise ValueError("`true` and `false` are for a boolean")
        unordered = set(self._appearing()) - set(self.order)
        if self.order and unordered:
            raise ValueError(f"`order` lacks {', '.join(sorted(unordered))} of `codes`")

    @property
    def reads_date(self) -> bool:
        """True if the column holds dates."""
        return self.type is FieldType.DATE or bool(self.transform)

    @property
    def true_words(self) -> tuple[str, ...]:
        """For a boolean: what the file holds for true."""
        return tuple(str(word) for word in self.true) or TRUE_WORDS

    @property
    def false_words(self) -> tuple[str, ...]:
        """For a boolean: what the file holds for false."""
        return tuple(str(word) for word in self.false) or FALSE_WORDS

    @property
    def code_of(self) -> dict[str, str]:
        """For a category: from what the file holds to the code."""
        return self.codes if isinstance(self.codes, dict) else {code: code for code in self.codes}

    def _appearing(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.code_of.values()))

    def field(self, name: str) -> Field:
        """The field as the schema declares it.

        Raises:
            PluginError: If the parts contradict each other.
        """
        minimum = 0 if self.minimum is None and self.transform == "age" else self.minimum
        return Field(
            name=name,
            type=self.type,
            combine=self.combine,
            category=self.category,
            description=self.description,
            unit=self.unit or _UNITS.get(self.transform, ""),
            protected=self.protected,
            savvi_term=self.savvi_term,
            consumer_data=self.consumer_data,
            codes=self.order or self._appearing(),
            minimum=minimum,
            maximum=self.maximum,
            absent=self.absent,
            area_type=self.area_type,
        )


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
        uprn: Column of the UPRN; empty if the files have none, but identifiers.
        person: Column of the person reference. Not read: a node needs none. The key may stay
            in the files of councils that have it.
        area: Column of the GSS code, if the level is area.
        area_type: What the areas are and of which year, such as `lsoa21`.
        record_date: Column of the date to which a record refers.
        where: Only rows that meet all these conditions are read.
        identifiers: Columns by which the household of a record without a UPRN is found.
    """

    schema: int
    name: str
    level: RecordLevel
    fields: dict[str, MappedField]
    supplier: str = ""
    version: str = "1"
    null_values: tuple[str | int, ...] = ()
    uprn: str = ""
    person: str = ""
    area: str = ""
    area_type: str = ""
    record_date: RecordDate | None = None
    where: tuple[Where, ...] = ()
    identifiers: Identifiers = parameter(default_factory=Identifiers)

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
        if self.record_date is not None:
            check_date_format(self.record_date.format)

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
        delimiter: Of delimited text.
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
    delimiter: str = ","
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
            return (self.uprn,)
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
