"""Questions with axes of every kind: pairs, larger groups, and areas nested unequally."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.privacy import NO_EPSILON, Delta, Epsilon, Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot.strategy import Depths, Plan
from folkmoot.workload import Marginal, Workload
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.mechanism import _measure

TRAFFORD = GssCode("E08000009")
BURY = GssCode("E08000002")
OPENED = 1_796_000_000
"""Within 2026, in seconds since 1970-01-01T00:00:00Z."""

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


def areas(wards: dict[GssCode, Sequence[int]]) -> tuple[Attribute, Attribute]:
    """Wards, and LSOAs in them: for each council the number of LSOAs in each ward."""
    ward_codes: dict[GssCode, tuple[str, ...]] = {}
    lsoa_codes: dict[GssCode, tuple[str, ...]] = {}
    parents: dict[str, str] = {}
    number = 0
    for council, sizes in wards.items():
        names = tuple(f"{council}W{at}" for at in range(len(sizes)))
        codes = []
        for name, size in zip(names, sizes, strict=True):
            for _ in range(size):
                codes.append(f"E01{number:06}")
                parents[codes[-1]] = name
                number += 1
        ward_codes[council], lsoa_codes[council] = names, tuple(codes)
    return (
        Attribute("ward", (), ward_codes),
        Attribute("lsoa", (), lsoa_codes, within="ward", parents=parents),
    )


def workload(wards: dict[GssCode, Sequence[int]]) -> Workload:
    """Marginals over nested areas, a pair and groups of three; not all weigh the same."""
    return Workload(
        (*areas(wards), Attribute("tenure", ("own", "rent")), Attribute("age", ("y", "m", "o"))),
        (
            Marginal(()),
            Marginal(("lsoa",), 2),
            Marginal(("lsoa", "age")),
            Marginal(("ward", "tenure")),
            Marginal(("tenure", "age"), 5),
        ),
    )


def question(asked: Workload, loss: Rho | Epsilon, councils: Sequence[GssCode]) -> Round:
    """A round that asks for a workload, under zCDP or pure differential privacy."""
    pure = isinstance(loss, Epsilon)
    return Round(
        round_id="0" * 32,
        title="",
        purpose="test",
        councils=tuple(sorted(councils)),
        minimum_councils=1,
        policy_digest=b"p" * 32,
        workload=asked,
        loss=loss.rho if isinstance(loss, Epsilon) else loss,
        mechanism=Mechanism.DISCRETE_LAPLACE if pure else Mechanism.DISCRETE_GAUSSIAN,
        epsilon=loss if isinstance(loss, Epsilon) else NO_EPSILON,
        delta=Delta.of("1e-6"),
        opened_at=OPENED,
        deadline=OPENED + 3600,
    )


def full_depths(plan: Plan) -> Depths:
    """The finest depth of every axis."""
    return tuple(len(axis.levels) for axis in plan.axes)


def households(plan: Plan, mean: float, seed: int) -> Int64:
    """Exact counts in every cell of the cross-product: skewed, and many of them zero."""
    random = np.random.default_rng(seed)
    cells = math.prod(map(Axis.size, plan.axes, full_depths(plan)))
    return random.poisson(random.gamma(0.5, 2 * mean, cells)).astype(np.int64)


def sum_up(plan: Plan, table: Int64, depths: Depths) -> Int64:
    """Counts of the cells at some depths, from those of the whole cross-product.

    Written without the node's code, so that what it does can be held against it.
    """
    full = full_depths(plan)
    values = table.reshape(tuple(map(Axis.size, plan.axes, full)))
    for at, (axis, finest, depth) in enumerate(zip(plan.axes, full, depths, strict=True)):
        belongs = list(axis.ancestors(depth, finest)) if depth else [0] * axis.size(finest)
        summed = np.zeros((axis.size(depth), *np.delete(values.shape, at)), dtype=np.int64)
        np.add.at(summed, belongs, np.moveaxis(values, at, 0))
        values = np.moveaxis(summed, 0, at)
    return values.ravel()


def exact(plan: Plan, table: Int64) -> ExactCounts:
    """The tables that a node would tabulate."""
    return ExactCounts(plan.largest, [sum_up(plan, table, depths) for depths in plan.largest])


def release(plan: Plan, counts: ExactCounts, threads: int = 1) -> Int64:
    """The whole numbers of a release."""
    return np.array(_measure(counts, plan, threads).values)
