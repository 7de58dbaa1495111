"""References of people that are made of their NHS numbers and do not lead back to them."""

from __future__ import annotations

import hashlib

import polars as pl


def pseudonyms(numbers: pl.Series, key: bytes) -> pl.Series:
    """Makes references that distinguish people and cannot be turned back into NHS numbers.

    Args:
        numbers: NHS numbers, null where missing.
        key: Random bytes, up to 64, forgotten after the run: with another key the same person
            has another reference.

    Returns:
        One value for each number (String): 32 hexadecimal digits (keyed BLAKE2b, RFC 7693);
        null where the number is null.
    """
    references = [
        None
        if number is None
        else hashlib.blake2b(number.encode(), digest_size=16, key=key).hexdigest()
        for number in numbers.to_list()
    ]
    return pl.Series(numbers.name, references, dtype=pl.String)
