"""Hashes of whole rows, by which records that stand somewhere twice are recognised.

A hash has 128 bits, made of two of 64 with other seeds: among ten million rows no two that differ
have one hash, but with a probability of about 1e-25.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from folkmoot_plugin_extracts.batch import Digests, Rows

_SEEDS = (1, 2)
_UNUSED = b"\x1f"
"""Separates units in old formats; text that holds it is cut into lines in another way."""


def of_text(block: bytes, ends: Rows | None, rows: int) -> Digests:
    """Hashes the records of delimited text, as they are written.

    Args:
        block: Whole records, each with a line feed at its end.
        ends: Where the line feed of each record stands, if a record may take several lines; None if
            each takes one.
        rows: Number of records.

    Returns:
        uint64, shape (rows, 2), none missing.
    """
    if ends is None and _UNUSED not in block:
        lines = pl.read_csv(
            block,
            has_header=False,
            new_columns=["row"],
            separator=_UNUSED.decode(),
            quote_char=None,
            infer_schema=False,
        )["row"]
        if len(lines) == rows:
            return of_texts(lines)
    found = np.flatnonzero(np.frombuffer(block, np.uint8) == 10) if ends is None else ends
    starts = np.concatenate(([0], found[:-1] + 1)) if len(found) else found
    return of_texts(
        pl.Series(
            [
                block[a:b].rstrip(b"\r")
                for a, b in zip(starts.tolist(), found.tolist(), strict=True)
            ],
            dtype=pl.Binary,
        )
    )


def of_texts(texts: pl.Series) -> Digests:
    """Hashes texts or bytes: uint64, shape (texts, 2), none missing."""
    return np.column_stack([texts.hash(seed).to_numpy() for seed in _SEEDS])


def of_cells(rows: Sequence[Sequence[object]]) -> Digests:
    """Hashes the cells of rows: uint64, shape (rows, 2), none missing."""
    return of_texts(pl.Series([repr(row) for row in rows], dtype=pl.String))


def of_frame(frame: pl.DataFrame) -> Digests:
    """Hashes the rows of a table with all its columns: uint64, shape (rows, 2), none missing."""
    return np.column_stack([frame.hash_rows(seed).to_numpy() for seed in _SEEDS])
