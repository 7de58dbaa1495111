"""How scores, bands and contributions differ between protected groups.

For people at the council only: none of this leaves the node. Groups of few households are
not shown by themselves, because the report may be printed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.intervals import Interval, difference, two_sided, wilson
from folkmoot_node.small_groups import NOT_KNOWN, pooled
from folkmoot_node.store.run_summary import RunSummary, StoredAudit
from folkmoot_node.store.schema import (
    BAND_COLUMN,
    POINT,
    SCORE_COLUMN,
    UNKNOWN_POINTS,
    points_column,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BandShare:
    """What share of a group is in a band.

    Attributes:
        band: Name of the band.
        share: From 0 to 1, with the interval of Wilson (1927).
        interval: Of the share.
        difference: Share less the share of all others.
        difference_interval: Of the difference (Newcombe 1998, method 10).
        ratio: Share by the share of all others; None if that is 0.
    """

    band: str
    share: float
    interval: Interval
    difference: float
    difference_interval: Interval
    ratio: float | None


@dataclass(frozen=True, slots=True)
class FactorMean:
    """What a factor adds to the scores of a group.

    Attributes:
        factor: Identifier.
        mean: Mean contribution in points, over households where it is known; None if there are
            none.
        difference: Less the mean of all others.
        ratio: By the mean of all others; None if that is 0.
        unknown: Share of the group of which it is not known.
    """

    factor: str
    mean: float | None
    difference: float | None
    ratio: float | None
    unknown: float


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group against all others.

    All others of a group are the households of the other known groups; of `NOT_KNOWN` they
    are the households of all known groups.

    Attributes:
        group: Its name.
        households: How many.
        mean_score: In points.
        difference: Less the mean score of all others.
        difference_interval: Of the difference (Welch 1947).
        ratio: By the mean score of all others; None if that is 0.
        bands: Ascending.
        factors: In the order of the policy.
    """

    group: str
    households: int
    mean_score: float
    difference: float
    difference_interval: Interval
    ratio: float | None
    bands: tuple[BandShare, ...]
    factors: tuple[FactorMean, ...]


@dataclass(frozen=True, slots=True)
class Independence:
    """Pearson's test that band and known group are independent.

    Attributes:
        statistic: Chi-squared.
        degrees: Degrees of freedom.
        p_value: Probability of such a table, or a more extreme one, if they are independent.
        cramers_v: Strength of the association, from 0 to 1 (Cramér 1946).
        approximate: False if more than a fifth of the cells are expected to hold fewer than
            five households, so that the probability is not to be relied upon.
    """

    statistic: float
    degrees: int
    p_value: float
    cramers_v: float
    approximate: bool

    @property
    def words(self) -> str:
        """How strong the association is, by Cohen's (1988) conventions."""
        if self.cramers_v < 0.1:
            return "hardly any association"
        return "some association" if self.cramers_v < 0.3 else "a strong association"


@dataclass(frozen=True, slots=True)
class CharacteristicFigures:
    """One audited field.

    Attributes:
        field: Name of the field.
        audit: What it is and how households get their group.
        groups: The groups that are shown.
        together: Names of those that are several taken together, since some are too small.
        suppressed: Names of those that are too small and not shown.
        test: Of all known groups, also those that are not shown; None if there is only one
            group or band.
    """

    field: str
    audit: StoredAudit
    groups: tuple[GroupFigures, ...]
    together: tuple[str, ...]
    suppressed: tuple[str, ...]
    test: Independence | None


class EqualitySums:
    """Adds up, part by part, what the figures of one audited field need."""

    def __init__(self, field: str, audit: StoredAudit, run: RunSummary) -> None:
        self._field = field
        self._audit = audit
        self._bands = run.band_names
        self._factors = tuple(factor.name for factor in run.factors)
        groups = len(audit.groups) + 1
        self._in_band = np.zeros((groups, len(self._bands)), dtype=np.int64)
        self._score = np.zeros(groups)
        self._square = np.zeros(groups)
        self._points = np.zeros((len(self._factors), groups))
        self._known = np.zeros((len(self._factors), groups), dtype=np.int64)

    def add(self, part: pl.DataFrame) -> None:
        """Adds a part of the households, as `HouseholdStore.audited` gives it."""
        groups, bands = self._in_band.shape
        group = part[self._audit.column].to_numpy().astype(np.int64)
        cell = group * bands + part[BAND_COLUMN].to_numpy()
        self._in_band += np.bincount(cell, minlength=groups * bands).reshape(groups, bands)
        score = part[SCORE_COLUMN].to_numpy() / POINT
        self._score += np.bincount(group, score, minlength=groups)
        self._square += np.bincount(group, score**2, minlength=groups)
        for at, factor in enumerate(self._factors):
            points = part[points_column(factor)].to_numpy()
            known = points != UNKNOWN_POINTS
            self._known[at] += np.bincount(group[known], minlength=groups)
            self._points[at] += np.bincount(group[known], points[known] / POINT, minlength=groups)

    def figures(self, smallest: int) -> CharacteristicFigures:
        """The figures of all groups.

        Args:
            smallest: Groups of fewer households are not shown.
        """
        count = self._in_band.sum(axis=1)
        pools = pooled(count[:-1], smallest)
        names = [" + ".join(self._audit.groups[at] for at in pool) for pool in pools]
        unknown = (len(count) - 1,)
        every = [*zip(names, pools, strict=True), (NOT_KNOWN, unknown)]
        shown = [(name, np.isin(np.arange(len(count)), pool)) for name, pool in every]
        size = {name: int(count[member].sum()) for name, member in shown}
        return CharacteristicFigures(
            self._field,
            self._audit,
            tuple(self._group(name, member) for name, member in shown if size[name] >= smallest),
            tuple(name for name, pool in every if len(pool) > 1),
            tuple(name for name, _ in shown if 0 < size[name] < smallest),
            _independence(self._in_band[:-1]),
        )

    def _group(self, name: str, member: npt.NDArray[np.bool_]) -> GroupFigures:
        count = self._in_band.sum(axis=1)
        others = ~member
        others[-1] = False
        n, m = int(count[member].sum()), int(count[others].sum())
        score, other_score = float(self._score[member].sum()), float(self._score[others].sum())
        mean, other_mean = _mean(score, n), _mean(other_score, m)
        error = math.hypot(
            _error(score, float(self._square[member].sum()), n),
            _error(other_score, float(self._square[others].sum()), m),
        )
        apart = mean - other_mean
        half = two_sided() * error
        in_band = self._in_band[member].sum(axis=0)
        others_in = self._in_band[others].sum(axis=0)
        return GroupFigures(
            group=name,
            households=n,
            mean_score=mean,
            difference=apart,
            difference_interval=Interval(apart - half, apart + half),
            ratio=_ratio(mean, other_mean),
            bands=tuple(
                _band_share(band, int(in_band[b]), n, int(others_in[b]), m)
                for b, band in enumerate(self._bands)
            ),
            factors=tuple(
                self._factor(f, factor, member, others, n) for f, factor in enumerate(self._factors)
            ),
        )

    def _factor(
        self,
        f: int,
        factor: str,
        member: npt.NDArray[np.bool_],
        others: npt.NDArray[np.bool_],
        households: int,
    ) -> FactorMean:
        known, other_known = int(self._known[f, member].sum()), int(self._known[f, others].sum())
        mean = self._points[f, member].sum() / known if known else None
        other = self._points[f, others].sum() / other_known if other_known else None
        return FactorMean(
            factor=factor,
            mean=None if mean is None else float(mean),
            difference=None if mean is None or other is None else float(mean - other),
            ratio=_ratio(mean, other),
            unknown=1 - known / households,
        )


def _mean(total: float, count: int) -> float:
    return float(total / count) if count else math.nan


def _error(total: float, square: float, count: int) -> float:
    """Standard error of a mean."""
    if count < 2:
        return 0.0
    variance = max(0.0, (square - total**2 / count) / (count - 1))
    return math.sqrt(variance / count)


def _ratio(value: float | None, other: float | None) -> float | None:
    if value is None or not other or math.isnan(other):
        return None
    return float(value / other)


def _band_share(band: str, in_band: int, count: int, others_in: int, others: int) -> BandShare:
    share, interval = in_band / count, wilson(in_band, count)
    if not others:
        nothing = Interval(math.nan, math.nan)
        return BandShare(band, share, interval, math.nan, nothing, None)
    other, theirs = others_in / others, wilson(others_in, others)
    return BandShare(
        band,
        share,
        interval,
        share - other,
        difference(share, interval, other, theirs),
        _ratio(share, other),
    )


def _independence(table: npt.NDArray[np.int64]) -> Independence | None:
    from scipy.stats.contingency import association, chi2_contingency

    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape, default=0) < 2:
        return None
    found = chi2_contingency(table, correction=False)
    return Independence(
        float(found.statistic),
        int(found.dof),
        float(found.pvalue),
        float(association(table, method="cramer")),
        bool((found.expected_freq < 5).mean() <= 0.2),
    )


def shares(figures: Sequence[CharacteristicFigures]) -> list[dict[str, object]]:
    """One row for each characteristic, group and band, for a table or a chart."""
    return [
        {
            "field": one.field,
            "group": group.group,
            "households": group.households,
            "band": band.band,
            "share": band.share,
            "low": band.interval.low,
            "high": band.interval.high,
        }
        for one in figures
        for group in one.groups
        for band in group.bands
    ]
