"""Draws households that match their margins exactly and hang together sensibly.

Tenure and deprivation are dealt out within each LSOA, composition within the council (or
LSOA), so every margin holds from the start. A Markov chain of swaps then gives them the
associations below: two households exchange a value, which changes no margin, with the
Metropolis probability of a log-linear model. It samples the table given its margins
(Diaconis and Sturmfels 1998), and so does for people what raking does for expected counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from folkmoot_rehearsal.codes import MAXIMUM_SIZE, Composition
from folkmoot_rehearsal.margins import Margins
from folkmoot_rehearsal.raking import rake
from folkmoot_rehearsal.rounding import Floats, Integers, controlled

SWEEPS = 60
"""Proposals per household; associations are stationary after about 30."""

# Log associations. Assumed, guided by the direction and rough size of the cross-tables of
# Census 2021 (tenure by household composition RM135, and by deprivation RM001).
_TENURE_DEPRIVATION = np.array(
    [
        [0.3, 0.2, 0.0, -0.8, -1.2],
        [1.0, 0.0, -0.9, -1.8, -2.4],
        [-1.1, 0.0, 0.7, 1.3, 1.6],
        [0.0, 0.0, 0.1, 0.3, 0.5],
    ]
)
_TENURE_COMPOSITION = np.array(
    [
        [1.3, -0.5, 1.9, 0.8, -0.9, 0.8, -1.0, -1.8, -0.2, -1.4, 0.6, -0.2, -0.7, -0.6],
        [-1.9, -0.3, -2.0, 0.3, 1.2, 0.8, 0.6, 0.8, 0.7, -0.7, 0.2, -0.5, 0.2, -0.9],
        [0.8, 0.5, -0.2, -0.7, -0.5, -0.3, -0.7, 0.1, 0.0, 1.2, 0.6, -0.2, 0.2, -0.5],
        [-0.8, 0.5, -1.5, -0.4, -0.1, -1.1, 0.8, 0.4, -0.7, 0.7, -0.6, 0.8, 0.2, 1.4],
    ]
)
_DEPRIVATION_COMPOSITION = np.array(
    [
        [-1.2, 0.3, -0.6, 0.5, 0.7, 0.1, 0.9, 0.5, 0.0, -0.2, -0.3, 0.0, -0.9, 0.3],
        [0.4, 0.0, 0.3, 0.1, 0.1, 0.2, 0.1, 0.2, 0.2, 0.2, 0.3, 0.1, 0.3, 0.1],
        [0.9, 0.2, 0.7, -0.1, -0.3, 0.1, -0.5, -0.1, 0.1, 0.3, 0.4, 0.1, 0.5, -0.2],
        [0.3, 0.5, 0.1, -0.3, -0.5, -0.1, -0.9, -0.2, 0.0, 0.5, 0.3, 0.1, 0.7, -0.3],
        [-1.0, 0.3, -1.0, -0.8, -0.2, 0.0, -1.2, 0.0, 0.1, 0.6, 0.3, 0.1, 1.3, 0.2],
    ]
)

SIZES = np.array(
    [
        [1, 0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0.97, 0.03, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0.33, 0.43, 0.16, 0.05, 0.02, 0.01],
        [0, 0, 0.66, 0.27, 0.06, 0.01, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0.43, 0.38, 0.14, 0.04, 0.01, 0],
        [0, 0, 0.75, 0.20, 0.05, 0, 0, 0],
        [0, 0.46, 0.33, 0.14, 0.05, 0.02, 0, 0],
        [0, 0.74, 0.21, 0.05, 0, 0, 0, 0],
        [0, 0.65, 0.22, 0.09, 0.04, 0, 0, 0],
        [0, 0, 0.14, 0.20, 0.24, 0.19, 0.12, 0.11],
        [0, 0.50, 0.24, 0.14, 0.07, 0.03, 0.01, 0.01],
    ]
)
"""Shares of households by number of people (1 to 8) within each composition, shape (14, 8).

Assumed; raked to the council's sizes. Zeros are impossible sizes."""


@dataclass(frozen=True, slots=True)
class Households:
    """Households of one council, one entry each, ordered by LSOA.

    Attributes:
        area: Index of the LSOA in the margins; int64 of shape (n,), like all below.
        tenure: Index into `codes.TENURES`.
        deprivation: Number of dimensions, 0 to 4.
        composition: Value of `codes.Composition`.
        size: People, 1 to 8.
    """

    area: Integers
    tenure: Integers
    deprivation: Integers
    composition: Integers
    size: Integers


def draw(margins: Margins, rng: np.random.Generator) -> Households:
    """Draws the households of a council; every margin but size holds exactly."""
    n = margins.households
    area = np.repeat(np.arange(len(margins.lsoas)), margins.tenure.sum(axis=1))
    tenure = _dealt(margins.tenure)
    deprivation = _shuffled_within(_dealt(margins.deprivation), area, rng)
    by_area = margins.composition.shape[0] > 1
    group = area if by_area else np.zeros(n, dtype=np.int64)
    composition = _shuffled_within(_dealt(margins.composition), group, rng)

    model = (
        _TENURE_DEPRIVATION[:, :, None]
        + _TENURE_COMPOSITION[:, None, :]
        + _DEPRIVATION_COMPOSITION[None, :, :]
    )
    for _ in range(SWEEPS):
        left, right = _pairs(group, rng)
        here, there = composition[left], composition[right]
        gain = (
            model[tenure[left], deprivation[left], there]
            + model[tenure[right], deprivation[right], here]
            - model[tenure[left], deprivation[left], here]
            - model[tenure[right], deprivation[right], there]
        )
        accepted = np.log(rng.random(len(gain))) < gain
        composition[left[accepted]], composition[right[accepted]] = (
            there[accepted],
            here[accepted],
        )
        left, right = _pairs(area, rng)
        here, there = deprivation[left], deprivation[right]
        gain = (
            model[tenure[left], there, composition[left]]
            + model[tenure[right], here, composition[right]]
            - model[tenure[left], here, composition[left]]
            - model[tenure[right], there, composition[right]]
        )
        accepted = np.log(rng.random(len(gain))) < gain
        deprivation[left[accepted]], deprivation[right[accepted]] = (
            there[accepted],
            here[accepted],
        )
    return Households(area, tenure, deprivation, composition, _sizes(composition, margins, rng))


def _dealt(counts: Integers) -> Integers:
    """Codes repeated as often as a table of (groups, codes) says, group by group."""
    codes = np.tile(np.arange(counts.shape[1]), counts.shape[0])
    return np.repeat(codes, counts.ravel())


def _shuffled_within(values: Integers, group: Integers, rng: np.random.Generator) -> Integers:
    return values[np.argsort(group + rng.random(len(group)))]


def _pairs(group: Integers, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Disjoint random pairs of entries that belong to the same group."""
    order = np.argsort(group + rng.random(len(group)))
    even = len(order) // 2 * 2
    left, right = order[0:even:2], order[1:even:2]
    same = group[left] == group[right]
    return left[same], right[same]


def _sizes(composition: Integers, margins: Margins, rng: np.random.Generator) -> Integers:
    """People in each household: possible for its composition, near the council's sizes."""
    counts = np.bincount(composition, minlength=len(Composition)).astype(np.float64)
    target: Floats = margins.size / margins.size.sum() * counts.sum()
    expected = rake(SIZES * counts[:, None], [((1,), target), ((0,), counts)])
    table = controlled(expected)
    size = np.empty(len(composition), dtype=np.int64)
    for code in range(len(Composition)):
        members = np.flatnonzero(composition == code)
        size[members] = rng.permutation(np.repeat(np.arange(1, MAXIMUM_SIZE + 1), table[code]))
    return size
