"""The functions that the kernel maps into every process: finds one by its name."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from folkmoot_kit.attacks.attempts import Refused

_AT_SYSINFO_EHDR = 33
_LOAD, _DYNAMIC = 1, 2
_STRTAB, _SYMTAB = 5, 6
_NAMES = (b"__vdso_", b"__kernel_")
_MOST_SYMBOLS = 64


@cache
def vdso_function(name: str) -> Callable[..., Any]:
    """A function of the vDSO that takes two arguments and gives an int.

    Raises:
        Refused: If the process has none of that name.
    """
    library = ctypes.CDLL(None)
    library.getauxval.restype = ctypes.c_ulong
    base = library.getauxval(ctypes.c_ulong(_AT_SYSINFO_EHDR))
    if not base:
        raise Refused("the kernel names no such code")
    table, bias = _dynamic_table(base)
    entries = dict(_pairs(table))
    strings, symbols = entries[_STRTAB] + bias, entries[_SYMTAB] + bias
    for at in range(_MOST_SYMBOLS):
        text, _, _, _, value, _ = struct.unpack("=IBBHQQ", ctypes.string_at(symbols + 24 * at, 24))
        if at and text and ctypes.string_at(strings + text) in [n + name.encode() for n in _NAMES]:
            made = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_long, ctypes.c_char_p)
            return made(value + bias)
    raise Refused("there is no such function")


def _dynamic_table(base: int) -> tuple[int, int]:
    """Address of the dynamic section, and what addresses in the image lack."""
    [start] = struct.unpack("=Q", ctypes.string_at(base + 32, 8))
    size, count = struct.unpack("=HH", ctypes.string_at(base + 54, 4))
    table = bias = 0
    for at in range(count):
        header = ctypes.string_at(base + start + at * size, 56)
        kind, _, offset, address, *_ = struct.unpack("=IIQQQQQQ", header)
        if kind == _LOAD:
            bias = base + offset - address
        if kind == _DYNAMIC:
            table = base + offset
    return table, bias


def _pairs(table: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while True:
        key, value = struct.unpack("=QQ", ctypes.string_at(table, 16))
        if key == 0:
            return found
        found.append((key, value))
        table += 16
