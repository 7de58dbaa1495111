"""Profiles: mappings shipped with the package, and how a council's own extract differs."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any

from folkmoot_plugin_extracts import mapping
from folkmoot_plugin_extracts.amounts import Negative
from folkmoot_plugin_extracts.file_options import TableOptions
from folkmoot_plugin_extracts.mapping import FileMapping, Identical, Repeated, Where
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import nearest, parameter

RECORD_DATE = "record_date"
_MAY_LACK = (RECORD_DATE, "person")
"""Besides fields and identifiers, what an extract may be without."""


@dataclass(frozen=True, slots=True)
class FieldWriting:
    """How a council's extract writes one field, where that differs from the profile.

    What a field means (type, unit, how records are combined, protected characteristic) is
    the profile's and stays. `columns` renames its column.

    Attributes:
        true: What the file holds for true; with `false`.
        false: What the file holds for false.
        codes: From what the file holds to the profile's code.
        values: From what the file holds to a number.
        format: How a date is written, as in `strftime`, or each way that occurs.
        latest_year: The latest year that a year of two digits may stand for.
        minimum: Smallest valid value, instead of the profile's.
        maximum: Largest valid value, instead of the profile's.
        null_values: What the column holds where the value is not known, beside the source's.
        ignore_case: True if capitals do not count in codes and words.
        other: What a text stands for that is not named; `unknown` if the value is not known then.
        thousands: What stands between groups of three digits.
        decimal: What stands before the pence.
        currency: Sign that may stand before or after a number.
        negative: Ways to write a negative number.
        scale: What a number is multiplied by, such as 0.01 for pence.
        credits: `zero` if an amount below 0 is a credit, which counts as 0; empty if it is
            rejected, or added to other amounts where `minimum` allows it.
    """

    true: tuple[str | int, ...] = ()
    false: tuple[str | int, ...] = ()
    codes: dict[str, str] = parameter(default_factory=dict)
    values: dict[str, float] = parameter(default_factory=dict)
    format: str | tuple[str, ...] = ()
    latest_year: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    null_values: tuple[str | int | float, ...] = ()
    ignore_case: bool | None = None
    other: bool | float | str | None = None
    thousands: str | None = None
    decimal: str | None = None
    currency: str | None = None
    negative: tuple[Negative, ...] | None = None
    scale: float | None = None
    credits: str | None = None

    def changes(self) -> dict[str, Any]:
        """The keys of a mapping's field that are given here."""
        given = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in given.items()
            if value not in (None, (), {})
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileOptions(TableOptions):
    """Options of a source that reads by a profile, in `node.toml`.

    Attributes:
        null_values: What the files hold where a value is not known, besides empty cells.
        date_format: How every date is written, as in `strftime`, or each way that occurs.
        latest_year: The latest year that a year of two digits may stand for, in every date.
        thousands: What stands between groups of three digits of every number.
        decimal: What stands before the pence.
        currency: Sign that may stand before or after a number; a pound sign may in any case where
            the unit is pounds.
        negative: Ways to write a negative number.
        record_id: Column of the file, or columns, by which a record is known.
        repeated: What is done about records of one `record_id` with other values.
        identical: Whether rows that are the same in every column count once.
        where: Only rows that meet all these conditions are read.
        columns: From the profile's column names to the file's; of a number several, which are
            added up, and of the UPRN several, of which the first that is filled counts.
        fields: How single fields are written.
        without: Fields and identifiers that the extract does not hold; also `record_date` and
            `person`.
        supplier: Who supplies the data.
    """

    null_values: tuple[str | int | float, ...] = parameter(
        default=("NULL", "N/A"), description="Texts that stand for an unknown value."
    )
    date_format: str | tuple[str, ...] = parameter(
        default="",
        description="How all dates are written, as in %Y-%m-%d, or a list; else as the profile.",
    )
    latest_year: int | None = parameter(
        default=None, description="The latest year that a year of two digits may stand for."
    )
    thousands: str = parameter(
        default="", description='What stands between thousands, as "," in 1,234.50.'
    )
    decimal: str = parameter(default=".", description="What stands before the pence.")
    currency: str = parameter(
        default="", description="Sign of amounts; where the unit is pounds, £ is read in any case."
    )
    negative: tuple[Negative, ...] = parameter(
        default=(), description="Ways to write an amount below 0: brackets, cr, trailing."
    )
    record_id: tuple[str, ...] = parameter(
        default=(), description="Columns of the file by which a record is known."
    )
    repeated: Repeated = parameter(
        default=Repeated.ONCE,
        description="Records of one record_id that differ: once (unknown), or stop.",
    )
    identical: Identical = parameter(
        default=Identical.ONCE, description="Rows that are the same in every column: once, or all."
    )
    where: tuple[Where, ...] = parameter(
        default=(), description="Conditions on columns of the file, as in a mapping."
    )
    columns: dict[str, str | tuple[str, ...]] = parameter(
        default_factory=dict, description="From the profile's column names to the file's."
    )
    fields: dict[str, FieldWriting] = parameter(
        default_factory=dict, description="How a field is written, where the profile differs."
    )
    without: tuple[str, ...] = parameter(
        default=(), description="Fields and identifiers that the extract does not hold."
    )
    supplier: str = parameter(
        default="", description="Who supplies the data, for the record of processing."
    )


def profile(name: str) -> dict[str, Any]:
    """The keys and values of a shipped profile, which is a mapping file."""
    shipped = resources.files(__package__) / "profiles" / f"{name}.toml"
    return tomllib.loads(shipped.read_text("utf-8"))


def adapted(name: str, options: ProfileOptions) -> FileMapping:
    """A shipped profile as a council's extract is written.

    Raises:
        PluginError: If an option names a column or field that the profile does not have, or
            the result is no mapping.
    """
    where = f"options of {name}"
    values = profile(name)
    values |= {
        **options.of_files(),
        "null_values": list(options.null_values),
        "thousands": options.thousands,
        "decimal": options.decimal,
        "currency": options.currency,
        "negative": list(options.negative),
        "record_id": list(options.record_id),
        "repeated": options.repeated.value,
        "identical": options.identical.value,
        "where": [_condition(condition) for condition in options.where],
    }
    if options.supplier:
        values["supplier"] = options.supplier
    shipped: dict[str, dict[str, Any]] = values["fields"]
    identifiers: dict[str, Any] = values.get("identifiers", {})
    written = {"format": _listed(options.date_format), "latest_year": options.latest_year}
    dated = [entry for entry in shipped.values() if entry["type"] == "date" or "transform" in entry]
    dated += [values["record_date"]] if "record_date" in values else []
    dated += [identifiers["date_of_birth"]] if "date_of_birth" in identifiers else []
    for entry in dated:
        entry |= {key: value for key, value in written.items() if value}
    for key, writing in options.fields.items():
        _known(f"{where}: fields.{key}", key, shipped)
        shipped[key] |= _writing(f"{where}: fields.{key}", shipped[key], writing)
    for at, key in enumerate(options.without):
        _known(f"{where}: without[{at}]", key, [*shipped, *identifiers, *_MAY_LACK])
        if key in _MAY_LACK:
            values.pop(key, None)
    _rename(values, options.columns, f"{where}: columns", columns_of(values))
    values["identifiers"] = {
        key: column for key, column in identifiers.items() if key not in options.without
    }
    values["fields"] = {key: shipped[key] for key in shipped if key not in options.without}
    return mapping.make(values, where, FileMapping)


def _listed(given: str | tuple[str, ...]) -> str | list[str]:
    """A text, or a list of texts as TOML gives it."""
    return given if isinstance(given, str) else list(given)


def _condition(condition: Where) -> dict[str, Any]:
    key = "in" if condition.values else "not_in"
    return {"column": condition.column, key: list(condition.values or condition.excluded)}


def columns_of(values: dict[str, Any]) -> tuple[str, ...]:
    """The columns that a mapping names, each once."""
    keys = [values[key] for key in ("uprn", "person") if key in values]
    date = [values["record_date"]["column"]] if "record_date" in values else []
    read = [field["column"] for field in values["fields"].values()]
    return tuple(dict.fromkeys([*keys, *date, *read, *identifying_columns(values)]))


def identifying_columns(values: dict[str, Any]) -> tuple[str, ...]:
    """The columns that hold identifiers."""
    found: list[str] = []
    for named in values.get("identifiers", {}).values():
        if isinstance(named, list):
            found += named
        else:
            found.append(named["column"] if isinstance(named, dict) else named)
    return tuple(found)


def _known(where: str, key: str, fields: Collection[str]) -> None:
    if key not in fields:
        raise PluginError(where, f"{key!r} is not a field of the profile", nearest(key, fields))


def _writing(where: str, shipped: dict[str, Any], writing: FieldWriting) -> dict[str, Any]:
    """What changes in a field, with the order of its codes kept."""
    changes = writing.changes()
    if "codes" in changes:
        codes = _codes(shipped)
        for text, code in changes["codes"].items():
            if code not in codes:
                raise PluginError(
                    f"{where}.codes.{text}", f"{code!r} is no code", nearest(code, codes)
                )
        # A code that this council's system does not use stays in the list that factors know.
        changes["order"] = list(codes)
    return changes


def _codes(shipped: dict[str, Any]) -> tuple[str, ...]:
    codes = shipped.get("codes", ())
    appearing = codes.values() if isinstance(codes, dict) else codes
    return tuple(shipped.get("order", dict.fromkeys(appearing)))


def _rename(
    values: dict[str, Any],
    names: AnyMapping[str, str | tuple[str, ...]],
    where: str,
    known: tuple[str, ...],
) -> None:
    for name in names:
        if name not in known:
            raise PluginError(
                f"{where}.{name}", "is not a column of the profile", nearest(name, known)
            )
    several = {name: list(of) for name, of in names.items() if not isinstance(of, str)}
    single = {name: of for name, of in names.items() if isinstance(of, str)}
    either: dict[str, Any] = {**single, **several}
    for key in ("uprn", "person"):
        if key in values:
            values[key] = either.get(values[key], values[key])
    for field in values["fields"].values():
        field["column"] = either.get(field["column"], field["column"])
    if "record_date" in values:
        date = values["record_date"]
        date["column"] = single.get(date["column"], date["column"])
    identifiers = values.get("identifiers", {})
    for key, named in identifiers.items():
        if isinstance(named, list):
            identifiers[key] = [single.get(column, column) for column in named]
        elif isinstance(named, dict):
            named["column"] = single.get(named["column"], named["column"])
        else:
            identifiers[key] = single.get(named, named)
    _check_several(values, several, where)


def _check_several(values: dict[str, Any], several: AnyMapping[str, list[str]], where: str) -> None:
    numbers = [field["column"] for field in values["fields"].values() if "transform" not in field]
    for name, columns in several.items():
        if columns not in (values.get("uprn"), *numbers):
            raise PluginError(
                f"{where}.{name}",
                "is a list, but the column is neither that of a number nor the UPRN's",
                "Name one column",
            )
