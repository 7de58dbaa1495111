"""Finds inputs and factors that nearly equal an outcome: they may have been recorded after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.evaluation.snapshot import Floats, Happened, Leak, Points
from folkmoot_node.store.schema import UNKNOWN_POINTS

Rows = npt.NDArray[np.int64]
Values = Callable[[Rows], Floats]
"""Of some rows: of the same shape, NaN where unknown. Few rows are looked at."""

LARGEST_AUC = 0.98
"""Nothing that was known before tells who will have an event as well as this."""
SHARE = 0.98
"""Share of the households that stand out by a value of which that many had the event."""
FEWEST = 10
"""Events, and households that stand out, below which nothing is said."""
SAMPLE = 20_000
"""Households without an event with which those that had one are compared."""


def leaks(
    happened: Mapping[str, Happened],
    factors: Iterable[tuple[str, Values]],
    inputs: Iterable[tuple[str, Values]],
) -> tuple[Leak, ...]:
    """Compares factors and inputs with each outcome.

    Households that had the event before the date already are left aside, since what follows from an
    event is theirs, too; and so are those that had left before it.

    Args:
        happened: The outcomes, by name.
        factors: Names, and what each adds.
        inputs: Names of fields, and their values; of categories the index.

    Returns:
        What is to be looked at, by factor and input, then by outcome; empty if nothing is.
    """
    compared = {name: _Compared.of(one) for name, one in happened.items()}
    named = [*(("factor", *one) for one in factors), *(("input", *one) for one in inputs)]
    return tuple(
        Leak(outcome, kind, name, reason)
        for kind, name, values in named
        for outcome, households in compared.items()
        for reason in households.reasons(values)
    )


def numbers(column: pl.Series) -> Floats:
    """The values of an input as numbers: float64, shape (households,), NaN where unknown."""
    return column.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()


def points_known(points: Points) -> Floats:
    """What a factor adds as numbers: float64, of the same shape, NaN where unknown."""
    return np.where(points == UNKNOWN_POINTS, np.nan, points)


@dataclass(frozen=True, slots=True)
class _Compared:
    """The households that are compared for one outcome.

    Attributes:
        had: Rows of all that had the event, and none before.
        others: Rows of all that did not, and had none before.
        sample: Rows of some of the others, evenly spread.
    """

    had: Rows
    others: Rows
    sample: Rows

    @classmethod
    def of(cls, happened: Happened) -> _Compared:
        compared = ~happened.before & ~happened.gone
        had = ~np.isnat(happened.first) & compared
        others = np.flatnonzero(np.isnat(happened.first) & compared)
        sample = others
        if len(others) > SAMPLE:
            sample = others[np.linspace(0, len(others) - 1, SAMPLE).astype(np.int64)]
        return cls(np.flatnonzero(had), others, sample)

    def reasons(self, values: Values) -> Iterator[str]:
        """Why the values may have been recorded after the event; at most one reason."""
        if min(len(self.had), len(self.others)) < FEWEST:
            return
        both = values(np.concatenate([self.had, self.sample]))
        had, some = both[: len(self.had)], both[len(self.had) :]
        auc = _auc(had, some)
        if max(auc, 1 - auc) > LARGEST_AUC:
            yield f"it separates who had the event from who had not almost wholly (AUC {auc:.3f})"
            return
        for what, usual in (("is known", np.nan), ("is out of the usual", _usual(some))):
            of_had = _standing_out(had, usual)
            # The sample settles it for most; all are looked at only where it finds next to none.
            if of_had >= FEWEST and _is_rare(of_had, _standing_out(some, usual)):
                of_others = _standing_out(values(self.others), usual)
                if _is_rare(of_had, of_others):
                    share = of_had / (of_had + of_others)
                    yield f"it {what} almost only where the event happened ({share:.0%} of them)"
                    return


def _standing_out(values: Floats, usual: float) -> int:
    """How many of some values are known and not the usual one."""
    return int((~np.isnan(values) & (values != usual)).sum())


def _is_rare(of_had: int, of_others: int) -> bool:
    """Whether next to none of those that stand out is one of the others."""
    return of_had >= SHARE * (of_had + of_others)


def _auc(had: Floats, others: Floats) -> float:
    """Chance that a household with an event has the higher value; unknown ones are the lowest."""
    one, other = (np.sort(np.where(np.isnan(some), -np.inf, some)) for some in (had, others))
    below, not_above = (int(np.searchsorted(other, one, side).sum()) for side in ("left", "right"))
    return (below + not_above) / 2 / (len(one) * len(other))


def _usual(values: Floats) -> float:
    """The most frequent of the known values; NaN if there is none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan")
    found, counts = np.unique(known, return_counts=True)
    return float(found[counts.argmax()])
