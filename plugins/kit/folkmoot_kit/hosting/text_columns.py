"""How long the texts in a column are: a short column may refer to one long text many times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from folkmoot_kit.channel import columns
from folkmoot_kit.channel.words import LONGEST_CELL
from folkmoot_kit.hosting.answers import Garbage

MOST_TEXT_BYTES = 256 << 20
"""Bytes of all texts of a column, once each is written out."""


def is_text(found: pa.DataType) -> bool:
    """Whether a column holds strings of any layout, also in a dictionary."""
    if types.is_dictionary(found):
        found = found.value_type
    return bool(
        types.is_string(found) or types.is_large_string(found) or types.is_string_view(found)
    )


def check_lengths(column: pa.ChunkedArray) -> None:
    """Refuses a column of texts that are too long, each or all together.

    Args:
        column: A valid column of any type, null where unknown.

    Raises:
        Garbage: If they are.
    """
    if not is_text(column.type):
        return
    total = 0
    for chunk in column.chunks:
        lengths = _lengths(chunk)
        if len(lengths) and int(lengths.max()) > LONGEST_CELL:
            raise Garbage("a text in a column is longer than is allowed")
        total += int(lengths.sum())
    if total > MOST_TEXT_BYTES:
        raise Garbage("the texts of a column are longer than is allowed")


def _lengths(chunk: pa.Array) -> npt.NDArray[np.int64]:
    """Bytes of each text, shape (rows,); of a null too, if its place holds a length."""
    if types.is_dictionary(chunk.type):
        if chunk.dictionary.null_count:
            raise Garbage("a dictionary with an unknown text")
        held = _lengths(chunk.dictionary)
        if not len(held):
            return np.zeros(0, np.int64)
        # The place of a null may hold an index that is out of range.
        lengths: npt.NDArray[np.int64] = held.take(columns.fixed(chunk.indices), mode="clip")
        return lengths
    count = len(chunk)
    if count == 0:
        return np.zeros(0, np.int64)
    buffer = chunk.buffers()[1]
    if types.is_string_view(chunk.type):
        views = np.frombuffer(buffer, np.int32).reshape(-1, 4)
        return views[chunk.offset : chunk.offset + count, 0].astype(np.int64)
    kind = np.int64 if types.is_large_string(chunk.type) else np.int32
    offsets = np.frombuffer(buffer, kind)[chunk.offset : chunk.offset + count + 1]
    return np.diff(offsets).astype(np.int64)
