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
_UNMARKED = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_ONE_BYTE = ("cp1252", "latin-1")
_GZIP = b"\x1f\x8b"


def chunks(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    """Yields the file's text as UTF-8, without a byte order mark.

    Chunks end anywhere, also within a character. UTF-8 is passed on unchecked: whoever
    cuts it into lines says in which line it is wrong.

    Args:
        path: The file; decompressed if it is compressed by gzip, or its name ends in `.gz`.
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
    if path.name.lower().endswith(".gz"):
        return gzip.open(path)
    with path.open("rb") as file:
        begins = file.read(len(_GZIP))
    return gzip.open(path) if begins == _GZIP else path.open("rb")


def _decoded(path: Path, encoding: str, raw: Iterator[bytes]) -> Iterator[bytes]:
    first = next(raw, b"")
    first = first.removeprefix(_UNMARKED.get(encoding, b""))
    for mark, name in _MARKS.items():
        if first.startswith(mark) and name != encoding.removesuffix("-sig"):
            raise PluginError(
                f"{path}: line 1, byte 1",
                f"has the byte order mark of {name}, but `encoding` is {encoding}",
                f'Set encoding = "{name}"',
            )
    _check_unmarked(path, encoding, first)
    if encoding in ("utf-8", "utf-8-sig"):
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from raw
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    misread = _Misread(path, encoding)
    line, offset, chunk = 1, 1, first
    while True:
        following = next(raw, b"")
        misread.look(chunk, final=not following)
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


def _check_unmarked(path: Path, encoding: str, first: bytes) -> None:
    """Refuses UTF-16 without a byte order mark that `encoding` would misread.

    Raises:
        PluginError: With the encoding to set.
    """
    marked = encoding == "utf-16" and first.startswith(tuple(_UNMARKED.values()))
    seems = unmarked(first[:4096])
    if marked or seems == encoding:
        return
    if seems:
        raise PluginError(
            f"{path}: line 1",
            "has a zero byte beside each letter: it is UTF-16 without a byte order mark, but "
            f"`encoding` is {encoding}",
            f'Set encoding = "{seems}"',
        )
    if encoding in _UNMARKED and first and b"\0" not in first:
        raise PluginError(
            f"{path}: line 1",
            f"is not {encoding}: UTF-16 has a zero byte beside each delimiter",
            "Set `encoding` to what the file is written in; try utf-8 or cp1252",
        )


def unmarked(sample: bytes) -> str:
    """The UTF-16 in which a text seems to be written; empty if it is another encoding.

    Most of what a table holds is ASCII: one of its two bytes is zero, always on the same side.
    """
    even, odd = sample[0::2], sample[1::2]
    for low, high, name in ((even, odd, "utf-16-le"), (odd, even, "utf-16-be")):
        if 2 * high.count(0) > len(high) and 10 * low.count(0) <= len(low):
            return name
    return ""


class _Misread:
    """Finds UTF-8 that is about to be read one byte at a time.

    Text in cp1252 or latin-1 that is not plain ASCII is hardly ever sound UTF-8 as well; read so,
    a pound sign becomes two characters without an error.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        self._path = path
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._looks = encoding in _ONE_BYTE

    def look(self, chunk: bytes, *, final: bool) -> None:
        """Looks at the next bytes, until the encoding is certain.

        Raises:
            PluginError: If they are UTF-8.
        """
        if not self._looks:
            return
        try:
            text = self._decoder.decode(chunk, final=final)
        except UnicodeDecodeError:
            self._looks = False
            return
        if not text.isascii():
            raise PluginError(
                str(self._path),
                f"is written in UTF-8, but `encoding` is {self._encoding}",
                'Set encoding = "utf-8"',
            )
