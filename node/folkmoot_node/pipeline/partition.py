"""Divides households among partitions by a hash of the UPRN."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_sdk.schema import UPRN_COLUMN

_MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)
"""2^64 over the golden ratio: multiplicative hashing (Knuth, TAOCP 6.4)."""


def partition_of(uprns: npt.NDArray[np.int64], partitions: int) -> npt.NDArray[np.uint16]:
    """Finds the partition of each UPRN: the same on every machine, whatever the other UPRNs are.

    Args:
        uprns: Shape (records,).
        partitions: Number of partitions, from 1 to 4096.

    Returns:
        uint16, shape (records,), from 0; never missing.
    """
    hashed = (uprns.astype(np.uint64) * _MULTIPLIER) >> np.uint64(32)
    return (hashed % np.uint64(partitions)).astype(np.uint16)


def split(records: pl.DataFrame, partitions: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yields number and rows of each partition that has some, in the order of the records.

    Args:
        records: With the column `uprn`, without nulls.
        partitions: Number of partitions.
    """
    if partitions == 1:
        yield 0, records
        return
    numbers = partition_of(records[UPRN_COLUMN].to_numpy(), partitions)
    order = np.argsort(numbers, kind="stable")
    ordered = records.select(pl.all().gather(pl.Series(order)))
    bounds = np.searchsorted(numbers[order], np.arange(partitions + 1))
    for partition in range(partitions):
        start, end = int(bounds[partition]), int(bounds[partition + 1])
        if end > start:
            yield partition, ordered.slice(start, end - start)
