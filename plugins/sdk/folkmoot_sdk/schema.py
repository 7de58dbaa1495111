"""How a data source declares what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from folkmoot_sdk.errors import PluginError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

UPRN_COLUMN = "uprn"
"""Column of every batch that holds the unique property reference number, int64."""
DATE_COLUMN = "record_date"
"""Optional column: the date to which the record refers, date32."""
AREA_COLUMN = "area"
"""Column of area-level batches that holds the GSS code the record is about, a string."""


class RecordLevel(Enum):
    """What one record is about."""

    PERSON = "person"
    HOUSEHOLD = "household"
    PROPERTY = "property"
    AREA = "area"


class FieldType(Enum):
    """Type of a field, its Arrow type in batches, and what a factor receives."""

    BOOLEAN = "boolean"  # Arrow bool; float64 of 0, 1, NaN
    INTEGER = "integer"  # Arrow int32 or int64; float64, NaN if unknown
    NUMBER = "number"  # Arrow float64; float64, NaN if unknown
    CATEGORY = "category"  # Arrow string or dictionary; int16 index into codes, -1 unknown
    DATE = "date"  # Arrow date32; datetime64[D], NaT if unknown
    AREA = "area"  # Arrow string: a GSS code; never a factor input, used to tabulate


class Category(Enum):
    """Kind of information, for the record of processing and for the policy's checks."""

    DEMOGRAPHY = "demography"
    FAMILY = "family"
    FINANCE = "finance"
    HOUSING = "housing"
    HEALTH = "health"
    SOCIAL_CARE = "social_care"
    SAFETY = "safety"
    EMPLOYMENT = "employment"
    EDUCATION = "education"
    GEOGRAPHY = "geography"
    SEGMENTATION = "segmentation"


class ProtectedCharacteristic(Enum):
    """The nine protected characteristics of the Equality Act 2010, section 4."""

    AGE = "age"
    DISABILITY = "disability"
    GENDER_REASSIGNMENT = "gender_reassignment"
    MARRIAGE = "marriage_and_civil_partnership"
    PREGNANCY = "pregnancy_and_maternity"
    RACE = "race"
    RELIGION = "religion_or_belief"
    SEX = "sex"
    SEXUAL_ORIENTATION = "sexual_orientation"


class Identifier(Enum):
    """What says which property or whom a record is about, where it has no UPRN.

    The node asks for identifiers only to find the household of a record, and drops them
    then: they are no fields, and are never scored, counted, stored or explained.
    """

    ADDRESS = "address"  # Arrow string: the lines of an address; the postcode may be in it
    POSTCODE = "postcode"  # Arrow string
    FORENAME = "forename"  # Arrow string
    SURNAME = "surname"  # Arrow string
    DATE_OF_BIRTH = "date_of_birth"  # Arrow date32
    NHS_NUMBER = "nhs_number"  # Arrow string of ten digits whose check digit is right

    @property
    def column(self) -> str:
        """Its column in batches."""
        return f"identifier_{self.value}"


class Combine(Enum):
    """How the values of several records of one household become one.

    Unknown values are left out; the result is unknown if all are unknown. `ANY` and
    `ALL` follow three-valued logic: `ANY` is true if one is true, else unknown if one is
    unknown, else false.
    """

    SUM = "sum"
    MAXIMUM = "max"
    MINIMUM = "min"
    ANY = "any"
    ALL = "all"
    COUNT = "count"  # records with a known value; integer
    COUNT_DISTINCT = "count_distinct"  # different known values; integer
    FIRST = "first"  # first known value in record order
    LATEST = "latest"  # known value of the record with the latest record_date


_ORDERED = {Combine.MAXIMUM, Combine.MINIMUM}
_ALLOWED: dict[FieldType, set[Combine]] = {
    FieldType.BOOLEAN: {Combine.ANY, Combine.ALL},
    FieldType.INTEGER: {Combine.SUM, *_ORDERED},
    FieldType.NUMBER: {Combine.SUM, *_ORDERED},
    FieldType.CATEGORY: _ORDERED,
    FieldType.DATE: _ORDERED,
    FieldType.AREA: set(),
}
_ALWAYS = {Combine.FIRST, Combine.LATEST, Combine.COUNT, Combine.COUNT_DISTINCT}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a data source, as the node stores and explains it.

    Attributes:
        name: Identifier by which risk factors ask for it.
        type: Type of the values in the batches.
        combine: How several records of one household become one value. With `COUNT`
            and `COUNT_DISTINCT` the household's value is an integer, whatever `type`.
        category: Kind of information.
        description: One sentence for the record of processing and the explanation.
        unit: `GBP`, `years`, `days`, ...; empty for a pure number, code or date.
        protected: Protected characteristic the field states or nearly states.
        savvi_term: Term of the Vulnerabilities Data Standard, or empty.
        consumer_data: True if bought from a consumer-data supplier.
        codes: Code list of a category, in ascending order where it has one.
        minimum: Smallest valid value of a number or integer.
        maximum: Largest valid value of a number or integer.
        absent: The value of a household of which the source has no record, where
            absence is knowledge (an arrears list names only accounts in arrears: 0).
            None means unknown.
        area_type: Of an area: what its codes are and of which year, for example `lsoa21`;
            empty if that is not stated. Sources about areas of another type are not joined
            by it.
        outcome: True for a date that is the day of an event which policies are judged by, such as
            a homelessness application. It is kept apart from inputs: no factor, attribute or audit
            gets it. Each record with a value is an event; two on one day are one.
    """

    name: str
    type: FieldType
    combine: Combine
    category: Category
    description: str = ""
    unit: str = ""
    protected: ProtectedCharacteristic | None = None
    savvi_term: str = ""
    consumer_data: bool = False
    codes: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    absent: bool | float | str | None = None
    area_type: str = ""
    outcome: bool = False

    def __post_init__(self) -> None:
        where = f"field {self.name[:64]!r}"
        if not _NAME.fullmatch(self.name):
            raise PluginError(
                where, "is not an identifier", "Use lower-case letters, digits and underscores"
            )
        identifiers = {identifier.column for identifier in Identifier}
        if self.name in {UPRN_COLUMN, DATE_COLUMN, AREA_COLUMN} | identifiers:
            raise PluginError(where, "is a reserved column name", "Choose another name")
        if (self.type is FieldType.CATEGORY) != bool(self.codes):
            raise PluginError(
                where,
                "needs a code list if and only if it is a category",
                "Give the codes of a category, and none for other types",
            )
        if len(set(self.codes)) != len(self.codes):
            raise PluginError(where, "repeats a code", "Give each code once")
        if self.combine not in _ALLOWED[self.type] | _ALWAYS:
            allowed = ", ".join(sorted(c.value for c in _ALLOWED[self.type] | _ALWAYS))
            raise PluginError(
                where,
                f"cannot combine {self.type.value} by {self.combine.value}",
                f"Use one of: {allowed}",
            )

        if self.area_type and self.type is not FieldType.AREA:
            raise PluginError(where, "has an area type but is no area", "Leave the area type out")
        if self.outcome and self.household_type is not FieldType.DATE:
            raise PluginError(
                where,
                "is an outcome but no day",
                "Give the date of the event; combine it by min, not by a count",
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise PluginError(where, "has a minimum above its maximum", "Swap or correct them")
        if self.absent is not None and not self._takes(self.absent):
            raise PluginError(
                where,
                f"has an absent value {self.absent!r}, which no household could have",
                "Give a value of the field's type, or leave it out if absence means nothing",
            )

    def _takes(self, value: bool | float | str) -> bool:
        kind = self.household_type
        if kind is FieldType.BOOLEAN or isinstance(value, bool):
            return kind is FieldType.BOOLEAN and isinstance(value, bool)
        if kind is FieldType.CATEGORY:
            return value in self.codes
        if isinstance(value, str) or kind not in (FieldType.INTEGER, FieldType.NUMBER):
            return False
        return kind is FieldType.NUMBER or value == int(value)

    @property
    def household_type(self) -> FieldType:
        """Type of the household's value, after combining."""
        if self.combine in {Combine.COUNT, Combine.COUNT_DISTINCT}:
            return FieldType.INTEGER
        return self.type


@dataclass(frozen=True, slots=True)
class Schema:
    """What a data source holds.

    Attributes:
        name: Identifier of the data set, for example `council_tax`.
        level: What one record is about.
        fields: The fields; names are unique.
        supplier: Who supplies the data, for the record of processing.
        version: Version of the schema or extract format.
        has_date: True if batches carry `record_date`.
        area_type: At area level: what the areas are and of which year, for example
            `lsoa21`; empty if that is not stated.
        identifiers: What batches can carry to find the household of a record that has no
            UPRN.
    """

    name: str
    level: RecordLevel
    fields: tuple[Field, ...]
    supplier: str = ""
    version: str = "1"
    has_date: bool = False
    area_type: str = ""
    identifiers: tuple[Identifier, ...] = ()
    _by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {entry.name: entry for entry in self.fields}
        if len(by_name) != len(self.fields):
            raise PluginError(f"schema {self.name}", "repeats a field", "Name each field once")
        if not self.has_date and any(f.combine is Combine.LATEST for f in self.fields):
            raise PluginError(
                f"schema {self.name}",
                "combines by latest but has no record date",
                "Declare the record date, or combine in another way",
            )
        if self.level is RecordLevel.AREA and any(entry.outcome for entry in self.fields):
            raise PluginError(
                f"schema {self.name}",
                "is about areas but has outcomes",
                "Declare outcomes of households",
            )
        if self.identifiers and self.level is RecordLevel.AREA:
            raise PluginError(
                f"schema {self.name}", "is about areas but has identifiers", "Leave them out"
            )
        object.__setattr__(self, "_by_name", by_name)

    def __getitem__(self, name: str) -> Field:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name
