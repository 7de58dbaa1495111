"""Cuts the text of a delimited file into blocks of whole records, and checks the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from folkmoot_plugin_extracts.records import Layout, layout
from folkmoot_sdk import PluginError

CHUNK_BYTES = 16 << 20
"""Bytes read at once: enough to keep Polars busy, little beside the node's memory."""
MAXIMUM_RECORD_BYTES = 64 << 20
"""No record is this long; a quote that is never closed is."""
UNPAIRED = (
    "Double each quote that stands inside a quoted field, and close each field; or set "
    'quote = "" if the file puts no quotes around texts'
)


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records of a file.

    Attributes:
        text: Their text, in UTF-8.
        found: Where they are in it.
        line: Line of the first, from 1.
        ended: False if the last record of the file lacks its line end.
    """

    text: bytes
    found: Layout
    line: int
    ended: bool = True


def blocks(
    path: Path,
    stream: Iterator[bytes],
    *,
    delimiter: bytes,
    quote: bytes,
    expected: int,
    rest: bytes = b"",
    line: int = 1,
    remedy: str = UNPAIRED,
) -> Iterator[Block]:
    """Yields the records of a file, block by block.

    Args:
        path: The file, for messages.
        stream: Its text in UTF-8, in chunks that end anywhere.
        delimiter: One byte.
        quote: One byte, or none.
        expected: Number of fields that records should have.
        rest: Text before the stream's.
        line: Line at which it begins.
        remedy: What to do about a quote that is not closed.

    Raises:
        PluginError: If a quoted field is never closed.
    """
    for chunk in stream:
        text = rest + chunk
        found = layout(text, delimiter, quote, expected)
        rest = text[found.size :]
        if found.size:
            yield Block(text[: found.size], found, line)
            line += found.line_count
        check_length(path, rest, line, remedy)
    if rest:
        # The header's chunk may hold the whole file; its end may lack a line feed.
        ended = rest.endswith(b"\n")
        text = rest if ended else rest + b"\n"
        found = layout(text, delimiter, quote, expected)
        if found.size < len(text):
            raise PluginError(
                f"{path}: line {line + found.line_count}",
                "begins a quoted field that is never closed: the file is truncated or a quote "
                "is not doubled",
                f"Fetch the file again. {remedy}",
            )
        yield Block(text, found, line, ended)


def check_length(path: Path, text: bytes, line: int, remedy: str = UNPAIRED) -> None:
    """Refuses a record that is too long to be one.

    Raises:
        PluginError: If it is.
    """
    if len(text) > MAXIMUM_RECORD_BYTES:
        raise PluginError(
            f"{path}: line {line}",
            f"begins a record of more than {MAXIMUM_RECORD_BYTES >> 20} MiB: a quote is not closed",
            remedy,
        )


def check_text(path: Path, block: bytes, line: int) -> None:
    """Refuses zero bytes and what is not UTF-8.

    Raises:
        PluginError: With line and byte.
    """
    if b"\0" in block:
        at = line + block.count(b"\n", 0, block.index(b"\0"))
        where = f"{path}: line {at}"
        raise PluginError(where, "holds a zero byte", "Fetch or export the file again")
    if not block.isascii():
        decode(path, block, line)


def decode(path: Path, text: bytes, line: int) -> str:
    """The text, which begins at a line.

    Raises:
        PluginError: With line and byte, if it is not UTF-8.
    """
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        at = line + text.count(b"\n", 0, error.start)
        begin = text.rfind(b"\n", 0, error.start) + 1
        raise PluginError(
            f"{path}: line {at}, byte {error.start - begin + 1}",
            f"is not UTF-8 (byte {text[error.start]:#04x})",
            "Set `encoding` to what the file is written in; try cp1252",
        ) from None
