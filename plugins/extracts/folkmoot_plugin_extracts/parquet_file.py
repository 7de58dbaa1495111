"""Reads the wanted columns of a Parquet file, with the number of every record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts import digests
from folkmoot_plugin_extracts.batch import Batch, check_columns
from folkmoot_sdk import PluginError

BATCH_ROWS = 500_000
"""Rows decoded at once."""

# A damaged file makes Polars raise what its decoder happens to trip over, panics included.
_DAMAGE = (Exception, pl.exceptions.PanicException)


def read_parquet(
    path: Path, columns: tuple[str, ...], batch_rows: int = BATCH_ROWS, *, hashed: bool = True
) -> Iterator[Batch]:
    """Yields the records of a file; the first record is row 1.

    Args:
        path: The file.
        columns: The wanted columns.
        batch_rows: Rows decoded at once.
        hashed: False if nobody asks which rows stand there twice; batches then have no digest.

    Raises:
        PluginError: If the file is missing, truncated or damaged, or a wanted column is
            missing or holds lists or other structures.
    """
    where = str(path)
    try:
        scan = pl.scan_parquet(path, glob=False)
        schema = scan.collect_schema()
        expected = scan.select(pl.len()).collect().item()
    except _DAMAGE:
        raise PluginError(
            where,
            "is not there or not a whole Parquet file: it is truncated or damaged",
            "Fetch it again",
        ) from None
    check_columns(where, columns, schema.names(), are_names=True)
    for name in columns:
        dtype = schema[name]
        if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Null, pl.Time, pl.Duration):
            raise PluginError(
                f"{where}: column {name!r}",
                f"holds {dtype}, which no field can be read from",
                "Export it as text, number or date",
            )
    flat = [name for name, dtype in schema.items() if not dtype.is_nested()]
    frames = _frames(where, scan.select(flat if hashed else columns), batch_rows)
    row = 1
    for frame in frames:
        digest = digests.of_frame(frame) if hashed else None
        yield Batch(frame.select(columns), row, digest=digest)
        row += frame.height
    if row - 1 != expected:
        raise PluginError(
            where, f"holds {row - 1} of {expected} records: it is damaged", "Fetch the file again"
        )


def _frames(where: str, scan: pl.LazyFrame, batch_rows: int) -> Iterator[pl.DataFrame]:
    frames = iter(scan.collect_batches(chunk_size=batch_rows))
    while True:
        try:
            frame = next(frames, None)
        except _DAMAGE:
            raise PluginError(where, "is damaged", "Fetch the file again") from None
        if frame is None:
            return
        yield frame
