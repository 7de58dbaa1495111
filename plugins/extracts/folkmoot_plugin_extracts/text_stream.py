"""The bytes of a text file, decompressed and as UTF-8, a chunk at a time."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from folkmoot_sdk import PluginError

_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8"}


def chunks(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    """Yields the file's text as UTF-8, without a byte order mark.

    Chunks end anywhere, also within a character. UTF-8 is passed on unchecked: whoever
    cuts it into lines says in which line it is wrong.

    Args:
        path: The file; decompressed if its name ends in `.gz`.
        encoding: One of `dialect.ENCODINGS`.
        size: Bytes of a chunk, before decoding.

    Raises:
        PluginError: If the file is missing, truncated, damaged or not in this encoding.
    """
    # The first chunk must hold a whole byte order mark.
    yield from _decoded(path, encoding, _raw(path, max(size, 4)))


def _raw(path: Path, size: int) -> Iterator[bytes]:
    try:
        with _opened(path) as file:
            while chunk := file.read(size):
                yield chunk
    except EOFError:
        raise PluginError(
            str(path), "is truncated: the gzip stream has no end", "Fetch the file again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise PluginError(
            str(path), f"is not a sound gzip file ({error})", "Fetch the file again"
        ) from None
    except OSError as error:
        raise PluginError(
            str(path), f"cannot be read ({error.strerror})", "Check the path and permissions"
        ) from None


def _opened(path: Path) -> gzip.GzipFile | IO[bytes]:
    return gzip.open(path) if path.name.endswith(".gz") else path.open("rb")


def _decoded(path: Path, encoding: str, raw: Iterator[bytes]) -> Iterator[bytes]:
    first = next(raw, b"")
    for mark, name in _MARKS.items():
        if first.startswith(mark) and name != encoding.removesuffix("-sig"):
            raise PluginError(
                f"{path}: line 1, byte 1",
                f"has the byte order mark of {name}, but `encoding` is {encoding}",
                f'Set encoding = "{name}"',
            )
    if encoding in ("utf-8", "utf-8-sig"):
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from raw
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    line, offset, chunk = 1, 1, first
    while True:
        following = next(raw, b"")
        try:
            text = decoder.decode(chunk, final=not following)
        except UnicodeDecodeError as error:
            sound = error.object[: error.start].decode(encoding, errors="ignore")
            other = "utf-16, utf-8 or latin-1" if encoding == "cp1252" else "utf-8 or cp1252"
            raise PluginError(
                f"{path}: line {line + sound.count(chr(10))}, byte {offset + error.start}",
                f"is not {encoding} ({error.reason})",
                f"Set `encoding` to what the file is written in; try {other}",
            ) from None
        except UnicodeError:
            raise PluginError(
                str(path),
                "is not UTF-16: it begins without a byte order mark",
                "Set `encoding` to what the file is written in; try utf-8 or cp1252",
            ) from None
        line += text.count("\n")
        offset += len(chunk)
        yield text.encode("utf-8")
        if not following:
            return
        chunk = following
