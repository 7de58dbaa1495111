"""Published rounds as pages, programs and exports read them: one place, so that all agree."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib.metadata import version
from threading import Lock
from typing import Any

from folkmoot.rounds import Round
from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.aggregation.statistic import GeographicLevel, RegionalStatistic
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.publication.estimable import Estimable, Moment, of_round, of_series
from folkmoot_coordinator.publication.long_table import LongTable
from folkmoot_coordinator.publication.privacy_statement import (
    privacy_statement,
    series_statement,
)
from folkmoot_coordinator.publication.round_files import long_table, metadata
from folkmoot_coordinator.publication.round_result import Coverage, RoundResult, round_result
from folkmoot_coordinator.publication.series_files import monthly_table, series_metadata
from folkmoot_coordinator.publication.series_result import SeriesResult, series_result
from folkmoot_coordinator.rounds.round_store import StoredRound, find_round

MOST_IN_MEMORY = 4
"""Rounds whose results are kept: one of 1,800 areas and four tables takes some MB."""


@dataclass(frozen=True)
class Published:
    """A closed round with its result.

    Attributes:
        stored: The round, as the database has it now.
        result: Its result; of a round in a series that of the series up to it.
    """

    stored: StoredRound
    result: RoundResult | SeriesResult
    _made: _Made = field(repr=False)
    _database: Database = field(repr=False)

    @property
    def round_(self) -> Round:
        """The question."""
        return self.stored.round_

    @property
    def region(self) -> str:
        """Name of the region."""
        return self.result.region

    @property
    def names(self) -> Mapping[str, str]:
        """Names of councils by GSS code, as far as they are known."""
        return self.result.names

    @property
    def coverage(self) -> Coverage:
        """Which councils are in the statistics."""
        if isinstance(self.result, RoundResult):
            return self.result.coverage
        return self.result.coverage[self._position]

    @property
    def as_of(self) -> Mapping[str, date]:
        """Date of the scores that were counted, by council, as far as it is known."""
        if isinstance(self.result, RoundResult):
            return self.result.as_of
        return self.result.as_of.get(self._position, {})

    @property
    def withdrawn(self) -> str | None:
        """Why the figures must not be used, as `withdrawn on 1 May 2027: ...`; None if they stand.

        Figures of a series are withdrawn with any round that they are estimated from.
        """
        if isinstance(self.result, SeriesResult):
            return self.result.withdrawn(self._position)
        return None if self.stored.withdrawal is None else str(self.stored.withdrawal)

    @property
    def moments(self) -> tuple[Moment, ...]:
        """What figures may be about: nothing more for a round; months and measures of a series."""
        if isinstance(self.result, RoundResult):
            return (Moment(),)
        return tuple(Moment(one.position, one.measure) for one in self.result.months)

    @property
    def latest(self) -> Moment:
        """What figures are about if nothing else is said."""
        if isinstance(self.result, RoundResult):
            return Moment()
        return Moment(self._position, Measure.CUMULATIVE)

    def statistics(self, about: Moment | None = None) -> Sequence[RegionalStatistic]:
        """The statistics of the round, or of a month of its series."""
        if isinstance(self.result, RoundResult):
            return self.result.statistics
        wanted = self.latest if about is None else about
        for month in self.result.months:
            if Moment(month.position, month.measure) == wanted:
                return month.statistics
        return ()

    def statistic(
        self,
        marginal: Marginal,
        level: GeographicLevel = GeographicLevel.REGION,
        place: str | None = None,
        about: Moment | None = None,
    ) -> RegionalStatistic | None:
        """One statistic; None if there is none.

        Args:
            marginal: What was counted.
            level: Of a council, the region's areas, or all of them together.
            place: GSS code of the council; None for the region.
            about: Of a series; None for the latest cumulative counts.
        """
        for one in self.statistics(about):
            if one.marginal == marginal and one.level is level and place in (None, one.place):
                return one
        return None

    def table(self, marginal: Marginal | None = None) -> LongTable:
        """The table that `export` writes, or its rows of one marginal.

        Args:
            marginal: One of the round's; None for all.
        """
        if isinstance(self.result, RoundResult):
            return long_table(self.result, marginal)
        return monthly_table(self.result, marginal)

    def metadata(self) -> dict[str, Any]:
        """The metadata that `export` writes, apart from the files' digests."""
        if isinstance(self.result, RoundResult):
            return metadata(self.result)
        return series_metadata(self.result)

    def statement(self) -> str:
        """The privacy statement, in paragraphs."""
        state = privacy_statement if isinstance(self.result, RoundResult) else series_statement
        return state(self.round_, len(self.coverage.released), self.as_of.values())

    def releases(self) -> Estimable:
        """The releases behind the figures, for what their noise has in common.

        Raises:
            Problem: If they are no longer kept.
        """

        def read() -> Estimable:
            if isinstance(self.result, RoundResult):
                return of_round(self._database, self.result)
            return of_series(self._database, self.result)

        found = self.kept(("releases",), read)
        assert isinstance(found, Estimable)
        return found

    @cached_property
    def digest(self) -> str:
        """What every figure and its presentation depend on: for ETags.

        It covers the round, who is in it, whether it was withdrawn, and the program's version.
        """
        parts = [
            self.stored.digest.hex(),
            version("folkmoot-coordinator"),
            str(self.stored.state),
            str(self.stored.closed_at),
            ",".join(self.coverage.released),
            self.withdrawn or "",
            repr(sorted(self.names.items())),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def kept(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """Something made from the figures, as long as they are in memory.

        Args:
            key: What it depends on besides the figures.
            make: Makes it. Two threads may both do so; one result is then kept.
        """
        return self._made.get(key, make)

    @property
    def _position(self) -> int:
        assert self.round_.series is not None
        return self.round_.series.position


class _Made:
    """What pages make of the figures of one round."""

    _MOST = 60  # maps of 1,800 areas among them have 0.6 MB each

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = make()
        with self._lock:
            self._known[key] = made
            while len(self._known) > self._MOST:
                self._known.popitem(last=False)
        return made


class PublishedRounds:
    """Published rounds from the database; for several threads.

    A closed round's result never changes, so the last few are kept in memory. Where it stands, and
    whether it was withdrawn, is read each time.
    """

    def __init__(
        self,
        database: Database,
        region: str,
        names: Mapping[str, str],
        most: int = MOST_IN_MEMORY,
    ) -> None:
        """Reads nothing yet.

        Args:
            database: Where rounds are stored.
            region: Name of the region.
            names: Names of councils by GSS code, as far as they are known.
            most: How many results are kept in memory.
        """
        self._database = database
        self._region = region
        self._names = names
        self._most = most
        self._known: OrderedDict[str, tuple[RoundResult | SeriesResult, _Made]] = OrderedDict()
        self._lock = Lock()
        self._making: dict[str, Lock] = {}

    def find(self, reference: str) -> Published:
        """A published round.

        Args:
            reference: The round's id, its beginning, or `latest`.

        Raises:
            Problem: USAGE if there is no such round; REFUSED if it is open or void, or its counts
                are no longer kept.
        """
        return self.of(find_round(self._database, reference))

    def of(self, stored: StoredRound) -> Published:
        """The result of a stored round; see `find`."""
        round_id = stored.round_.round_id
        with self._lock:
            making = self._making.setdefault(round_id, Lock())
        with making:
            with self._lock:
                found = self._known.get(round_id)
            if found is None:
                found = self._make(stored), _Made()
            with self._lock:
                self._known[round_id] = found
                self._known.move_to_end(round_id)
                while len(self._known) > self._most:
                    gone, _ = self._known.popitem(last=False)
                    self._making.pop(gone, None)
        result, made = found
        return Published(stored, self._as_it_stands(result, stored), made, self._database)

    def _make(self, stored: StoredRound) -> RoundResult | SeriesResult:
        if stored.round_.series is not None:
            return series_result(self._database, self._region, stored, self._names)
        return round_result(self._database, self._region, stored.round_.round_id, self._names)

    def _as_it_stands(
        self, result: RoundResult | SeriesResult, stored: StoredRound
    ) -> RoundResult | SeriesResult:
        if isinstance(result, RoundResult):
            return dataclasses.replace(result, stored=stored)
        rounds = {
            position: find_round(self._database, one.round_.round_id)
            for position, one in result.rounds.items()
        }
        return dataclasses.replace(result, stored=stored, rounds=rounds)
