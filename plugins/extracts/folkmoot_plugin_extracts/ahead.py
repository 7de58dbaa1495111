"""Prepares the next item while the present one is used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yields the items of an iterator that runs one item ahead, in a thread of its own.

    What the iterator raises is raised here, in its place. Worth it where items are made by
    NumPy, Polars or zlib, which let other threads run meanwhile.
    """
    with ThreadPoolExecutor(1, "ahead") as pool:
        upcoming = pool.submit(next, items, _END)
        while (item := upcoming.result()) is not _END:
            upcoming = pool.submit(next, items, _END)
            yield item  # type: ignore[misc]
