"""How well bands found the households to whom an outcome then happened, from noisy counts.

Counted are households by band and outcome. A rate is a quotient of two sums of these counts:

- *precision* of a band: of its households with a known outcome, the share with the event;
- *recall* from a band upwards: of all events, the share in that band or a higher one.

Each rate has two intervals. Both solve Fieller's inequality ("Some problems in interval
estimation", 1954), which holds for small denominators too: a rate r is inside if
`part - r * whole` is no further from 0 than its standard error allows.

- The interval of the *noise* is about the households that were counted, and holds nothing but what
  was added for privacy.
- The interval of noise and *chance* is about the rate behind them: what to expect of other
  households like these. To the noise it adds the variance `whole * r * (1 - r)` of a binomial
  count. Without noise it is Wilson's interval ("Probable inference", 1927).

Councils are compared by the second: two councils whose policy works alike still differ by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from folkmoot.interval import CONFIDENCE, GAUSSIAN_QUANTILE
from folkmoot_coordinator.aggregation import fieller
from folkmoot_coordinator.inference.chance_apart import reach
from folkmoot_coordinator.inference.comparisons import Verdict, sidak
from folkmoot_coordinator.inference.tails import Tails

Float64 = NDArray[np.float64]
Ends = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Households of one place by band and outcome.

    Attributes:
        value: Estimates, households, float64, shape (bands, 2): without the event, with it. Bands
            ascend.
        covariance: Of their noise, households squared, float64, shape (2 * bands, 2 * bands), in
            the order of `value.ravel()`.
        quantile: How many standard errors a 95 % interval of the noise reaches.
    """

    value: Float64
    covariance: Float64
    quantile: float = GAUSSIAN_QUANTILE

    def rate(self, part: Float64, whole: Float64) -> Rate:
        """The quotient of two weighted sums of cells.

        Args:
            part: Weights of the numerator, 0 or 1, float64, shape (bands, 2).
            whole: Weights of the denominator, at least those of `part`, in the same shape.
        """
        above, below = part.ravel(), whole.ravel()
        cells = self.value.ravel()
        return Rate(
            part=float(above @ cells),
            whole=float(below @ cells),
            variance_part=float(above @ self.covariance @ above),
            covariance=float(above @ self.covariance @ below),
            variance_whole=float(below @ self.covariance @ below),
            quantile=self.quantile,
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A quotient of two noisy counts, the first of which is part of the second.

    Attributes:
        part: Estimate of the numerator, households.
        whole: Estimate of the denominator, households.
        variance_part: Of the noise of `part`, households squared.
        covariance: Of the noise of both.
        variance_whole: Of the noise of `whole`.
        quantile: How many standard errors a 95 % interval of the noise reaches.
    """

    part: float
    whole: float
    variance_part: float
    covariance: float
    variance_whole: float
    quantile: float

    @property
    def value(self) -> float | None:
        """The rate, 0 to 1; None if there are too few households to judge."""
        if self.noise is None:
            return None
        return min(1.0, max(0.0, self.part / self.whole))

    @property
    def noise(self) -> Ends | None:
        """Interval of the rate of the households that were counted, for 95 %; None if too few."""
        return self._ends(self.quantile, chance=False)

    @property
    def chance(self) -> Ends | None:
        """Interval of the rate behind them, for 95 %; None if there are too few to judge."""
        if self.noise is None:
            return None
        return self._ends(self.quantile, chance=True)

    def noise_at(self, rate: float) -> float:
        """Variance of the noise of `part / whole`, if the rate behind it is `rate`."""
        part, whole = self.variance_part, self.variance_whole
        return (part - 2 * rate * self.covariance + rate**2 * whole) / self.whole**2

    def _ends(self, quantile: float, *, chance: bool) -> Ends | None:
        if self.whole <= 0:
            return None
        squared = quantile**2
        binomial = self.whole if chance else 0.0
        leading = self.whole**2 - squared * (self.variance_whole - binomial)
        middle = self.part * self.whole - squared * (self.covariance - binomial / 2)
        last = self.part**2 - squared * self.variance_part
        found = fieller.ends(leading, middle, last)
        if found is None:
            return None
        low, high = found
        return min(1.0, max(0.0, low)), min(1.0, max(0.0, high))


class Figure(StrEnum):
    """What is said of a band."""

    PRECISION = "precision"
    PRECISION_FROM = "precision_from"
    RECALL = "recall"
    SELECTED = "selected"


@dataclass(frozen=True, slots=True)
class BandRates:
    """The rates of one band.

    Attributes:
        band: Its code.
        precision: Of the households in the band, the share with the event.
        precision_from: The same of the band and all higher ones.
        recall: Of all events, the share in the band and all higher ones.
        selected: Of all households, the share in the band and all higher ones.
    """

    band: str
    precision: Rate
    precision_from: Rate
    recall: Rate
    selected: Rate

    def figure(self, about: Figure) -> Rate:
        """One of the rates."""
        return {
            Figure.PRECISION: self.precision,
            Figure.PRECISION_FROM: self.precision_from,
            Figure.RECALL: self.recall,
            Figure.SELECTED: self.selected,
        }[about]


def band_rates(bands: Sequence[str], counts: Counts) -> tuple[BandRates, ...]:
    """The rates of every band of one place.

    Args:
        bands: Codes, ascending.
        counts: Households by band and outcome.

    Returns:
        The rates, in the order of `bands`.

    Raises:
        ValueError: If counts belong to other bands, or a covariance is missing.
    """
    size = len(bands)
    if counts.value.shape != (size, 2) or counts.covariance.shape != (2 * size, 2 * size):
        raise ValueError("counts belong to other bands")
    if not (np.isfinite(counts.value).all() and np.isfinite(counts.covariance).all()):
        raise ValueError("counts and covariances are not missing")
    return tuple(
        BandRates(band, *(counts.rate(*_weights(about, at, size)) for about in Figure))
        for at, band in enumerate(bands)
    )


def _weights(about: Figure, band: int, bands: int) -> tuple[Float64, Float64]:
    """Weights of the cells in numerator and denominator of a figure."""
    everybody, events = np.ones((bands, 2)), np.zeros((bands, 2))
    own, upwards = np.zeros((bands, 2)), np.zeros((bands, 2))
    events[:, 1], own[band], upwards[band:] = 1.0, 1.0, 1.0
    return {
        Figure.PRECISION: (own * events, own),
        Figure.PRECISION_FROM: (upwards * events, upwards),
        Figure.RECALL: (upwards * events, events),
        Figure.SELECTED: (upwards, everybody),
    }[about]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether one place agrees with all others together in one figure.

    Attributes:
        place: The place.
        band: The band.
        about: Which figure.
        verdict: `FIRST_LARGER` if the place's rate is higher, corrected for all comparisons that
            were made; `UNDECIDED` if noise and chance explain the difference.
        difference: Its rate less that of the others.
        lower: Lower end of the interval of the difference, corrected in the same way.
        upper: Upper end of it.
    """

    place: str
    band: str
    about: Figure
    verdict: Verdict
    difference: float
    lower: float
    upper: float


COMPARED = (Figure.PRECISION, Figure.RECALL)
"""Figures in which places are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Counts of several places, or of groups of households: different households in each.

    Attributes:
        names: Of the places.
        value: Estimates, households, float64, shape (places, bands, 2).
        covariance: Of their noise, households squared, float64, shape (cells, cells), in the order
            of `value.ravel()`.
        quantile: How many standard errors a 95 % interval of the noise reaches.
    """

    names: tuple[str, ...]
    value: Float64
    covariance: Float64
    quantile: float = GAUSSIAN_QUANTILE

    def of(self, name: str) -> Counts:
        """Counts of one place."""
        at = self.names.index(name)
        size = self.value[at].size
        cells = slice(at * size, (at + 1) * size)
        return Counts(self.value[at], self.covariance[cells, cells], self.quantile)


def of_councils(places: Mapping[str, Counts]) -> Groups:
    """Counts of councils, whose noise is independent; there is at least one."""
    sizes = [one.value.size for one in places.values()]
    covariance = np.zeros((sum(sizes), sum(sizes)))
    first = 0
    for size, one in zip(sizes, places.values(), strict=True):
        covariance[first : first + size, first : first + size] = one.covariance
        first += size
    value = np.stack([one.value for one in places.values()])
    quantile = max(one.quantile for one in places.values())
    return Groups(tuple(places), value, covariance, quantile)


def agreements(
    bands: Sequence[str],
    places: Groups,
    figures: Sequence[Figure] = COMPARED,
    offered: int = 0,
) -> tuple[Agreement, ...]:
    """Compares each place with all others together, in precision and recall of every band.

    With a probability of at least 95 % no decided verdict is wrong (Sidak's inequality over all
    comparisons, each with the tails that counts of few events have). Of the lowest band recall is
    1 everywhere, and not compared.

    Args:
        bands: Codes, ascending.
        places: Counts by place.
        figures: Which figures are compared.
        offered: How many comparisons a reader sees, if there are others than these.

    Returns:
        One verdict for each place, band and figure with enough households to judge.
    """
    sides = {
        (band, about): _sides(places, *_weights(about, band, len(bands)))
        for band in range(len(bands))
        for about in figures
        if band or about is not Figure.RECALL
    }
    compared = [
        (name, bands[band], about, found[at])
        for at, name in enumerate(places.names)
        for (band, about), found in sides.items()
        if found[at].here.value is not None and found[at].rest.value is not None
    ]
    together = max(offered, len(compared))
    return tuple(_agreement(*one, places.quantile, together) for one in compared)


def _agreement(
    name: str, band: str, about: Figure, sides: _Sides, quantile: float, offered: int
) -> Agreement:
    first, second, pooled = sides.here, sides.rest, sides.pooled
    tail = sidak(1 - CONFIDENCE, offered) / 2
    # Noise that is no normal one reaches further.
    wider = Tails.of_quantile(quantile).quantile(tail) / Tails.NORMAL.quantile(tail)
    noise = sides.noise_at(pooled)
    rise = wider * reach(pooled, first.whole, second.whole, noise, tail)
    fall = wider * reach(pooled, second.whole, first.whole, noise, tail)
    difference = first.part / first.whole - second.part / second.whole
    verdict = Verdict.UNDECIDED
    if difference > rise:
        verdict = Verdict.FIRST_LARGER
    elif difference < -fall:
        verdict = Verdict.SECOND_LARGER
    return Agreement(name, band, about, verdict, difference, difference - rise, difference + fall)


@dataclass(frozen=True, slots=True)
class _Sides:
    """A comparison of one place with all others.

    Attributes:
        here: Rate of the place.
        rest: Rate of the others together.
        between: Covariance of the noise of numerator and denominator of `here` with those of
            `rest`, households squared, float64, shape (2, 2).
    """

    here: Rate
    rest: Rate
    between: Float64

    @property
    def pooled(self) -> float:
        """The rate of all together, 0 to 1."""
        rate = (self.here.part + self.rest.part) / (self.here.whole + self.rest.whole)
        return min(1.0, max(0.0, rate))

    def noise_at(self, rate: float) -> float:
        """Variance of the noise of the difference, if the rate behind both is `rate`."""
        slope = np.array([1.0, -rate])
        between = float(slope @ self.between @ slope) / (self.here.whole * self.rest.whole)
        return max(0.0, self.here.noise_at(rate) + self.rest.noise_at(rate) - 2 * between)


def _sides(places: Groups, part: Float64, whole: Float64) -> list[_Sides]:
    """Each place against all others, in one figure; the noise is summed up once for all."""
    size = len(places.names)
    both = np.stack([part.ravel(), whole.ravel()])
    counted = places.value.reshape(size, -1) @ both.T
    cells = both.shape[1]
    noise = places.covariance.reshape(size, cells, size, cells)
    pairs = np.tensordot(np.tensordot(noise, both, axes=(3, 1)), both, axes=(1, 1))
    pairs = pairs.transpose(0, 3, 1, 2)  # place, part or whole, place, part or whole
    with_all = pairs.sum(axis=2)
    everything = with_all.sum(axis=0)
    found = []
    for at in range(size):
        own = pairs[at, :, at]
        across = with_all[at] - own
        others = everything - own - across - across.T
        rates = [
            Rate(
                part=float(count[0]),
                whole=float(count[1]),
                variance_part=float(of[0, 0]),
                covariance=float(of[0, 1]),
                variance_whole=float(of[1, 1]),
                quantile=places.quantile,
            )
            for count, of in ((counted[at], own), (counted.sum(axis=0) - counted[at], others))
        ]
        found.append(_Sides(rates[0], rates[1], across))
    return found
