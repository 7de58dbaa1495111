"""Error of a workload at one loss, ours beside what else can be done with it.

One synthetic council is measured in one run by independent marginals, split equally and at
their best, by least squares over the latter, and by us, through the node's noise path and the
coordinator's reconstruction. The optimum is computed from the closed form of ResidualPlanner
(Xiao, He, Zhang and Kifer, NeurIPS 2023, theorem 5 and section 6), by nothing of ours.

The large workload runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.strategy import Plan, plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.reconstruct import Reconstruction
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.mechanism import _gaussian, _measure

COUNCIL = GssCode("E08000009")
LOSS = Rho.of("0.5")
REPEATS = 3
LIMIT = 1.02
"""Our error over the optimum, at most."""
PLAN_SECONDS = 5.0
"""Planning a large workload, at most."""
Z = 4.9
"""Normal quantile of one false alarm in a million: the slack of a measured error."""

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Names = tuple[str, ...]

FORTY = {"area": 200, "band": 5, "age": 6, "household": 4, "tenure": 3, "flag": 2}
"""The forty largest of the marginals of up to three ways over these."""
LARGE = {"area": 1_000, "band": 5, "age": 6} | {f"factor_{at}": 2 for at in range(1, 13)}


def of_sizes(sizes: Mapping[str, int], marginals: Sequence[Names]) -> Workload:
    """A workload over attributes without nesting."""
    return Workload(
        tuple(
            Attribute(name, tuple(f"c{at}" for at in range(size))) for name, size in sizes.items()
        ),
        tuple(map(Marginal, marginals)),
    )


def up_to(sizes: Mapping[str, int], ways: int) -> list[Names]:
    """All marginals of up to so many ways."""
    return [names for size in range(ways + 1) for names in combinations(sizes, size)]


def forty() -> Workload:
    """The workload of the design."""
    ordered = sorted(up_to(FORTY, 3), key=lambda names: -math.prod(FORTY[name] for name in names))
    return of_sizes(FORTY, ordered[:40])


@dataclass(frozen=True, slots=True)
class Council:
    """Synthetic households: for each attribute the cell of each."""

    cells: Mapping[str, Int64]
    sizes: Mapping[str, int]

    @classmethod
    def made(cls, sizes: Mapping[str, int], households: int, seed: int) -> Council:
        """Skewed, and dependent on one another through one latent trait."""
        random = np.random.default_rng(seed)
        trait = random.random(households)
        cells = {}
        for name, size in sizes.items():
            mixed = np.where(random.random(households) < 0.4, trait, random.random(households))
            cells[name] = np.minimum((mixed**1.5 * size).astype(np.int64), size - 1)
        return cls(cells, sizes)

    def table(self, names: Names) -> Int64:
        """Exact counts of one marginal, flat."""
        place = np.zeros(len(next(iter(self.cells.values()))), dtype=np.int64)
        for name in names:
            place = place * self.sizes[name] + self.cells[name]
        size = math.prod(self.sizes[name] for name in names)
        return np.bincount(place, minlength=size).astype(np.int64)

    def exact(self, made: Plan) -> ExactCounts:
        """What the node tabulates."""
        return ExactCounts(
            made.largest,
            [
                self.table(
                    tuple(
                        axis.levels[depth - 1].attribute
                        for axis, depth in zip(made.axes, depths, strict=True)
                        if depth
                    )
                )
                for depths in made.largest
            ],
        )


@dataclass(frozen=True, slots=True)
class Optimum:
    """The least error, from the closed form.

    Attributes:
        rmse: Per cell, households.
        spread: Relative standard deviation of the RMSE of one release around it.
    """

    rmse: float
    spread: float


def residual_planner(sizes: Mapping[str, int], marginals: Sequence[Names], rho: float) -> Optimum:
    """The optimum for the sum of variances over all cells, all weights 1.

    With a variance of `s_A` for component A: a cell of marginal S has the variance
    `sum of s_A prod_A (n - 1)/n prod_(S - A) 1/n^2` over A within S, and the loss is
    `sum of p_A / (2 s_A)`, `p_A = prod_A (n - 1)/n`. So the least sum is
    `(sum of sqrt(c_A p_A))^2 / (2 rho)`, with `c_A` what all cells need of A.
    """
    need: dict[Names, float] = {}
    for marginal in marginals:
        cells = math.prod(sizes[name] for name in marginal)
        for component in _subsets(marginal):
            outside = math.prod(1 / sizes[n] ** 2 for n in marginal if n not in component)
            need[component] = need.get(component, 0) + cells * _share(sizes, component) * outside
    roots = {one: math.sqrt(c * _share(sizes, one)) for one, c in need.items()}
    total = math.fsum(roots.values()) ** 2 / (2 * rho)
    cells = sum(math.prod(sizes[name] for name in marginal) for marginal in marginals)
    # Component A adds a fraction of the squared error, over prod (n - 1) degrees of freedom.
    fractions = [
        (root / math.fsum(roots.values()), math.prod(sizes[name] - 1 for name in component))
        for component, root in roots.items()
    ]
    variance = sum(2 * share**2 / freedom for share, freedom in fractions)
    return Optimum(math.sqrt(total / cells), math.sqrt(variance) / 2)


def _subsets(names: Names) -> Iterator[Names]:
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _share(sizes: Mapping[str, int], component: Names) -> float:
    return math.prod(1 - 1 / sizes[name] for name in component)


def independent(council: Council, marginals: Sequence[Names], *, equal: bool) -> list[Float64]:
    """Each marginal by itself, with its share of the loss: equal, or the best."""
    roots = [
        1.0 if equal else math.sqrt(math.prod(council.sizes[name] for name in names))
        for names in marginals
    ]
    return [
        np.array(_gaussian(share, 1)(council.table(names).tolist()), dtype=np.float64)
        for names, share in zip(marginals, shares_of(roots), strict=True)
    ]


def shares_of(roots: Sequence[float]) -> list[Rho]:
    """The loss in proportion to some numbers."""
    total = math.fsum(roots)
    return [Rho(int(LOSS.nano * root / total)) for root in roots]


def least_squares(
    sizes: Mapping[str, int], marginals: Sequence[Names], noisy: Sequence[Float64]
) -> list[Float64]:
    """Best linear estimates from independent noisy marginals, split at their best.

    Contrasts of sums over a marginal are uncorrelated between components, so each component
    is the average of what the marginals above it say, weighed by precision.
    """
    known: dict[Names, tuple[Float64, float]] = {}
    for names, values in zip(marginals, noisy, strict=True):
        cells = math.prod(sizes[name] for name in names)
        table = values.reshape([sizes[name] for name in names])
        for component in _subsets(names):
            part, summed = table, 1
            for at, name in enumerate(names):
                if name in component:
                    part = part - part.mean(axis=at, keepdims=True)
                else:
                    part, summed = part.sum(axis=at, keepdims=True), summed * sizes[name]
            precision = math.sqrt(cells) / summed  # the variance goes with 1 / sqrt(cells)
            flat = part.reshape([sizes[name] for name in component])
            before, weight = known.get(component, (np.zeros(1), 0.0))
            known[component] = before + precision * flat, weight + precision
    found = []
    for names in marginals:
        table = np.zeros([sizes[name] for name in names])
        for component in _subsets(names):
            values, weight = known[component]
            outside = math.prod(sizes[name] for name in names if name not in component)
            shape = [sizes[name] if name in component else 1 for name in names]
            table = table + values.reshape(shape) / (weight * outside)
        found.append(table.ravel())
    return found


def ours(council: Council, made: Plan, counts: ExactCounts, asked: Workload) -> list[Float64]:
    """Through the node's noise path and the coordinator's reconstruction."""
    noisy = np.frombuffer(_measure(counts, made, 2).values, dtype=np.int64)
    reconstruction = Reconstruction(made, noisy)
    return [reconstruction.marginal(one.attributes).value.ravel() for one in asked.marginals]


def rmse(council: Council, marginals: Sequence[Names], estimates: Sequence[Float64]) -> float:
    """Root mean squared error over all cells of all marginals."""
    squared = sum(
        float(((found - council.table(names)) ** 2).sum())
        for names, found in zip(marginals, estimates, strict=True)
    )
    return math.sqrt(squared / sum(found.size for found in estimates))


def planned_rmse(asked: Workload, made: Plan) -> float:
    """What the plan says that the error will be."""
    total = sum(
        asked.size(one, COUNCIL) * made.mean_variance(one.attributes) for one in asked.marginals
    )
    return math.sqrt(total / asked.cells(COUNCIL))


def mean_square(errors: Sequence[float]) -> float:
    """RMSE over several releases."""
    return math.sqrt(statistics.fmean(error**2 for error in errors))


def compare() -> dict[str, Any]:
    """The forty marginals: every method on the same table at the same loss."""
    asked = forty()
    marginals = [one.attributes for one in asked.marginals]
    council = Council.made(FORTY, 100_000, seed=4)
    made = plan(asked, COUNCIL, LOSS)
    counts = council.exact(made)
    measured: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        best = independent(council, marginals, equal=False)
        for name, estimates in {
            "equal split": independent(council, marginals, equal=True),
            "best split": best,
            "best split, least squares": least_squares(FORTY, marginals, best),
            "ours": ours(council, made, counts, asked),
        }.items():
            measured.setdefault(name, []).append(rmse(council, marginals, estimates))
    optimum = residual_planner(FORTY, marginals, LOSS.value)
    slack = Z * optimum.spread / math.sqrt(REPEATS)
    errors = {name: mean_square(values) for name, values in measured.items()}
    ratio = errors["ours"] / optimum.rmse
    assert 1 - slack <= ratio <= LIMIT + slack, f"{ratio} times the optimum"
    planned = planned_rmse(asked, made) / optimum.rmse
    assert planned <= LIMIT, f"{planned} times the optimum"
    return {
        "marginals": len(marginals),
        "cells": asked.cells(COUNCIL),
        "rho": LOSS.value,
        "rmse": errors | {"optimum": optimum.rmse},
        "ours_over_optimum": ratio,
        "planned_over_optimum": planned,
        "slack": slack,
        "limit": LIMIT,
        # At equal error the loss goes with the square of the error.
        "loss_of_equal_split_for_our_error": (errors["equal split"] / errors["ours"]) ** 2,
    }


def large(ways: int) -> dict[str, Any]:
    """One large workload: time, memory, and error against the optimum."""
    before = peak_bytes()
    asked = of_sizes(LARGE, up_to(LARGE, ways))
    marginals = [one.attributes for one in asked.marginals]
    made, plan_seconds = timed(lambda: plan(asked, COUNCIL, LOSS))
    council = Council.made(LARGE, 100_000, seed=4)
    counts = council.exact(made)
    noisy, sample_seconds = timed(lambda: _measure(counts, made, 1))
    bare, bare_seconds = timed(lambda: bare_noise(made))
    estimates, reconstruct_seconds = timed(
        lambda: everything(made, np.frombuffer(noisy.values, dtype=np.int64), marginals)
    )
    added = peak_bytes() - before
    cross_product = math.prod(LARGE.values()) * np.dtype(np.int64).itemsize
    optimum = residual_planner(LARGE, marginals, LOSS.value)
    ratio = rmse(council, marginals, estimates) / optimum.rmse
    slack = Z * optimum.spread
    planned = planned_rmse(asked, made) / optimum.rmse
    assert added < cross_product / 2, "something holds the cross-product"
    assert 1 - slack <= ratio <= LIMIT + slack, f"{ratio} times the optimum"
    assert planned <= LIMIT, f"{planned} times the optimum"
    return {
        "ways": ways,
        "marginals": len(marginals),
        "cells": asked.cells(COUNCIL),
        "rows": made.rows,
        "plan_seconds": plan_seconds,
        "plan_limit_seconds": PLAN_SECONDS,
        "sample_seconds": sample_seconds,
        "microseconds_a_row": sample_seconds / made.rows * 1e6,
        "microseconds_a_row_bare": bare_seconds / bare * 1e6,
        "reconstruct_seconds": reconstruct_seconds,
        "added_peak_megabytes": added / 1e6,
        "cross_product_megabytes": cross_product / 1e6,
        "rmse": optimum.rmse * ratio,
        "optimum": optimum.rmse,
        "ours_over_optimum": ratio,
        "planned_over_optimum": planned,
        "slack": slack,
    }


def everything(made: Plan, noisy: Int64, marginals: Sequence[Names]) -> list[Float64]:
    """All marginals, reconstructed."""
    reconstruction = Reconstruction(made, noisy)
    return [reconstruction.marginal(names).value.ravel() for names in marginals]


def bare_noise(made: Plan) -> int:
    """OpenDP alone: as many numbers as the largest component has, at its scale."""
    widest = max(made.measurements, key=lambda one: one.rows)
    squared = math.prod(
        axis.levels[depth - 1].row_sensitivities[0]
        for axis, depth in zip(made.axes, widest.depths, strict=True)
        if depth
    )
    _gaussian(widest.rho, squared)([0] * widest.rows)
    return widest.rows


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What work gives, and the processor's seconds it took, whoever else is at work."""
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


def peak_bytes() -> int:
    """Most memory this process ever held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


WARD_SIZES = tuple((3, 4, 5, 6, 7)[ward % 5] for ward in range(40))
"""LSOAs in each ward: 200 in 40, as uneven as wards are."""


def nested() -> dict[str, Any]:
    """LSOA in ward by band: error at both levels, of three ways to ask."""
    wards = tuple(f"W{ward}" for ward in range(len(WARD_SIZES)))
    parents = {
        f"L{ward}.{at}": wards[ward] for ward, size in enumerate(WARD_SIZES) for at in range(size)
    }
    attributes = (
        Attribute("ward", (), {COUNCIL: wards}),
        Attribute("lsoa", (), {COUNCIL: tuple(parents)}, within="ward", parents=parents),
        Attribute("band", tuple("abcde")),
    )
    fine, coarse = Marginal(("lsoa", "band")), Marginal(("ward", "band"))
    ward_of = np.repeat(np.arange(len(wards)), WARD_SIZES)
    exact = np.random.default_rng(4).poisson(80, (len(parents), 5)).astype(np.int64)

    def by_ward(table: NDArray[Any]) -> NDArray[Any]:
        return np.add.reduceat(table, np.searchsorted(ward_of, range(len(wards))), axis=0)

    found: dict[str, dict[str, list[float]]] = {}

    def note(method: str, lsoa: Float64, ward: Float64) -> None:
        kept = found.setdefault(method, {"lsoa": [], "ward": []})
        kept["lsoa"].append(float(np.sqrt(((lsoa - exact) ** 2).mean())))
        kept["ward"].append(float(np.sqrt(((ward - by_ward(exact)) ** 2).mean())))

    def noisy(table: Int64, share: Rho) -> Float64:
        drawn = np.array(_gaussian(share, 1)(table.ravel().tolist()), dtype=np.float64)
        return drawn.reshape(table.shape)

    for _ in range(2 * REPEATS):
        lower, upper = shares_of([math.sqrt(exact.size), math.sqrt(by_ward(exact).size)])
        note("both levels, best split", noisy(exact, lower), noisy(by_ward(exact), upper))
        alone = noisy(exact, LOSS)
        note("LSOA only, wards summed", alone, by_ward(alone))
        for name, weight in (("ours", 1), ("ours, wards weigh 5", 5)):
            asked = Workload(attributes, (fine, Marginal(coarse.attributes, weight)))
            made = plan(asked, COUNCIL, LOSS)
            counts = ExactCounts(made.largest, [exact.ravel()])
            reconstruction = Reconstruction(
                made, np.frombuffer(_measure(counts, made, 2).values, dtype=np.int64)
            )
            note(
                name,
                reconstruction.marginal(fine.attributes).value,
                reconstruction.marginal(coarse.attributes).value,
            )
    return {
        "lsoas": len(parents),
        "wards": len(wards),
        "rmse": {
            method: {level: mean_square(errors) for level, errors in levels.items()}
            for method, levels in found.items()
        },
        "above_optimum": above_optimum(),
    }


def above_optimum() -> float:
    """RMSE of a small nested plan over the least possible, which `matrix_mechanism` finds."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.matrix_mechanism import least_total_variance

    sizes = WARD_SIZES[:5]
    wards = tuple(f"W{ward}" for ward in range(len(sizes)))
    parents = {f"L{w}.{at}": wards[w] for w, size in enumerate(sizes) for at in range(size)}
    asked = Workload(
        (
            Attribute("ward", wards),
            Attribute("lsoa", tuple(parents), within="ward", parents=parents),
        ),
        (Marginal(("lsoa",)), Marginal(("ward",))),
    )
    made = plan(asked, COUNCIL, LOSS)
    total = planned_rmse(asked, made) ** 2 * asked.cells(COUNCIL)
    upper = np.array([[parents[code] == ward for code in parents] for ward in wards], dtype=float)
    bounds = least_total_variance(np.vstack([np.eye(len(parents)), upper]), LOSS.value)
    return math.sqrt(total / bounds.lower) - 1


def main() -> dict[str, Any]:
    """Measures everything; the large workloads each in a process of their own."""
    sizes = []
    for ways in (2, 3):
        done = subprocess.run(
            [sys.executable, __file__, "--large", str(ways)],
            check=True,
            capture_output=True,
            text=True,
        )
        sizes.append(json.loads(done.stdout))
    return {"forty": compare(), "nested": nested(), "large": sizes}


if __name__ == "__main__":
    arguments = sys.argv[1:]
    print(json.dumps(large(int(arguments[1])) if "--large" in arguments else main(), indent=2))
