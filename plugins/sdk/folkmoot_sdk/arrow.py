"""Reads the shape of an Arrow C stream: names, types and number of rows, no values.

Enough to check a data source without depending on an Arrow library. The structures are
those of the Arrow C data and C stream interfaces (https://arrow.apache.org/docs/format/).
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass

from folkmoot_sdk.schema import FieldType


class _Schema(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]


class _Array(ctypes.Structure):
    pass


_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.c_void_p),
    ("children", ctypes.c_void_p),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]


class _Stream(ctypes.Structure):
    pass


_Stream._fields_ = [
    (
        "get_schema",
        ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema)),
    ),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private_data", ctypes.c_void_p),
]

_STRING = {"u", "U", "vu"}
_INTEGER = {"i": "int32", "l": "int64"}
_NAMES = {
    "b": "bool", "g": "float64", "f": "float32", "tdD": "date32", "tdm": "date64",
    "u": "string", "U": "large string", "vu": "string view", "n": "null", **_INTEGER,
    "c": "int8", "C": "uint8", "s": "int16", "S": "uint16", "I": "uint32", "L": "uint64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArrowType:
    """The type of a column.

    Attributes:
        format: Format string of the Arrow C data interface, of the values.
        dictionary: True if the values stand in a dictionary.
    """

    format: str
    dictionary: bool = False

    @property
    def is_string(self) -> bool:
        """True for strings of any layout, also in a dictionary."""
        return self.format in _STRING

    def __str__(self) -> str:
        name = _NAMES.get(self.format, f"format {self.format!r}")
        return f"dictionary of {name}" if self.dictionary else name


@dataclass(frozen=True, slots=True)
class Shape:
    """Columns and number of rows of a stream."""

    columns: Mapping[str, ArrowType]
    rows: int


def fits(found: ArrowType, declared: FieldType) -> bool:
    """Whether a column may hold a field of a type; see `FieldType`."""
    if declared in (FieldType.CATEGORY, FieldType.AREA):
        return found.is_string
    if found.dictionary:
        return False
    if declared is FieldType.INTEGER:
        return found.format in _INTEGER
    plain = {FieldType.BOOLEAN: "b", FieldType.NUMBER: "g", FieldType.DATE: "tdD"}
    return found.format == plain[declared]


def shape(data: object) -> Shape:
    """Consumes a stream and tells its shape.

    Raises:
        TypeError: If `data` exports no Arrow C stream of records.
        ValueError: If the stream fails.
    """
    export = getattr(data, "__arrow_c_stream__", None)
    if export is None:
        raise TypeError(f"{type(data).__name__} has no __arrow_c_stream__")
    capsule = export()
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype = ctypes.c_void_p
    pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
    stream = ctypes.cast(pointer_of(capsule, b"arrow_array_stream"), ctypes.POINTER(_Stream))
    schema = _Schema()
    if stream.contents.get_schema(stream, ctypes.byref(schema)):
        raise ValueError("the Arrow stream gives no schema")
    columns = _columns(schema)
    schema.release(ctypes.byref(schema))
    rows = 0
    while True:
        array = _Array()
        if stream.contents.get_next(stream, ctypes.byref(array)):
            raise ValueError("the Arrow stream fails")
        if not array.release:
            break
        rows += array.length
        array.release(ctypes.byref(array))
    # The capsule's destructor releases the stream.
    del capsule
    return Shape(columns, rows)


def _columns(schema: _Schema) -> dict[str, ArrowType]:
    if schema.format != b"+s":
        raise TypeError("the Arrow stream holds no records (it is not a struct)")
    columns = {}
    for at in range(schema.n_children):
        child = schema.children[at].contents
        inner = child.dictionary.contents if child.dictionary else child
        columns[child.name.decode()] = ArrowType(inner.format.decode(), bool(child.dictionary))
    return columns
