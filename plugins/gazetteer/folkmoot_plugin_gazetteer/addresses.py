"""Addresses of properties, composed from a gazetteer's records as BS 7666 describes.

An address is a secondary addressable object (a flat), a primary one (a house), and the
street with locality and town. Source: BS 7666:2006 and the Data Transfer Format 7.3; the
order of the parts is that of geographic addresses in AddressBase Premium.
"""

from __future__ import annotations

import datetime

import polars as pl

from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.parsing import Output
from folkmoot_plugin_gazetteer.dtf_file import Columns

STREET = 15
STREET_COLUMNS = Columns(9, {"USRN": 3, "STREET": 4, "LOCALITY": 5, "TOWN": 6, "LANGUAGE": 8})
STREET_OUTPUTS = [
    Output("usrn", "USRN", Text()),
    Output("street", "STREET", Text()),
    Output("locality", "LOCALITY", Text()),
    Output("town", "TOWN", Text()),
    Output("street_language", "LANGUAGE", Text()),
]
_OBJECTS = ("SAO", "PAO")
LPI_COLUMNS = {
    "LANGUAGE": 5, "USRN": 21,
    "SAO_START": 11, "SAO_START_SUFFIX": 12, "SAO_END": 13, "SAO_END_SUFFIX": 14, "SAO_TEXT": 15,
    "PAO_START": 16, "PAO_START_SUFFIX": 17, "PAO_END": 18, "PAO_END_SUFFIX": 19, "PAO_TEXT": 20,
}  # fmt: skip
LPI_OUTPUTS = [Output(name.lower(), name, Text()) for name in LPI_COLUMNS]
_UNITS = ("FLAT", "FLATS", "APARTMENT", "UNIT", "ROOM", "BEDSIT", "STUDIO", "MAISONETTE", "PLOT")
"""Texts that a number belongs to: FLAT, 3 is Flat 3."""
_STATUS_ORDER = ("1", "3", "5", "6")
"""Logical statuses of addresses: approved, alternative, candidate, provisional."""
_ENGLISH = "ENG"


def preferred(records: pl.DataFrame, date: datetime.date) -> pl.DataFrame:
    """Chooses one address record for each property that has any.

    Args:
        records: Address records (LPI): `uprn`, `status`, `end`, `language` and others.
        date: The reference date; an address that ended on or before it is not used.

    Returns:
        One row for each such property, with the columns and nulls of `records`: the approved
        address if there is one, otherwise an alternative, candidate or provisional one;
        English before another language.
    """
    ended = (pl.col("end") <= date).fill_null(False)
    rank = {status: at for at, status in enumerate(_STATUS_ORDER)}
    order = pl.col("status").replace_strict(rank, default=None, return_dtype=pl.Int64)
    foreign = (pl.col("language") != _ENGLISH).fill_null(False)
    return (
        records.with_columns(order.alias("__order"), foreign.alias("__foreign"))
        .filter(~ended & pl.col("__order").is_not_null())
        .sort("__order", "__foreign", maintain_order=True)
        .unique("uprn", keep="first", maintain_order=True)
        .drop("__order", "__foreign")
    )


def composed(records: pl.DataFrame, streets: pl.DataFrame) -> pl.DataFrame:
    """Writes the address of each record in one line.

    Args:
        records: Address records, one a property: `uprn` and the outputs `LPI_OUTPUTS`.
        streets: Street descriptors: the outputs `STREET_OUTPUTS`.

    Returns:
        One row for each record, with the columns `uprn` (Int64) and `address` (String), such as
        `FLAT 3, ELM COURT, 12A HIGH STREET, SALE, TRAFFORD`; the address is null where
        neither the house nor the street is known.
    """
    foreign = (pl.col("street_language") != _ENGLISH).fill_null(False)
    named = (
        streets.filter(pl.col("usrn").is_not_null())
        .sort(foreign, maintain_order=True)
        .unique("usrn", keep="first", maintain_order=True)
        .select("usrn", "street", "locality", "town")
    )
    joined = records.join(named, on="usrn", how="left", maintain_order="left")
    unit, house = (_number(name.lower()) for name in _OBJECTS)
    unit_text, house_text = _filled("sao_text"), _filled("pao_text")
    numbered = unit_text.str.to_uppercase().is_in(_UNITS).fill_null(False) & unit.is_not_null()
    parts = [
        pl.when(numbered).then(pl.concat_str(unit_text, unit, separator=" ")).otherwise(unit_text),
        pl.when(~numbered).then(unit),
        house_text,
        pl.concat_str(house, _filled("street"), separator=" ", ignore_nulls=True),
        _filled("locality"),
        pl.when(_filled("town") != _filled("locality").fill_null("")).then(_filled("town")),
    ]
    blank_to_null = [pl.when(part != "").then(part) for part in parts]
    line = pl.concat_str(blank_to_null, separator=", ", ignore_nulls=True)
    known = pl.any_horizontal(part.is_not_null() for part in (house_text, house))
    named_street = _filled("street").is_not_null()
    return joined.select("uprn", pl.when(known | named_street).then(line).alias("address"))


def spaced(postcode: pl.Expr) -> pl.Expr:
    """A postcode as it is written: `M32 0TH` for `M320TH`."""
    return pl.concat_str(
        postcode.str.head(-3), postcode.str.tail(3), separator=" ", ignore_nulls=False
    )


def _filled(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    return pl.when(text != "").then(text)


def _number(part: str) -> pl.Expr:
    """A number or a range with suffixes: `12A`, `12-14`, `12A-12C`; null without a start."""
    start = pl.concat_str(
        _filled(f"{part}_start"), _filled(f"{part}_start_suffix").fill_null(""), ignore_nulls=False
    )
    end = pl.concat_str(
        _filled(f"{part}_end"), _filled(f"{part}_end_suffix").fill_null(""), ignore_nulls=False
    )
    return pl.concat_str(start, pl.concat_str(pl.lit("-"), end).fill_null(""), ignore_nulls=False)
