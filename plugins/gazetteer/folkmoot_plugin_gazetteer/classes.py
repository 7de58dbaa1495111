"""Which classes of property hold households, and what they are called.

Source: GeoPlace, BLPU classification codes (AddressBase classification scheme).
"""

from __future__ import annotations

import polars as pl

SCHEME_NAME = "AddressBase"
"""Beginning of the name of the national scheme; other schemes say nothing of homes."""
SCHEME = f"{SCHEME_NAME} Premium Classification Scheme"
PARENT_SHELL = "PP"
PROPERTY_TYPES = (
    "detached", "semi_detached", "terraced", "flat", "sheltered", "caravan", "houseboat",
    "holiday", "other_dwelling", "hmo", "communal_establishment",
)  # fmt: skip
"""Codes of the field `property_type`."""
_BY_CLASS = {
    "RD01": "caravan",
    "RD02": "detached",
    "RD03": "semi_detached",
    "RD04": "terraced",
    "RD06": "flat",
    "RD07": "houseboat",
    "RD08": "sheltered",
    "RD10": "holiday",
}
_BY_GROUP = {"RH": "hmo", "RI": "communal_establishment"}
_NO_DWELLINGS = ("RB", "RC", "RG")
"""Residential, but an ancillary building, a car park space or a garage."""
_CLASS = "^[A-Z]([A-Z]([0-9]{2}([A-Z]{2})?)?)?$"


def is_class(code: pl.Expr) -> pl.Expr:
    """True for a code of one to four levels, such as `R`, `RD`, `RD06`."""
    return code.str.contains(_CLASS)


def is_parent_shell(code: pl.Expr) -> pl.Expr:
    """True for the record that stands for a whole building, such as a block of flats."""
    return code.str.starts_with(PARENT_SHELL)


def is_residential(code: pl.Expr) -> pl.Expr:
    """True for a class beginning with R; dual use (X), commercial (C) and others are not."""
    return code.str.starts_with("R")


def is_ancillary(code: pl.Expr) -> pl.Expr:
    """True for residential classes in which nobody lives."""
    return code.str.slice(0, 2).is_in(_NO_DWELLINGS)


def is_hmo(code: pl.Expr) -> pl.Expr:
    """True for a house in multiple occupation or a part of one."""
    return code.str.starts_with("RH")


def is_communal(code: pl.Expr) -> pl.Expr:
    """True for a residential institution: care home, hall of residence, refuge, prison."""
    return code.str.starts_with("RI")


def property_type(code: pl.Expr) -> pl.Expr:
    """The property type of a residential class, as an Enum of `PROPERTY_TYPES`."""
    group = code.str.slice(0, 2).replace_strict(_BY_GROUP, default=None, return_dtype=pl.String)
    exact = code.str.slice(0, 4).replace_strict(_BY_CLASS, default=None, return_dtype=pl.String)
    return pl.coalesce(group, exact, pl.lit("other_dwelling")).cast(pl.Enum(PROPERTY_TYPES))
