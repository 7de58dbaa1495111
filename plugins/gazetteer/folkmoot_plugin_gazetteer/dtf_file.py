"""Reads a Data Transfer Format 7.3 file (BS 7666), in which records of many types are mixed.

A DTF file has no header of column names: each record begins with its type, and each type
has columns of its own. The first record (10) says whose gazetteer it is and whether the
file is whole; the last (99) says how many records there are.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_plugin_extracts.ahead import ahead
from folkmoot_plugin_extracts.batch import Batch
from folkmoot_plugin_extracts.blocks import CHUNK_BYTES, Block, blocks, check_text, decode
from folkmoot_plugin_extracts.records import Mask, blank, without
from folkmoot_plugin_extracts.text_stream import chunks
from folkmoot_sdk import PluginError, ReadContext, Rejection

HEADER, METADATA, TRAILER = 10, 29, 99
RECORD_TYPES = {
    HEADER: "header",
    11: "street",
    12: "street cross reference",
    13: "elementary street unit",
    14: "street and unit cross reference",
    15: "street descriptor",
    21: "property (BLPU)",
    22: "provenance",
    23: "application cross reference",
    24: "address (LPI)",
    METADATA: "metadata",
    30: "successor cross reference",
    31: "organisation",
    32: "classification",
    TRAILER: "trailer",
}
_VERSION = "7.3"
_QUOTE = ord('"')
_STRAY = "has a quote that is neither doubled nor at the beginning or end of its field"
_UNPAIRED = (
    "A text on the line named has no closing quote, often because it holds a line break or a quote "
    "that is not doubled. Correct it in the gazetteer, and export a full supply again"
)
_FETCH = "Export the gazetteer again, as a full supply in DTF 7.3"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one record type that are wanted.

    Attributes:
        width: Number of fields of such a record.
        at: Place of each wanted column, from 0.
    """

    width: int
    at: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TypedBatch:
    """Records of one type.

    Attributes:
        record_type: For example 21.
        batch: The wanted columns as texts, and the rows.
    """

    record_type: int
    batch: Batch


def read_dtf(
    path: Path,
    wanted: Mapping[int, Columns],
    encoding: str,
    context: ReadContext,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[TypedBatch]:
    """Yields the records of the wanted types, in the order of the file within each type.

    A record of an unknown type, with a wrong number of fields or a stray quote is rejected;
    those of other types are counted as left out.

    Raises:
        PluginError: If the file is truncated, holds only changes, is not DTF 7.3, or has
            not as many records as its trailer says.
    """
    reader = _Reader(path, wanted, context)
    stream = chunks(path, encoding, chunk_bytes)
    cut = blocks(path, stream, delimiter=b",", quote=b'"', expected=1, remedy=_UNPAIRED)
    for block in ahead(cut):
        yield from reader.read(block)
    reader.finish()


class _Reader:
    def __init__(self, path: Path, wanted: Mapping[int, Columns], context: ReadContext) -> None:
        self._path = path
        self._wanted = wanted
        self._context = context
        self._begun = False
        self._records = 0
        self._data_records = 0
        self._trailer: tuple[int, list[str]] | None = None

    def read(self, block: Block) -> Iterator[TypedBatch]:
        check_text(self._path, block.text, block.line)
        found = block.found
        empty = blank(block.text, found)
        kinds = _types(block.text, found.starts)
        kinds[empty] = 0
        lines = block.line + (
            np.arange(len(found.ends)) if found.lines is None else found.lines
        ).astype(np.int64)
        stray = np.zeros_like(empty) if found.stray is None else found.stray
        self._check_frame(block, kinds, lines, ~empty)
        fields = np.ones(len(found.ends), np.int64) if found.fields is None else found.fields
        known = np.isin(kinds, list(RECORD_TYPES))
        self._reject(lines[~known & ~empty], "has a record type that DTF 7.3 does not have")
        for kind in RECORD_TYPES:
            of_kind = kinds == kind
            if not of_kind.any():
                continue
            if kind in self._wanted:
                yield from self._batch(block, kind, of_kind, stray, fields, lines)
            elif kind not in (HEADER, METADATA, TRAILER):
                self._context.leave_out(describe(kind), int(of_kind.sum()))

    def finish(self) -> None:
        """Checks that the file is whole."""
        if self._trailer is None:
            raise PluginError(
                str(self._path), "has no trailer (record type 99): it is truncated", _FETCH
            )
        line, trailer = self._trailer
        try:
            stated = int(trailer[2])
        except (IndexError, ValueError):
            raise PluginError(
                f"{self._path}: line {line}", "is a trailer without a record count", _FETCH
            ) from None
        # Suppliers count with or without header, metadata and trailer.
        if not self._data_records <= stated <= self._records:
            raise PluginError(
                f"{self._path}: line {line}",
                f"says that there are {stated} records, but the file has {self._data_records}",
                _FETCH,
            )

    def _check_frame(
        self, block: Block, kinds: npt.NDArray[np.int64], lines: npt.NDArray[np.int64], full: Mask
    ) -> None:
        """Checks that the header is first, and the trailer last."""
        present = np.flatnonzero(full)
        if not len(present):
            return
        if not self._begun:
            self._check_header(block, int(present[0]), int(kinds[present[0]]))
            self._begun = True
        if self._trailer is not None:
            self._after_trailer(int(lines[present[0]]))
        trailers = np.flatnonzero(kinds == TRAILER)
        if len(trailers):
            if trailers[0] != present[-1]:
                self._after_trailer(int(lines[present[np.searchsorted(present, trailers[0]) + 1]]))
            at = int(trailers[0])
            self._trailer = (int(lines[at]), self._values(block, at))
        self._records += len(present)
        frame = np.isin(kinds[present], [HEADER, METADATA, TRAILER])
        self._data_records += len(present) - int(frame.sum())

    def _check_header(self, block: Block, at: int, kind: int) -> None:
        where = f"{self._path}: line {block.line}"
        if kind != HEADER:
            raise PluginError(where, "is not the header of a DTF file (record type 10)", _FETCH)
        header = self._values(block, at)
        version = header[7] if len(header) > 8 else ""
        if not version.startswith(_VERSION):
            raise PluginError(where, "is not the header of a DTF 7.3 file", _FETCH)
        if header[8].upper() != "F":
            raise PluginError(
                where, "says that the file holds changes only, not the whole gazetteer", _FETCH
            )

    def _after_trailer(self, line: int) -> None:
        raise PluginError(
            f"{self._path}: line {line}",
            "stands after the trailer (record type 99)",
            "Give each volume as a file of its own",
        )

    def _values(self, block: Block, at: int) -> list[str]:
        text = block.text[block.found.starts[at] : block.found.ends[at]]
        try:
            return [v.strip() for v in next(csv.reader([decode(self._path, text, block.line)]))]
        except (csv.Error, StopIteration):
            return []

    def _batch(
        self,
        block: Block,
        kind: int,
        of_kind: Mask,
        stray: Mask,
        fields: npt.NDArray[np.int64],
        lines: npt.NDArray[np.int64],
    ) -> Iterator[TypedBatch]:
        columns = self._wanted[kind]
        wrong = of_kind & (fields != columns.width) & ~stray
        self._reject(lines[of_kind & stray], _STRAY)
        for at in np.flatnonzero(wrong):
            reason = f"has {fields[at]} fields, a record of type {kind} has {columns.width}"
            self._reject(lines[[at]], reason)
        sound = of_kind & ~wrong & ~stray
        if not sound.any():
            return
        frame = self._parse(without(block.text, block.found, ~sound), columns)
        rows = lines[sound]
        if frame is None or frame.height != len(rows):
            raise PluginError(
                f"{self._path}: lines {rows[0]} to {rows[-1]}", "cannot be read as CSV", _FETCH
            )
        yield TypedBatch(kind, Batch(frame, int(rows[0]), rows))

    def _parse(self, text: bytes, columns: Columns) -> pl.DataFrame | None:
        ordered = sorted(columns.at, key=lambda name: columns.at[name])
        try:
            frame = pl.read_csv(
                text,
                has_header=False,
                columns=[columns.at[name] for name in ordered],
                infer_schema=False,
            )
        except pl.exceptions.PolarsError:
            return None
        return frame.rename(dict(zip(frame.columns, ordered, strict=True)))

    def _reject(self, lines: npt.NDArray[np.int64], reason: str) -> None:
        if len(lines):
            self._context.reject([Rejection(self._path.name, int(n), "", reason) for n in lines])


def describe(kind: int) -> str:
    """A record type in words, for what is left out."""
    return f"record of type {kind}, {RECORD_TYPES[kind]}"


def _types(text: bytes, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The record type of each record: two digits, with or without quotes; -1 if none."""
    # Bytes beyond the end read as 0, which is no digit.
    data = np.concatenate((np.frombuffer(text, np.uint8), np.zeros(5, np.uint8)))
    quoted = data[starts] == _QUOTE
    first = starts + quoted
    tens, units = data[first].astype(np.int64) - 48, data[first + 1].astype(np.int64) - 48
    after = data[first + 2]
    closed = np.where(quoted, (after == _QUOTE) & (data[first + 3] == ord(",")), after == ord(","))
    digits = (tens >= 0) & (tens <= 9) & (units >= 0) & (units <= 9)
    return np.where(digits & closed, tens * 10 + units, -1)
