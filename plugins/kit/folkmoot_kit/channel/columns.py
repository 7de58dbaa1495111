"""Columns as an Arrow stream in one buffer, written and read without a copy.

What is read is one table of flat columns, uncompressed: compression would let a short frame ask
for any amount of memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from folkmoot_kit.channel.frames import Buffer, FrameError, Part
from folkmoot_kit.channel.ipc_messages import check_plain

MOST_COLUMNS = 4096
"""Columns of one frame."""


def written(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> list[Part]:
    """The pieces of an Arrow stream, for `Channel.send`; large ones are views of the columns."""
    pieces = _Pieces()
    with pa.ipc.new_stream(pa.PythonFile(pieces, "w"), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return pieces.parts


def read(buffer: Buffer) -> pa.Table:
    """The table in a frame; its columns are views of `buffer`.

    Returns:
        Any number of rows and columns, null where Arrow says so. Not yet validated: the types
        must be looked at first.

    Raises:
        FrameError: If the frame holds no such table.
    """
    content = pa.py_buffer(buffer)
    check_plain(buffer.data)
    try:
        with pa.ipc.open_stream(content) as reader:
            # Names that are no text cannot be looked at, and raise here.
            if len(reader.schema.names) > MOST_COLUMNS:
                raise FrameError("a frame holds too many columns")
            return reader.read_all()
    except (pa.ArrowException, ValueError, OSError, MemoryError):
        raise FrameError("a frame holds no Arrow columns") from None


def validate(table: pa.Table) -> None:
    """Looks at every value of a table that came.

    Raises:
        FrameError: If it is not sound: texts that are none, places outside their buffers.
    """
    try:
        table.validate(full=True)
    except (pa.ArrowException, ValueError):
        raise FrameError("a frame holds columns that are not sound") from None


def fixed(column: pa.Array) -> npt.NDArray[Any]:
    """The values of a column of fixed width, as a view.

    pyarrow's own conversions to and from NumPy import pandas where it is installed, which takes
    longer than all else at the start of a process.

    Returns:
        Shape (rows,), of the column's type; booleans as uint8 of 0 and 1, dates as int32 days. A
        place that is null holds anything.
    """
    buffer = column.buffers()[1]
    start, end = column.offset, column.offset + len(column)
    if not len(column):
        return np.empty(0, _NUMPY[str(column.type)])
    if pa.types.is_boolean(column.type):
        return np.unpackbits(np.frombuffer(buffer, np.uint8), count=end, bitorder="little")[start:]
    return np.frombuffer(buffer, _NUMPY[str(column.type)])[start:end]


def made(kind: pa.DataType, array: npt.NDArray[Any]) -> pa.Array:
    """A column without nulls of an array of its type, as a view; of bool a copy.

    Args:
        kind: Type of the column.
        array: Shape (rows,).
    """
    held = np.packbits(array, bitorder="little") if array.dtype == np.bool_ else array
    return pa.Array.from_buffers(kind, len(array), [None, pa.py_buffer(held)])


_NUMPY = {
    "bool": np.uint8, "date32[day]": np.int32, "double": np.float64,
    "int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64,
    "uint8": np.uint8, "uint16": np.uint16, "uint32": np.uint32, "uint64": np.uint64,
}  # fmt: skip


class _Pieces:
    """A file to which Arrow writes; it keeps the buffers it is given."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[Part] = []

    def write(self, piece: Any) -> int:
        view = piece if isinstance(piece, bytes) else memoryview(piece)
        self.parts.append(view)
        return len(view)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def readable(self) -> bool:
        """Arrow only writes."""
        return False

    def writable(self) -> bool:
        """It does."""
        return True
