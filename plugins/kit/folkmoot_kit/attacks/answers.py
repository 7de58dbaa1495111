"""Attempts to have the host take a wrong answer: scores, columns, explanations, errors."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from folkmoot_kit.attacks.attempts import Collection, Group, Runs, Targets
from folkmoot_kit.attacks.frames import (
    changed,
    done,
    message,
    say_nothing_more,
    stream,
    stream_of,
    thousandths,
    write,
)
from folkmoot_sdk.errors import PluginError

ANSWERS = Collection(Group.ANSWERS)
attempt = ANSWERS.attempt
_ROWS = 4
_BYTES = 2 * _ROWS
"""Of a column of scores."""


def _columns(id_: str, title: str, tries: str, columns: Callable[[], bytes]) -> None:
    """An attempt that answers with columns of its own making."""

    def answer(at: Targets) -> None:
        write(done(columns()))
        say_nothing_more()

    ANSWERS.add(answer, id_, title, tries, must_fail=True)


def _changed(old: tuple[int, int], new: tuple[int, int]) -> Callable[[], bytes]:
    """Sound scores in which a pair of numbers of the description is another."""
    return lambda: changed(
        stream(thousandths(_ROWS)), struct.pack("<qq", *old), struct.pack("<qq", *new)
    )


def _wild_dictionary() -> bytes:
    wild = pa.array([0, 99_999, -3, 1 << 30], pa.int32())
    return stream(pa.DictionaryArray.from_arrays(wild, pa.array(["a"]), safe=False))


def _many_rows() -> bytes:
    return changed(stream(pa.nulls(12_345)), struct.pack("<q", 12_345), struct.pack("<q", 1 << 61))


def _compressed() -> bytes:
    zeros = pa.array(np.zeros(16 << 20, np.int32))
    return stream(zeros, compression="zstd")


def _many_fields() -> bytes:
    sink = pa.BufferOutputStream()
    schema = pa.schema([pa.field(str(at), pa.int32()) for at in range(1_000_000)])
    with pa.ipc.new_stream(sink, schema):
        pass
    return bytes(sink.getvalue())


def _deep_type() -> bytes:
    nested = pa.int32()
    for _ in range(60):
        nested = pa.list_(nested)
    return stream(pa.nulls(_ROWS, nested))


def _many_batches() -> bytes:
    empty = pa.RecordBatch.from_arrays([thousandths(0)], ["0"])
    return stream_of([empty] * 100_000)


def _damaged(place: int) -> bytes:
    whole = bytearray(stream(thousandths(_ROWS)))
    for at in range(place, len(whole) - 8, 37):
        whole[at] ^= 0xFF
    return bytes(whole)


def _two_schemas() -> bytes:
    other = stream(pa.array(["x"] * _ROWS))
    return stream(thousandths(_ROWS))[:-8] + other


_columns("wrong-type-of-columns", "Answer with texts for scores", "Sends strings.",
         lambda: stream(pa.array(["0.5"] * _ROWS)))  # fmt: skip
_columns("floats-for-scores", "Answer with scores of full precision",
         "Sends float64, whose low digits carry what no score needs.",
         lambda: stream(pa.array([0.123456789] * _ROWS)))  # fmt: skip
_columns("too-high", "Answer with a score above one", "Sends 1,001 thousandths.",
         lambda: stream(thousandths(_ROWS, 1001)))  # fmt: skip
_columns("too-low", "Answer with a score below zero", "Sends -1 thousandths.",
         lambda: stream(thousandths(_ROWS, -1)))  # fmt: skip
_columns("more-rows", "Answer for more households", "Sends one row too many.",
         lambda: stream(thousandths(_ROWS + 1)))  # fmt: skip
_columns("fewer-rows", "Answer for fewer households", "Sends one row too few.",
         lambda: stream(thousandths(_ROWS - 1)))  # fmt: skip
_columns("more-columns", "Answer for factors that nobody asked", "Sends a second column.",
         lambda: stream(thousandths(_ROWS), thousandths(_ROWS)))  # fmt: skip
_columns("other-columns", "Answer for another factor", "Sends a column of another name.",
         lambda: stream(thousandths(_ROWS), names=["1"]))  # fmt: skip
_columns("no-columns", "Answer with no columns at all", "Sends an Arrow stream of none.",
         lambda: stream_of([pa.RecordBatch.from_arrays([], names=[])]))  # fmt: skip
_columns("short-buffers", "Promise more rows than it sends", "Shortens a buffer under its rows.",
         _changed((0, _BYTES), (0, 3)))  # fmt: skip
_columns("far-buffers", "Put its scores outside the frame", "Moves a buffer far behind it.",
         _changed((0, _BYTES), (1 << 40, _BYTES)))  # fmt: skip
_columns("rows-below-zero", "Answer with less than no rows", "Changes the number of rows.",
         _changed((_ROWS, 0), (-_ROWS, 0)))  # fmt: skip
_columns("wild-dictionary", "Point outside its dictionary",
         "Sends indexes for which there are no words.", _wild_dictionary)  # fmt: skip
_columns("many-rows", "Answer with 2,305,843,009,213,693,952 rows",
         "Sends a column that needs no memory and claims to be that long.", _many_rows)  # fmt: skip
_columns("many-nulls", "Lie about unknown values", "Counts more unknown scores than there are.",
         _changed((_ROWS, 0), (_ROWS, 99)))  # fmt: skip
_columns("compressed", "Send a bomb", "Sends a short frame that unpacks to 64 MiB.", _compressed)
_columns("many-fields", "Answer with a million columns", "Sends a schema of a million fields.",
         _many_fields)  # fmt: skip
_columns("deep-type", "Answer with columns in columns", "Sends lists of lists, 60 deep.",
         _deep_type)  # fmt: skip
_columns("many-batches", "Answer in a hundred thousand pieces", "Sends batches of no rows.",
         _many_batches)  # fmt: skip
_columns("two-schemas", "Change the columns on the way", "Sends a second schema.", _two_schemas)
_columns("trailing-bytes", "Hide something behind the columns", "Sends bytes after their end.",
         lambda: stream(thousandths(_ROWS)) + b"hidden" * 10)  # fmt: skip
_columns("no-arrow", "Answer with no Arrow at all", "Sends a text.", lambda: b"0.5,0.5\n" * 8)
_columns("nothing-for-columns", "Answer with empty columns", "Sends a frame of no bytes.",
         lambda: b"")  # fmt: skip


def _damages(place: int) -> None:
    _columns(f"damaged-{place}", f"Damage its columns ({place})",
             "Turns bits in each part of an Arrow stream.", lambda: _damaged(place))  # fmt: skip


for _place in (0, 5, 11, 23, 31):
    _damages(_place)


@attempt("Have the host unpickle", must_fail=True)
def unpickle(at: Targets) -> None:
    """Hides a program in the metadata of a column, which older Arrow libraries ran when they read
    it.
    """
    left = at.places["tmp"]
    hostile = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": f"cposix\nsystem\n(S'touch {left}'\ntR.".encode(),
    }
    field = pa.field("0", pa.int16(), metadata=hostile)
    batch = pa.RecordBatch.from_arrays([thousandths(_ROWS)], schema=pa.schema([field]))
    write(done(stream_of([batch])))
    say_nothing_more()


@attempt("Hide a note in the columns' metadata", must_fail=True)
def hide_metadata(at: Targets) -> None:
    """Answers with sound scores, and with text in the metadata of the schema."""
    schema = pa.schema([pa.field("0", pa.int16())], metadata={"note": at.secret})
    batch = pa.RecordBatch.from_arrays([thousandths(_ROWS)], schema=schema)
    write(done(stream_of([batch])))
    say_nothing_more()


def _scores(id_: str, title: str, tries: str, made: Callable[[], object]) -> None:
    ANSWERS.add(lambda at: made(), id_, title, tries, runs=Runs.SCORES, must_fail=True)


class _Lies(np.ndarray[Any, Any]):
    """An array that says something else about itself each time."""

    def __len__(self) -> int:
        return _ROWS


_scores("infinite", "Score infinity", "Returns a score that is no number.",
        lambda: np.full(_ROWS, np.inf))  # fmt: skip
_scores("above-one", "Score more than one", "Returns 1.5.", lambda: np.full(_ROWS, 1.5))
_scores("wrong-rows", "Score too many households", "Returns one score more than asked for.",
        lambda: np.full(_ROWS + 1, 0.5))  # fmt: skip
_scores("no-array", "Return what is no array", "Returns a text.", lambda: "0.5")
_scores("objects", "Return objects", "Returns an array of objects of Python.",
        lambda: np.array([object()] * _ROWS))  # fmt: skip
_scores("huge", "Return a hundred million scores", "Returns far more scores than households.",
        lambda: np.broadcast_to(np.float64(0.5), (100_000_000,)))  # fmt: skip
_scores("lying-array", "Return an array that lies about its length", "Hides its true shape.",
        lambda: np.full(_ROWS + 3, 0.5).view(_Lies))  # fmt: skip


def _explains(id_: str, title: str, tries: str, text: object, *, must_fail: bool = False) -> None:
    ANSWERS.add(lambda at: text, id_, title, tries, runs=Runs.EXPLANATION, must_fail=must_fail)


_explains("escapes", "Write over the operator's screen", "Explains in control codes.",
          "paid \x1b[2J\x1b]0;owned\x07\x1b[31m\r\b\x00")  # fmt: skip
_explains("c1-controls", "Write over the screen in one sign", "Uses the control codes above 127.",
          "paid \x9b2J \x85 \x90")  # fmt: skip
_explains("direction", "Turn the text around", "Explains with signs that change its direction.",
          "score \u202e001 ot 0\u202c \u2066\u2069")  # fmt: skip
_explains("hidden-signs", "Hide letters in an explanation",
          "Writes signs that nobody sees, which can carry a record.",
          "paid" + "\u200b\u200c\u200d\u2060\ufeff" + "\U000e0041\U000e0042")  # fmt: skip
_explains("lines", "Forge lines of a report", "Explains in many lines.", "paid\n\nApproved: yes\n")
_explains("long-explanation", "Explain in ten million letters", "Returns a very long text.",
          "x" * 10_000_000)  # fmt: skip
_explains("surrogates", "Explain in half a letter", "Returns a text that no file can hold.",
          "paid \ud800\udfff")  # fmt: skip
_explains("no-text", "Explain in no text", "Returns a number.", 7, must_fail=True)


@attempt("Quote a record in an error", must_fail=True, raises=True)
def quote_in_message(at: Targets) -> None:
    """Raises an error whose text is a record."""
    raise ValueError(at.secret)


@attempt("Quote a record in the name of an error", must_fail=True, raises=True)
def quote_in_type(at: Targets) -> None:
    """Raises an error whose class is named after a record."""
    raise type(f"Of{at.secret}", (Exception,), {})


@attempt("Quote a record in the name of a file", must_fail=True, raises=True)
def quote_in_file(at: Targets) -> None:
    """Raises an error in code that says it comes from a file named after a record."""
    folder = Path(__file__).parents[2]
    exec(compile("1 / 0", f"{folder}/{at.secret}.py", "exec"))  # noqa: S102


@attempt("Quote a record in an error for people", must_fail=True, raises=True)
def quote_in_plugin_error(at: Targets) -> None:
    """Raises the SDK's own error, with a record in each of its parts."""
    raise PluginError(at.secret, at.secret, at.secret)


@attempt("Quote a record in a forged error", must_fail=True)
def quote_in_frame(at: Targets) -> None:
    """Writes an error to the channel itself, of every kind, with a record in each part."""
    told = {"where": at.secret, "problem": at.secret, "remedy": at.secret, "transient": True}
    write(message({"reply": "error", "at": 0, "error": {"kind": "plugin_error", **told}}))
    say_nothing_more()


@attempt("Quote a record in a forged breach", must_fail=True)
def quote_in_breach(at: Targets) -> None:
    """Writes to the channel that a contract was broken, with a record as what was found."""
    told = {"kind": "breach", "breach": "wrong_type", "found": at.secret}
    write(message({"reply": "error", "at": 0, "error": told}))
    say_nothing_more()
