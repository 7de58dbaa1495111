"""Postcodes as linkage compares them."""

from __future__ import annotations

import polars as pl

from folkmoot_sdk.geography import POSTCODE


def compact(written: pl.Expr) -> pl.Expr:
    """The letters and digits of what was written, in capitals; a string, null where it is null."""
    return written.str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")


def whole(written: pl.Expr) -> pl.Expr:
    """The postcode without blanks; a string, null where what was written is no whole postcode."""
    return compact(written).str.extract(f"^({POSTCODE})$")


def sector(whole_code: pl.Expr) -> pl.Expr:
    """The sector of a whole postcode without its blank: `M331` of `M331AA`."""
    return whole_code.str.head(-2)
