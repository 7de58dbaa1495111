"""Looks at the messages of an Arrow stream before Arrow does.

Arrow decompresses what says that it is compressed, to whatever size that names, and has no setting
against it. So the metadata of each message, a FlatBuffer, is read here as far as that field. Source
of the layout: https://arrow.apache.org/docs/format/Columnar.html (encapsulated messages) and
`Message.fbs`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from folkmoot_kit.channel.frames import FrameError

MOST_MESSAGES = 10_000
"""Messages of one stream. Each costs Arrow far more memory, and us more time, than it is long."""
_CONTINUATION = 0xFFFFFFFF
_SCHEMA, _DICTIONARY, _RECORDS = 1, 2, 3
_LONGEST_METADATA = 4 << 20

# Positions of fields in the tables of Message.fbs.
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3
_BATCH_COMPRESSION = 3
_DICTIONARY_DATA = 1
_DICTIONARY_IS_DELTA = 2


def check_plain(content: memoryview) -> None:
    """Refuses a stream that is not one schema, dictionaries, and record batches, all uncompressed.

    Raises:
        FrameError: If it is anything else.
    """
    kinds = []
    try:
        for metadata in _messages(content):
            kinds.append(_kind(metadata))
            if len(kinds) > MOST_MESSAGES:
                raise FrameError("a frame of columns comes in too many pieces")
    except (struct.error, IndexError):
        raise FrameError("a frame holds no Arrow columns") from None
    if kinds[:1] != [_SCHEMA] or _SCHEMA in kinds[1:]:
        raise FrameError("a frame of columns has not one schema")


def _messages(content: memoryview) -> Iterator[memoryview]:
    """The metadata of each message up to the end of the stream."""
    at = 0
    while at < len(content):
        marker, length = struct.unpack_from("<II", content, at)
        if marker != _CONTINUATION or length > _LONGEST_METADATA:
            raise FrameError("a frame holds no Arrow columns")
        at += 8
        if length == 0:
            if at != len(content):
                raise FrameError("a frame goes on after its columns")
            return
        metadata = content[at : at + length]
        if len(metadata) < length:
            raise FrameError("a frame ended in its columns")
        yield metadata
        at += length + _body_length(metadata)
    if at > len(content):
        raise FrameError("a frame ended in its columns")


def _root(metadata: memoryview) -> int:
    (root,) = struct.unpack_from("<I", metadata, 0)
    return int(root)


def _body_length(metadata: memoryview) -> int:
    place = _field(metadata, _root(metadata), _BODY_LENGTH)
    if place is None:
        return 0
    (length,) = struct.unpack_from("<q", metadata, place)
    if length < 0:
        raise FrameError("a frame holds no Arrow columns")
    return int(length)


def _kind(metadata: memoryview) -> int:
    root = _root(metadata)
    at = _field(metadata, root, _HEADER_TYPE)
    header = _table(metadata, root, _HEADER)
    if at is None or header is None:
        raise FrameError("a frame holds no Arrow columns")
    kind = metadata[at]
    if kind not in (_SCHEMA, _DICTIONARY, _RECORDS):
        raise FrameError("a frame holds something else than columns")
    if kind == _DICTIONARY:
        if _field(metadata, header, _DICTIONARY_IS_DELTA) is not None:
            raise FrameError("a dictionary comes in parts")
        data = _table(metadata, header, _DICTIONARY_DATA)
        if data is None:
            raise FrameError("a dictionary is empty")
        header = data
    if kind != _SCHEMA and _field(metadata, header, _BATCH_COMPRESSION) is not None:
        raise FrameError("a frame holds compressed columns")
    return kind


def _field(metadata: memoryview, table: int, position: int) -> int | None:
    """Where a field of a table stands; None if it is left at its default."""
    (back,) = struct.unpack_from("<i", metadata, table)
    vtable = table - back
    if vtable < 0:
        raise FrameError("a frame holds no Arrow columns")
    (size,) = struct.unpack_from("<H", metadata, vtable)
    entry = 4 + 2 * position
    if entry + 2 > size:
        return None
    (offset,) = struct.unpack_from("<H", metadata, vtable + entry)
    return table + int(offset) if offset else None


def _table(metadata: memoryview, table: int, position: int) -> int | None:
    """Where the table stands to which a field of a table points."""
    place = _field(metadata, table, position)
    if place is None:
        return None
    (forward,) = struct.unpack_from("<I", metadata, place)
    return place + int(forward)
