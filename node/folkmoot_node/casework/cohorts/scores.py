"""The last scores as a table in memory: only what cohorts ask for, of one run at a time.

Three columns of a million households take some seconds to read, and a millisecond to compare.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from folkmoot_node.casework.cohorts.definition import Condition, Conditions, Kind, Mark
from folkmoot_node.casework.cohorts.subjects import (
    FactorWords,
    Subject,
    Type,
    subject_of,
    subjects_of,
)
from folkmoot_node.corrections.sealed_file import decisions_of
from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy
from folkmoot_node.scoring.attributes import YES
from folkmoot_node.scoring.explain import policy_of
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.schema import BAND_COLUMN, SCORE_COLUMN, WITHHELD_COLUMN
from folkmoot_node.store.use import open_for_use, require_in_use
from folkmoot_operator.moments import day
from folkmoot_sdk.schema import UPRN_COLUMN

MAX_COLUMNS = 24
"""That are kept; those that were asked for longest ago go first. A million households take 8 MB
for each."""
_ALWAYS = (SCORE_COLUMN, BAND_COLUMN, WITHHELD_COLUMN)
_DEATHS = Mark.DEATH_REPORTED.value
"""The field or attribute that says so; the council records' source `deaths` has it."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What cohorts can be made from now.

    Attributes:
        run: The last scoring run.
        policy: By which it scored.
        subjects: What conditions can be about.
    """

    run: RunSummary
    policy: RiskPolicy
    subjects: Mapping[tuple[Kind, str], Subject]

    def of(self, conditions: Iterable[Condition]) -> list[Subject]:
        """What each condition is about; Problem naming the one that is wrong."""
        return [subject_of(one, self.subjects) for one in conditions]

    @property
    def scored_from(self) -> tuple[str, ...]:
        """Sources that the factors use: the band tells of them."""
        return self.subjects[Kind.RESULT, BAND_COLUMN].sources

    @property
    def deaths(self) -> Subject | None:
        """What says that somebody has died; None if no source does."""
        for kind in (Kind.FIELD, Kind.ATTRIBUTE):
            found = self.subjects.get((kind, _DEATHS))
            if found is not None:
                return found
        return None


class ScoreTable:
    """Reads the last scores, and keeps what was asked for until there are newer ones."""

    def __init__(
        self,
        config: NodeConfig,
        clock: Callable[[], int],
        words: Callable[[], Mapping[str, FactorWords]],
    ) -> None:
        """Reads nothing yet.

        Args:
            config: The node's settings.
            clock: The time.
            words: What plugins say of their factors.
        """
        self._config = config
        self._clock = clock
        self._words = words
        self._lock = threading.Lock()
        self._file: tuple[int, ...] = ()
        self._scores: Scores | None = None
        self._columns: OrderedDict[str, pl.Series] = OrderedDict()

    def scores(self) -> Scores:
        """The last run, if its scores may still be used.

        Raises:
            Problem: As `open_for_use`.
        """
        with self._lock:
            return self._current()

    def table(self, conditions: Conditions) -> tuple[Scores, pl.DataFrame]:
        """The columns that conditions need, beside UPRN, score, band and what is withheld.

        Returns:
            The run, and one row for each household by UPRN, with columns as
            `HouseholdStore.columns` gives them, null where not known.

        Raises:
            Problem: As `open_for_use`; or a condition that the run cannot answer.
        """
        with self._lock:
            scores = self._current()
            subjects = scores.of(conditions.conditions)
            names = dict.fromkeys((UPRN_COLUMN, *_ALWAYS, *(one.column for one in subjects)))
            if scores.deaths is not None:
                names[scores.deaths.column] = None
            missing = [name for name in names if name not in self._columns]
            if missing:
                scores = self._load(missing)
            for name in names:
                self._columns.move_to_end(name)
            table = pl.DataFrame([self._columns[name] for name in names])
            while len(self._columns) > MAX_COLUMNS:
                self._columns.popitem(last=False)
            return scores, table

    def withheld(self) -> set[int]:
        """UPRNs of households whose objection counts today, also since the last scores.

        Raises:
            Problem: If the file of decisions about objections cannot be read.
        """
        return decisions_of(self._config).in_force(day(self._clock())).withheld

    def _current(self) -> Scores:
        file = self._identity()
        if self._scores is None or file != self._file:
            self._forget()
            self._load([])
        assert self._scores is not None
        today = day(self._clock())
        require_in_use(self._scores.run, load_policy(self._config.risk_policy), today)
        return self._scores

    def _load(self, names: list[str]) -> Scores:
        """Reads columns; forgets those of earlier scores."""
        file = self._identity()
        with open_for_use(self._config, day(self._clock())) as store:
            if self._scores is None or store.run.run_id != self._scores.run.run_id:
                names = list(dict.fromkeys([*self._columns, *names]))
                self._forget()
                policy = policy_of(store.run, load_policy(self._config.risk_policy))
                subjects = subjects_of(store.run, policy, self._words())
                self._scores = Scores(store.run, policy, subjects)
            if names:
                for column in store.columns(names).iter_columns():
                    self._columns[column.name] = column
            self._file = file
            return self._scores

    def _identity(self) -> tuple[int, ...]:
        try:
            about = self._config.store_path.stat()
        except OSError:
            self._forget()
            return ()
        return about.st_ino, about.st_size, about.st_mtime_ns

    def _forget(self) -> None:
        self._scores, self._file = None, ()
        self._columns.clear()


def died(scores: Scores) -> pl.Expr:
    """Whether a source says that somebody of a household has died; never null."""
    subject = scores.deaths
    if subject is None:
        return pl.lit(False)
    column = pl.col(subject.column)
    if subject.type is not Type.BOOLEAN and YES not in subject.codes:
        return pl.lit(False)
    says = column if subject.type is Type.BOOLEAN else column == YES
    return says.fill_null(value=False)
