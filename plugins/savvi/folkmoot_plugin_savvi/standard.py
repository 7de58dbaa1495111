"""Versions of the standard: what the feed's columns are called, and which term is which field.

A version is a data file in `versions`. A council's own file may change it or add to it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from folkmoot_plugin_extracts.dates import check_date_format
from folkmoot_plugin_extracts.mapping import read_toml
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

Value = bool | float | str


@dataclass(frozen=True, slots=True)
class FeedColumns:
    """What the columns of a feed are called.

    Attributes:
        uprn: The UPRN; required.
        attribute_type: Kind of attribute; required.
        attribute: The term; required.
        scheme: The taxonomy that the term is of.
        date: The day from which the attribute is true.
        person: The person reference. Not read; a council's own mapping may name it.
    """

    uprn: str
    attribute_type: str
    attribute: str
    scheme: str
    date: str
    person: str = ""


@dataclass(frozen=True, slots=True)
class AttributeField:
    """A field, and the attributes that it is made of.

    Attributes:
        attribute_type: Kind of attribute.
        terms: The terms, if each means true, or one more record of a count, or that the
            attribute's date is the value; or a table from terms to values.
        type: Type of the field.
        combine: How several records of a household become one value.
        category: Kind of information.
        scheme: Taxonomy that the terms must be of; empty if any.
        codes: Code list of a category.
        description: One sentence.
        unit: Unit.
        protected: Protected characteristic it states or nearly states.
        absent: Value of a household of which the feed names no such attribute.
    """

    attribute_type: str
    terms: dict[str, Value] | tuple[str, ...]
    type: FieldType
    combine: Combine
    category: Category
    scheme: str = ""
    codes: tuple[str, ...] = ()
    description: str = ""
    unit: str = ""
    protected: ProtectedCharacteristic | None = None
    absent: Value | None = None

    def __post_init__(self) -> None:
        if not self.terms:
            raise ValueError("`terms` is empty")
        if self.type is FieldType.AREA:
            raise ValueError("an attribute is no area")
        if self.combine is Combine.COUNT_DISTINCT:
            raise ValueError("attributes are counted, not distinguished: combine by count")
        if len(self.values) != len(self.terms):
            raise ValueError("`terms` names a term twice; capitals do not count")
        if self.type is not FieldType.DATE:
            for term, value in self.values.items():
                if not self._takes(value):
                    raise ValueError(f"the term {term!r} has no value that the field can have")
        elif isinstance(self.terms, dict):
            raise ValueError("`terms` of a date is a list: the value is the attribute's date")
        if self.absent is not None and not self._is_neutral():
            raise ValueError(
                "`absent` must change nothing when records are combined: false for any, true "
                "for all, 0 for sum and count, the first code for max, the last for min"
            )
        if self.combine is Combine.COUNT and self.absent is None:
            raise ValueError("a count is 0 where there is nothing to count: set absent = 0")

    @property
    def values(self) -> dict[str, Value]:
        """From each term, in lower case, to its value; the value of a date is its column's."""
        if isinstance(self.terms, dict):
            return {folded(term): value for term, value in self.terms.items()}
        # Of a count any known value is one record more.
        usual: Value = True if self.type is FieldType.BOOLEAN else 1
        return {folded(term): usual for term in self.terms}

    def _takes(self, value: Value) -> bool:
        if self.type is FieldType.BOOLEAN:
            return isinstance(value, bool)
        if self.type is FieldType.CATEGORY:
            return value in self.codes
        if isinstance(value, bool | str):
            return False
        return self.type is FieldType.NUMBER or value == int(value)

    def _is_neutral(self) -> bool:
        match self.combine:
            case Combine.ANY | Combine.ALL:
                return self.absent is (self.combine is Combine.ALL)
            case Combine.SUM | Combine.COUNT:
                return not isinstance(self.absent, bool | str) and self.absent == 0
            case Combine.MAXIMUM:
                return self.absent == next(iter(self.codes), None)
            case Combine.MINIMUM:
                return bool(self.codes) and self.absent == self.codes[-1]
            case _:
                return False

    def field(self, name: str) -> Field:
        """The field as the schema declares it.

        Raises:
            PluginError: If the parts contradict each other.
        """
        return Field(
            name=name,
            type=self.type,
            combine=self.combine,
            category=self.category,
            description=self.description,
            unit=self.unit,
            protected=self.protected,
            savvi_term=next(iter(self.terms)),
            codes=self.codes,
            absent=self.absent,
        )


@dataclass(frozen=True, slots=True)
class Standard:
    """A version of the standard.

    Attributes:
        schema: Version of this format: 1.
        standard: Name of the version.
        source: Where it is published.
        attribute_types: Kinds of attribute.
        date_format: How dates are written.
        latest_year: The latest year that a year of two digits may stand for.
        columns: What the columns are called.
        fields: The fields by name.
    """

    schema: int
    standard: str
    source: str
    attribute_types: tuple[str, ...]
    date_format: str
    columns: FeedColumns
    fields: dict[str, AttributeField] = parameter(default_factory=dict)
    latest_year: int | None = None

    def __post_init__(self) -> None:
        if self.schema != 1:
            raise ValueError(f"schema {self.schema} is not known; this program reads schema 1")
        check_date_format(self.date_format, self.latest_year)
        for name, field in self.fields.items():
            if field.attribute_type not in self.attribute_types:
                hint = nearest(field.attribute_type, self.attribute_types)
                raise ValueError(f"fields.{name}.attribute_type {field.attribute_type!r}: {hint}")

    def declaration(self, names: tuple[str, ...], supplier: str = "") -> Schema:
        """The schema of a feed that covers some of the fields.

        Raises:
            PluginError: If a field is not one of this version, or contradicts itself.
        """
        for at, name in enumerate(names):
            if name not in self.fields:
                raise PluginError(
                    f"options of savvi: fields[{at}]",
                    f"{name!r} is not a field of {self.standard}",
                    f"Correct it, or add it in a file of your own. {nearest(name, self.fields)}",
                )
        return Schema(
            name="savvi",
            level=RecordLevel.PERSON,
            fields=tuple(self.fields[name].field(name) for name in names),
            supplier=supplier,
            version=self.standard,
            has_date=True,
        )


def folded(text: str) -> str:
    """A term as it is compared: without regard to capitals and blanks around it."""
    return text.strip().lower()


def versions() -> tuple[str, ...]:
    """Names of the versions shipped, ascending."""
    found = (resources.files(__package__) / "versions").iterdir()
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in found))


def load(name: str, changes: Path | None) -> Standard:
    """Reads a version of the standard.

    Args:
        name: One of `versions()`.
        changes: A council's own file, or None. Its tables change keys of the version's;
            fields that the version does not have are added.

    Raises:
        PluginError: Naming the file or option, the key and the remedy.
    """
    if name not in versions():
        raise PluginError(
            "options of savvi: standard",
            f"the version {name!r} is not known",
            f"Name the version that the feed follows. {nearest(name, versions())}",
        )
    shipped = resources.files(__package__) / "versions" / f"{name}.toml"
    values = tomllib.loads(shipped.read_text("utf-8"))
    where = name
    if changes is not None:
        where = str(changes)
        values = _changed(values, read_toml(changes, "mapping"))
    try:
        standard = build(Standard, values, "")
        standard.declaration(tuple(standard.fields))
    except PluginError as error:
        named = f"{where}: {error.where.removeprefix('.')}".removesuffix(": ")
        raise PluginError(named, error.problem, error.remedy) from None
    return standard


def _changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Values with those of `changes`; tables are merged, but a table of terms is replaced."""
    merged = dict(values)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict) and key != "terms"
        merged[key] = _changed(old, value) if both else value  # type: ignore[arg-type]
    return merged
