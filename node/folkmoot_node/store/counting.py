"""Counts the households of one run exactly: for rounds and series alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from folkmoot.series import SeriesEvent
from folkmoot_node.store.cells import Classification, add_up
from folkmoot_node.store.event_history import FoundHouseholds
from folkmoot_node.store.run_summary import RunSummary, StoredAttribute
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    import duckdb


class HouseholdCounter:
    """Counts households. What it gives is exact, and goes to the release alone."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, run: RunSummary, conditions: Sequence[str]
    ) -> None:
        """Begins to count.

        Args:
            connection: To the store.
            run: What made it.
            conditions: Of SQL, that a household meets unless it is withheld.
        """
        self._connection = connection
        self._run = run
        self._conditions = conditions

    def tabulate(
        self, counted_by: Sequence[Classification], tables: Sequence[Sequence[int]]
    ) -> list[npt.NDArray[np.int64]]:
        """Counts households exactly. The result must go straight into `ExactCounts`.

        Args:
            counted_by: What decides a household's cell on each axis. A household without a
                cell on any one of them is in no table, and neither is one that is withheld.
            tables: For each table the depth of each axis; 0 where it is summed over.

        Returns:
            One flat int64 array for each table, the last axis fastest; 0 where a cell is empty.

        Raises:
            Problem: Exit code REFUSED, for an attribute that the store does not have; DATA, if an
                earlier version stored only what linked people change.
        """
        self._run.check_counted()
        cells = [self._cell_of_index(one) for one in counted_by]
        listed = [
            f'"{self._attribute(one.attribute).counted}" NOT IN '
            f"({', '.join(map(str, np.flatnonzero(cell < 0)))})"
            for one, cell in zip(counted_by, cells, strict=True)
            if (cell < 0).any()
        ]
        where = " AND ".join([*listed, *self._conditions])
        where = f" WHERE {where}" if where else ""
        return [self._table(counted_by, cells, depths, where) for depths in tables]

    def satisfying(
        self, event: SeriesEvent, counted_by: Sequence[Classification]
    ) -> FoundHouseholds:
        """The households that satisfy an event now and have a cell on every axis.

        Those that are withheld are not among them: a series that has counted one before keeps it,
        and none counts it again.

        Args:
            event: The event.
            counted_by: What decides a household's cell on each axis.

        Raises:
            Problem: Exit code REFUSED, for an attribute that the store does not have; DATA, if an
                earlier version stored only what linked people change.
        """
        self._run.check_counted()
        deciding = self._attribute(event.attribute)
        wanted = [at for at, code in enumerate(deciding.stored_codes) if code in event.codes]
        counts_now = f'list_contains({wanted}, "{deciding.counted}")'
        columns = "".join(
            f', "{self._attribute(one.attribute).counted}" AS a{at}'
            for at, one in enumerate(counted_by)
        )
        found = self._connection.execute(
            f"SELECT uprn{columns} FROM store.households "  # noqa: S608
            f"WHERE {' AND '.join([counts_now, *self._conditions])}"
        ).fetchnumpy()
        uprn = np.asarray(found["uprn"], dtype=np.int64)
        cells = [
            self._cell_of_index(one)[np.asarray(found[f"a{at}"], dtype=np.int64)]
            for at, one in enumerate(counted_by)
        ]
        counted = np.ones(uprn.shape, dtype=np.bool_)
        for cell in cells:
            counted &= cell >= 0
        return FoundHouseholds(uprn[counted], tuple(cell[counted] for cell in cells))

    def _attribute(self, name: str) -> StoredAttribute:
        stored = self._run.stored.get(name)
        if stored is None:
            raise Problem(
                f"the last run has no attribute {name!r} ({', '.join(self._run.stored)})",
                where="round",
                remedy="Ask for attributes of the risk stratification policy only",
                exit_code=ExitCode.REFUSED,
            )
        return stored

    def _cell_of_index(self, one: Classification) -> npt.NDArray[np.int64]:
        """For each stored index its finest cell, -1 if it has none."""
        place = {code: at for at, code in enumerate(one.codes)}
        stored = self._attribute(one.attribute).stored_codes
        return np.array([place.get(code, one.other) for code in stored], dtype=np.int64)

    def _table(
        self,
        counted_by: Sequence[Classification],
        cells: Sequence[npt.NDArray[np.int64]],
        depths: Sequence[int],
        where: str,
    ) -> npt.NDArray[np.int64]:
        used = [
            (one, cell, depth)
            for one, cell, depth in zip(counted_by, cells, depths, strict=True)
            if depth
        ]
        keys = "".join(
            f'"{self._attribute(one.attribute).counted}" AS a{at}, '
            for at, (one, _, _) in enumerate(used)
        )
        group = " GROUP BY ALL" if used else ""
        found = self._connection.execute(
            f"SELECT {keys}count(*)::BIGINT AS households FROM store.households{where}{group}"  # noqa: S608
        ).fetchnumpy()
        return add_up(
            [
                (one, depth, cell[np.asarray(found[f"a{at}"], dtype=np.int64)])
                for at, (one, cell, depth) in enumerate(used)
            ],
            np.asarray(found["households"], dtype=np.int64),
        )
