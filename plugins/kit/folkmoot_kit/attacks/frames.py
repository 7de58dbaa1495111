"""Frames that a hostile plugin writes to the channel itself, past what runs beside it."""

from __future__ import annotations

import gc
import json
import os
import struct
import threading
from typing import Any

import pyarrow as pa

from folkmoot_kit.attacks.attempts import GIVEN, NotMade, say

JSON, COLUMNS = 1, 2
_HEADER = "<4sIII"
_MAGIC = b"FMK1"


def this_call() -> int:
    """The number of the call that is being answered: the latest message in memory has it."""
    held = (one for one in gc.get_objects() if type(one).__name__ == "Message")
    # Another thread may be making one, which has no number yet.
    calls = [number for one in held if (number := getattr(one, "call", 0))]
    if not calls:
        raise NotMade("no message is in memory")
    return int(max(calls))


def frame(kind: int, content: bytes, call: int | None = None, *, magic: bytes = _MAGIC,
          length: int | None = None) -> bytes:  # fmt: skip
    """A frame; each part of its header may be wrong."""
    number = this_call() if call is None else call
    said = len(content) if length is None else length
    return struct.pack(_HEADER, magic, kind, number, said) + content


def message(body: Any, call: int | None = None) -> bytes:
    """A frame of JSON."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return frame(JSON, text, call)


def done(columns: bytes) -> bytes:
    """An answer with columns, as the sound end of the channel would write it."""
    return message({"reply": "done", "columns": True}) + frame(COLUMNS, columns)


def write(content: bytes) -> None:
    """Writes to the channel."""
    view = memoryview(content)
    while view:
        view = view[os.write(0, view) :]


def say_nothing_more() -> None:
    """Says that all has been given, and waits until the process is ended."""
    say(GIVEN)
    threading.Event().wait()


def stream(*arrays: pa.Array, names: list[str] | None = None, **options: Any) -> bytes:
    """An Arrow stream of one batch, not validated."""
    names = names or [str(at) for at in range(len(arrays))]
    return stream_of([pa.RecordBatch.from_arrays(list(arrays), names)], **options)


def stream_of(batches: list[pa.RecordBatch], **options: Any) -> bytes:
    """An Arrow stream of batches of the same columns."""
    sink = pa.BufferOutputStream()
    writing = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_stream(sink, batches[0].schema, options=writing) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue())


def thousandths(count: int, value: int = 500) -> pa.Array:
    """Scores as they cross the channel: int16, one for each household, none unknown."""
    return pa.array([value] * count, pa.int16())


def changed(whole: bytes, old: bytes, new: bytes) -> bytes:
    """The same bytes with one piece replaced by another of its length, wherever it stands.

    Raises:
        NotMade: If it stands nowhere: the attempt would show nothing.
    """
    if old not in whole or len(old) != len(new):
        raise NotMade("the library writes columns in another way")
    return whole.replace(old, new)
