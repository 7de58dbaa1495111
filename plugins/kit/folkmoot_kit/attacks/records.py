"""Attempts of a source to have the host take records that are none."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from folkmoot_kit.attacks.attempts import Collection, Group, Runs, Targets
from folkmoot_kit.attacks.frames import (
    COLUMNS,
    changed,
    frame,
    message,
    say_nothing_more,
    stream,
    write,
)
from folkmoot_sdk.source import Records

RECORDS = Collection(Group.RECORDS)
ROWS = 4
FIELDS = ("kind", "amount")
CODES = ("aa", "bb", "cc")
_MANY = 262_144
_UPRN = pa.array(range(1, ROWS + 1), pa.int64())
_WORDS = pa.array(["aa", "bb", "aa", "bb"])
_AMOUNTS = pa.array([1.5, 2.5, 3.5, 4.5])
_OFFSETS = struct.pack("<5i", 0, 2, 4, 6, 8)
_NAMES = ["uprn", *FIELDS]


def item(columns: bytes, rows: int = ROWS) -> bytes:
    """A message of a stream with columns, as the sound end of the channel would write it."""
    about = {"origin": "extract.csv", "first_row": 1, "rows": rows, "columns": True}
    return message({"reply": "item", **about}) + frame(COLUMNS, columns)


def sound(kind: pa.Array = _WORDS) -> bytes:
    """Four sound records, but for what is given."""
    return stream(_UPRN, kind, _AMOUNTS, names=_NAMES)


def _sends(
    id_: str, title: str, tries: str, columns: Callable[[], bytes], rows: int = ROWS
) -> None:
    def send(at: Targets) -> None:
        write(item(columns(), rows))
        say_nothing_more()

    RECORDS.add(send, id_, title, tries, runs=Runs.RECORDS, must_fail=True)


def _wild(*offsets: int) -> Callable[[], bytes]:
    return lambda: changed(sound(), _OFFSETS, struct.pack("<5i", *offsets))


def _pair(old: tuple[int, int], new: tuple[int, int]) -> Callable[[], bytes]:
    """Sound records in which a pair of numbers of the description is another."""
    return lambda: changed(sound(), struct.pack("<qq", *old), struct.pack("<qq", *new))


def _indexes(*wild: int) -> bytes:
    words = pa.DictionaryArray.from_arrays(pa.array([2, 1, 0, 2], pa.int32()), list(CODES))
    return changed(sound(words), struct.pack("<4i", 2, 1, 0, 2), struct.pack("<4i", *wild))


def _views() -> bytes:
    long = pa.array([f"a text that lies outside {at}" for at in range(ROWS)], pa.string_view())
    whole = sound(long)
    first = struct.pack("<i4sii", 26, b"a te", 0, 0)
    return changed(whole, first, struct.pack("<i4sii", 26, b"a te", 77, 1 << 30))


def _one_text_many_times() -> bytes:
    words = pa.DictionaryArray.from_arrays(np.zeros(_MANY, np.int32), pa.array(["a" * 60_000]))
    numbers = pa.array(np.arange(_MANY))
    return stream(numbers, words, pa.array(np.zeros(_MANY)), names=_NAMES)


def _too_many() -> bytes:
    return stream(
        pa.array(np.arange(_MANY + 1)),
        pa.DictionaryArray.from_arrays(np.zeros(_MANY + 1, np.int8), list(CODES)),
        pa.array(np.zeros(_MANY + 1)),
        names=_NAMES,
    )


_sends("records-offsets-beyond", "Point behind its texts", "Sends offsets that are out of range.",
       _wild(0, 2, 4, 6, 1 << 30))  # fmt: skip
_sends("records-offsets-before", "Point before its texts", "Sends offsets below zero.",
       _wild(-(1 << 30), 2, 4, 6, 8))  # fmt: skip
_sends("records-offsets-back", "Let its texts run backwards", "Sends offsets that go back.",
       _wild(0, 8, 2, 8, 1))  # fmt: skip
_sends("records-indexes-beyond", "Point behind its dictionary", "Sends indexes out of range.",
       lambda: _indexes(99_999, 1, 0, 2))  # fmt: skip
_sends("records-indexes-before", "Point before its dictionary", "Sends indexes below zero.",
       lambda: _indexes(2, -7, 0, 2))  # fmt: skip
_sends("records-no-letters", "Send texts that are none", "Sends bytes that are no UTF-8.",
       lambda: changed(sound(), b"aabbaabb", b"\xff\xfe\xc0\x80aabb"))  # fmt: skip
_sends("records-views", "Point outside by views", "Sends views into a buffer that is not there.",
       _views)  # fmt: skip
_sends("records-short-buffer", "Send less than it says", "Shortens a buffer under its rows.",
       _pair((0, 32), (0, 3)))  # fmt: skip
_sends("records-far-buffer", "Put a buffer outside the frame", "Moves a buffer far behind it.",
       _pair((0, 32), (1 << 40, 32)))  # fmt: skip
_sends("records-less-than-none", "Send a count of rows below zero", "Changes the count.",
       _pair((ROWS, 0), (-ROWS, 0)))  # fmt: skip
_sends("records-lying-nulls", "Lie about values that are missing", "Counts more than there are.",
       _pair((ROWS, 0), (ROWS, 99)))  # fmt: skip
_sends("records-one-text", "Send one long text many times", "Refers to it from every record: the "
       "frame is short, what it stands for is 15 GiB.", _one_text_many_times, _MANY)  # fmt: skip
_sends("records-too-many", "Send more records than a message holds", "Sends one too many.",
       _too_many, _MANY + 1)  # fmt: skip
_sends("records-lying-count", "Say another number of records", "Counts one more than it sends.",
       sound, ROWS + 1)  # fmt: skip
_sends("records-of-others", "Send a column that nobody asked for", "Adds names to the records.",
       lambda: stream(_UPRN, _WORDS, _AMOUNTS, _WORDS, names=[*_NAMES, "name"]))  # fmt: skip
_sends("records-twice", "Send a column twice", "Repeats a name.",
       lambda: stream(_UPRN, _WORDS, _AMOUNTS, _AMOUNTS, names=[*_NAMES, "amount"]))  # fmt: skip
_sends("records-missing", "Leave a column out", "Sends no amounts.",
       lambda: stream(_UPRN, _WORDS, names=_NAMES[:2]))  # fmt: skip
_sends("records-of-another-type", "Send numbers as texts", "Sends amounts as texts.",
       lambda: stream(_UPRN, _WORDS, _WORDS, names=_NAMES))  # fmt: skip
_sends("records-in-records", "Send lists for amounts", "Sends a column of lists.",
       lambda: stream(_UPRN, _WORDS, pa.array([[1.0]] * ROWS), names=_NAMES))  # fmt: skip
_sends("records-compressed", "Send a bomb of records", "Sends compressed columns.",
       lambda: stream(_UPRN, _WORDS, _AMOUNTS, names=_NAMES, compression="lz4"))  # fmt: skip


@RECORDS.attempt("Send nothing without end", runs=Runs.RECORDS, must_fail=True, seconds=90)
def records_without_end(at: Targets) -> Iterator[Records]:
    """Yields batches without a record whenever it is asked for more."""
    empty = pa.table(
        {"uprn": _UPRN.slice(0, 0), "kind": _WORDS.slice(0, 0), "amount": _AMOUNTS.slice(0, 0)}
    )
    return itertools.repeat(Records(empty, "extract.csv"))


@RECORDS.attempt("Send more than it is asked for", runs=Runs.RECORDS, must_fail=True)
def records_unasked(at: Targets) -> None:
    """Writes messages before the host wants the next."""
    item = message({"reply": "item"})
    while True:
        write(item)


@RECORDS.attempt("Reject what is no record", runs=Runs.RECORDS, must_fail=True)
def records_forged_rejection(at: Targets) -> None:
    """Sends rejections of other shapes than the host writes to quarantine."""
    told = [["reject", "../../keys/store.key", 1 << 200, "x", "y", "z"], ["run", "id"]]
    write(message({"reply": "item", "told": told}))
    say_nothing_more()
