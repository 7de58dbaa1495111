"""Finds inputs and factors that nearly equal an outcome: they may have been recorded after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.evaluation.snapshot import Bools, Floats, Happened, Leak

Rows = npt.NDArray[np.int64]

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
    factors: Iterable[tuple[str, Floats]],
    inputs: Iterable[tuple[str, Floats]],
) -> tuple[Leak, ...]:
    """Compares factors and inputs with each outcome.

    Args:
        happened: The outcomes, by name.
        factors: Names, and what each adds: float64, shape (households,), NaN where unknown.
        inputs: Names of fields, and their values in the same way; of categories the index.

    Returns:
        What is to be looked at, by factor and input, then by outcome; empty if nothing is.
    """
    events = {name: ~np.isnat(one.first) for name, one in happened.items()}
    samples = {name: _sample(had) for name, had in events.items()}
    named = [*(("factor", *one) for one in factors), *(("input", *one) for one in inputs)]
    return tuple(
        Leak(outcome, kind, name, reason)
        for kind, name, values in named
        for outcome, had in events.items()
        for reason in _reasons(values, had, samples[outcome])
    )


def numbers(column: pl.Series) -> Floats:
    """The values of an input as numbers: float64, shape (households,), NaN where unknown."""
    return column.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()


def _sample(had: Bools) -> Rows:
    """Rows of all households with an event, and of some without one, evenly spread."""
    others = np.flatnonzero(~had)
    if len(others) > SAMPLE:
        others = others[np.linspace(0, len(others) - 1, SAMPLE).astype(np.int64)]
    return np.concatenate([np.flatnonzero(had), others])


def _reasons(values: Floats, had: Bools, sample: Rows) -> Iterator[str]:
    events = int(had.sum())
    if events < FEWEST or events > len(had) - FEWEST:
        return
    auc = _auc(values[sample], had[sample])
    if max(auc, 1 - auc) > LARGEST_AUC:
        yield f"it separates who had the event from who had not almost wholly (AUC {auc:.3f})"
        return
    known = ~np.isnan(values)
    for found, words in (
        (known, "it is known almost only where the event happened"),
        (known & (values != _usual(values)), "it is out of the usual almost only where the event "
         "happened"),
    ):  # fmt: skip
        out, of_them = int(found.sum()), int((found & had).sum())
        elsewhere = (events - of_them) / max(1, len(had) - out)
        if out >= FEWEST and of_them >= SHARE * out and elsewhere < SHARE / 2:
            yield f"{words} ({of_them / out:.0%} of them, {elsewhere:.1%} of the others)"
            return


def _auc(values: Floats, had: Bools) -> float:
    """Chance that a household with an event has the higher value; unknown ones are the lowest."""
    known = np.where(np.isnan(values), -np.inf, values)
    ranks = pl.Series(known).rank("average").to_numpy()
    events = int(had.sum())
    others = len(had) - events
    return float((ranks[had].sum() - events * (events + 1) / 2) / (events * others))


def _usual(values: Floats) -> float:
    """The most frequent of the known values; NaN if there is none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan")
    found, counts = np.unique(known, return_counts=True)
    return float(found[counts.argmax()])
