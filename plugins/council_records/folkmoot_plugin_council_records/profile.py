"""Profiles: mappings shipped with the package, and how a council's own extract differs."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any

from folkmoot_plugin_extracts import mapping
from folkmoot_plugin_extracts.file_options import TableOptions
from folkmoot_plugin_extracts.mapping import FileMapping
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import nearest, parameter


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
        format: How a date is written, as in `strftime`.
    """

    true: tuple[str | int, ...] = ()
    false: tuple[str | int, ...] = ()
    codes: dict[str, str] = parameter(default_factory=dict)
    values: dict[str, float] = parameter(default_factory=dict)
    format: str = ""

    def changes(self) -> dict[str, Any]:
        """The keys of a mapping's field that are given here."""
        given = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in given.items()
            if value
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileOptions(TableOptions):
    """Options of a source that reads by a profile, in `node.toml`.

    Attributes:
        null_values: What the files hold where a value is not known, besides empty cells.
        date_format: How every date is written, as in `strftime`.
        columns: From the profile's column names to the file's.
        fields: How single fields are written.
        without: Fields and identifiers that the extract does not hold.
        supplier: Who supplies the data.
    """

    null_values: tuple[str | int, ...] = parameter(
        default=("NULL", "N/A"), description="Texts that stand for an unknown value."
    )
    date_format: str = parameter(
        default="", description="How all dates are written, as in %Y-%m-%d; else as the profile."
    )
    columns: dict[str, str] = parameter(
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
    values |= {**options.of_files(), "null_values": list(options.null_values)}
    if options.supplier:
        values["supplier"] = options.supplier
    shipped: dict[str, dict[str, Any]] = values["fields"]
    identifiers: dict[str, Any] = values.get("identifiers", {})
    if options.date_format:
        for field in shipped.values():
            if field["type"] == "date" or "transform" in field:
                field["format"] = options.date_format
        if "record_date" in values:
            values["record_date"]["format"] = options.date_format
        if "date_of_birth" in identifiers:
            identifiers["date_of_birth"]["format"] = options.date_format
    for key, writing in options.fields.items():
        _known(f"{where}: fields.{key}", key, shipped)
        shipped[key] |= _writing(f"{where}: fields.{key}", shipped[key], writing)
    for at, key in enumerate(options.without):
        _known(f"{where}: without[{at}]", key, [*shipped, *identifiers])
    _rename(values, options.columns, f"{where}: columns", columns_of(values))
    values["identifiers"] = {
        key: column for key, column in identifiers.items() if key not in options.without
    }
    values["fields"] = {key: shipped[key] for key in shipped if key not in options.without}
    return mapping.make(values, where, FileMapping)


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
    values: dict[str, Any], names: AnyMapping[str, str], where: str, known: tuple[str, ...]
) -> None:
    for name in names:
        if name not in known:
            raise PluginError(
                f"{where}.{name}", "is not a column of the profile", nearest(name, known)
            )
    for key in ("uprn", "person"):
        if key in values:
            values[key] = names.get(values[key], values[key])
    if "record_date" in values:
        date = values["record_date"]
        date["column"] = names.get(date["column"], date["column"])
    for field in values["fields"].values():
        field["column"] = names.get(field["column"], field["column"])
    identifiers = values.get("identifiers", {})
    for key, named in identifiers.items():
        if isinstance(named, list):
            identifiers[key] = [names.get(column, column) for column in named]
        elif isinstance(named, dict):
            named["column"] = names.get(named["column"], named["column"])
        else:
            identifiers[key] = names.get(named, named)
