"""What the source asks of a database, whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import polars as pl


class Database(ABC):
    """One connection, in one transaction that only reads and sees one state.

    A context manager: it connects on entry; nothing is left behind on exit.
    """

    @abstractmethod
    def __enter__(self) -> Self:
        """Connects.

        Raises:
            PluginError: If that is not possible.
        """

    @abstractmethod
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the transaction and the connection."""

    @abstractmethod
    def columns(self) -> list[str]:
        """Names of all columns of the table or query. Reads no row.

        Raises:
            PluginError: If there is no such table, or the query is wrong.
        """

    @abstractmethod
    def rows(self, columns: tuple[str, ...]) -> Iterator[pl.DataFrame]:
        """Yields the wanted columns of the selected rows, in batches; null where SQL has NULL.

        Raises:
            PluginError: If they cannot be read, to the end.
        """

    @abstractmethod
    def count(self) -> int:
        """The number of all rows, whether the mapping selects them or not."""
