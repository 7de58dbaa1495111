"""Attempts to confuse the host through the channel."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable

from folkmoot_kit.attacks.attempts import Collection, Group, Targets
from folkmoot_kit.attacks.frames import (
    COLUMNS,
    JSON,
    done,
    frame,
    message,
    say_nothing_more,
    stream,
    this_call,
    thousandths,
    write,
)

CHANNEL = Collection(Group.CHANNEL)
_SHORT = 1.5
_ROWS = 4
"""Households of the call in which attempts are made."""


def _sends(
    id_: str, title: str, tries: str, content: Callable[[], bytes], *, seconds: float = 20
) -> None:
    """An attempt that writes something to the channel, and then answers no more."""

    def send(at: Targets) -> None:
        write(content())
        say_nothing_more()

    CHANNEL.add(send, id_, title, tries, must_fail=True, seconds=seconds)


def _deep() -> bytes:
    return message(b'{"reply":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}")


def _announced() -> bytes:
    return message({"reply": "done", "columns": True})


def _sound() -> bytes:
    return done(stream(thousandths(_ROWS)))


_sends("wrong-mark", "Send what is no frame", "Writes a header with another mark.",
       lambda: frame(JSON, b"{}", magic=b"GET "))  # fmt: skip
_sends("text-on-channel", "Print to the channel", "Writes a text to the channel.",
       lambda: b"score: 0.5\n" * 100)  # fmt: skip
_sends("wrong-kind", "Send a frame of an unknown kind", "Writes a kind that there is not.",
       lambda: frame(77, b"{}"))  # fmt: skip
_sends("long-message", "Announce a message of 4 GiB", "Writes a length that no message has.",
       lambda: frame(JSON, b"{", length=0xFFFFFFFF))  # fmt: skip
_sends("long-columns", "Announce columns of 4 GiB", "Writes a length that no columns have.",
       lambda: _announced() + frame(COLUMNS, b"", length=0xFFFFFFFF))  # fmt: skip
_sends("half-frame", "Send half a frame", "Writes less than it has announced, and waits.",
       lambda: frame(JSON, b'{"reply":', length=100), seconds=_SHORT)  # fmt: skip
_sends("missing-columns", "Send no columns", "Announces columns, and sends another message.",
       lambda: _announced() + message({"reply": "done"}))  # fmt: skip
_sends("columns-alone", "Send columns without a message", "Writes columns first.",
       lambda: frame(COLUMNS, stream(thousandths(_ROWS))))  # fmt: skip
_sends("columns-of-another-call", "Send another call's columns", "Changes the number on the way.",
       lambda: _announced()
       + frame(COLUMNS, stream(thousandths(_ROWS)), this_call() + 7))  # fmt: skip
_sends("no-object", "Send a message that is no object", "Writes a list.", lambda: message([1, 2]))
_sends("no-json", "Send a message that is no JSON", "Writes bytes that are no text.",
       lambda: message(b"\xff\xfe{}"))  # fmt: skip
_sends("deep-message", "Nest a message a million deep", "Writes lists within lists.", _deep)
_sends("long-number", "Send a number of a million digits", "Writes what takes long to read.",
       lambda: message(b'{"reply":' + b"9" * 1_000_000 + b"}"))  # fmt: skip
_sends("no-number", "Send a number that is none", "Writes NaN in a message.",
       lambda: message(b'{"reply":"done","at":NaN}'))  # fmt: skip
_sends("wrong-word", "Answer with an unknown word", "Writes a kind of answer that there is not.",
       lambda: message({"reply": "execute"}))  # fmt: skip
_sends("empty-answer", "Answer with nothing", "Writes an empty object.", lambda: message({}))
_sends("no-scores", "Answer without scores", "Says that it is done, and sends no columns.",
       lambda: message({"reply": "done"}))  # fmt: skip
_sends("forged-start", "Say again that it is ready", "Forges the first message of a process.",
       lambda: message({"reply": "ready"}, 0))  # fmt: skip
_sends("forged-start-in-call", "Say that it is ready, as an answer", "Answers a call with it.",
       lambda: message({"reply": "ready"}))  # fmt: skip
_sends("another-call", "Answer a call that nobody made", "Writes a number far ahead.",
       lambda: message({"reply": "done"}, 1 << 30))  # fmt: skip
_sends("stream-unasked", "Send records that nobody asked for", "Answers with items of a stream.",
       lambda: message({"reply": "item"}) * 10_000)  # fmt: skip
_sends("forged-error", "Forge an error of another kind", "Answers with an error without parts.",
       lambda: message({"reply": "error", "at": 99, "error": {"kind": "raised"}}))  # fmt: skip
_sends("forged-place", "Blame a factor that is not there", "Answers with a place below zero.",
       lambda: message({"reply": "error", "at": -1, "error": {
           "kind": "raised", "type": ["x"], "file": 3, "line": "y"}}))  # fmt: skip

attempt = CHANNEL.attempt


@attempt("Answer twice")
def answer_twice(at: Targets) -> None:
    """Answers a call, and the same call once more with other scores, before the next is made.

    The first answer counts; the second ends the process.
    """
    write(_sound() + done(stream(thousandths(_ROWS, 999))))
    say_nothing_more()


@attempt("Answer byte by byte", must_fail=True, seconds=_SHORT)
def answer_slowly(at: Targets) -> None:
    """Sends a byte now and then, so that the host sees that something comes."""
    whole = frame(JSON, b" " * 100_000)
    for place in range(len(whole)):
        write(whole[place : place + 1])
        sum(range(200_000))


@attempt("Send without end", must_fail=True, seconds=_SHORT)
def flood_channel(at: Targets) -> None:
    """Writes sound messages to calls that were never made, without end."""
    block = message({"reply": "item", "about": "x" * 1000}, 1 << 30) * 100
    while True:
        write(block)


@attempt("Close the channel", must_fail=True)
def close_channel(at: Targets) -> None:
    """Closes its end, and goes on."""
    socket.socket(fileno=os.dup(0)).shutdown(socket.SHUT_RDWR)
    os.close(0)
    say_nothing_more()


@attempt("Close half of the channel", must_fail=True)
def close_half(at: Targets) -> None:
    """Closes its way out alone, and goes on."""
    socket.socket(fileno=os.dup(0)).shutdown(socket.SHUT_WR)
    say_nothing_more()


@attempt("Leave in the middle of a frame", must_fail=True)
def leave_in_frame(at: Targets) -> None:
    """Writes half an answer, and ends with a code that looks like success."""
    write(_sound()[:-40])
    os._exit(0)


@attempt("Leave after a sound answer", must_fail=True)
def leave_after_answer(at: Targets) -> None:
    """Sends a length that is one byte too long for what follows, and ends."""
    columns = stream(thousandths(_ROWS))
    write(_announced())
    write(frame(COLUMNS, columns, length=len(columns) + 1))
    os._exit(0)


@attempt("Write from two threads at once")
def write_from_threads(at: Targets) -> None:
    """Mixes the bytes of two answers. If one comes whole it counts, and the rest is no answer."""
    whole = _sound()

    def half(content: bytes) -> None:
        for place in range(len(content)):
            write(content[place : place + 1])

    threads = [threading.Thread(target=half, args=(part,)) for part in (whole, whole[::-1])]
    for thread in threads:
        thread.start()
    say_nothing_more()
