"""Presentable tables of one council of 1,000 LSOAs, in time and in error.

The floor in time is the reconstruction of the same cells from a release; that in error is the
unbiased estimate's own, from the same noise.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.strategy import plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.consistent_tables.fit import presentable
from folkmoot_coordinator.aggregation.consistent_tables.fitting_order import fitting_order
from folkmoot_coordinator.aggregation.consistent_tables.nested_axes import CellGrid
from folkmoot_coordinator.aggregation.consistent_tables.simulated_noise import SimulatedNoise
from folkmoot_coordinator.aggregation.reconstruct import Reconstruction

COUNCIL = GssCode("E08000001")
LSOAS, WARDS, HOUSEHOLDS, FLAGS = 1_000, 60, 450_000, 12
LIMIT = 15
"""Times the floor."""


def workload() -> Workload:
    """LSOA, band, age group and twelve flags: 39 marginals, 517,000 cells."""
    wards = tuple(f"W{at}" for at in range(WARDS))
    lsoas = tuple(f"L{at}" for at in range(LSOAS))
    flags = [f"flag{at}" for at in range(FLAGS)]
    asked = [
        (), ("lsoa", "band"), ("lsoa", "age"), *(("lsoa", flag) for flag in flags),
        ("band", "age"), *(("band", flag) for flag in flags), ("ward", "band", "age"),
        *(("lsoa", "band", "age", flag) for flag in flags[:8]),
    ]  # fmt: skip
    parents = {code: wards[at * WARDS // LSOAS] for at, code in enumerate(lsoas)}
    return Workload(
        (
            Attribute("ward", by_council={COUNCIL: wards}),
            Attribute("lsoa", by_council={COUNCIL: lsoas}, within="ward", parents=parents),
            Attribute("band", tuple("abcde")),
            Attribute("age", tuple("abcdef")),
            *(Attribute(flag, ("yes", "no")) for flag in flags),
        ),
        tuple(map(Marginal, asked)),
    )


def main() -> dict[str, Any]:
    """Measures one council."""
    rng = np.random.default_rng(1)
    planned = plan(workload(), COUNCIL, Rho.of("1"))
    domain = CellGrid(planned.axes)
    asked = [planned.depths(marginal.attributes) for marginal in workload().marginals]
    codes = []
    for axis in planned.axes:
        cells = axis.size(len(axis.levels))
        shares = rng.dirichlet(np.full(cells, 5 if cells > 100 else 0.7))
        codes.append(rng.choice(cells, HOUSEHOLDS, p=shares))
    truth = {}
    for depths in asked:
        places = [
            np.array(axis.ancestors(depth, len(axis.levels)))[code]
            for axis, depth, code in zip(planned.axes, depths, codes, strict=True)
        ]
        shape = domain.shape(depths)
        flat = np.bincount(np.ravel_multi_index(places, shape), minlength=domain.size(depths))
        truth[depths] = flat.reshape(shape)
    estimates = SimulatedNoise(planned)(rng, truth)

    sizes = [[axis.size(depth) for depth in range(len(axis.levels) + 1)] for axis in planned.axes]
    begin = time.perf_counter()
    order = fitting_order(asked, sizes, {0: 1})
    ordered = time.perf_counter()
    found = presentable(estimates, domain, order)
    fitted = time.perf_counter()
    release = Reconstruction(planned, np.zeros(planned.rows, dtype=np.int64))
    for depths in asked:
        release.values(depths)
    floor = time.perf_counter() - fitted

    errors = [
        float(
            np.sqrt(
                ((found[depths] - truth[depths]) ** 2).mean()
                / ((estimates[depths] - truth[depths]) ** 2).mean()
            )
        )
        for depths in asked
        if domain.size(depths) >= LSOAS
    ]
    return {
        "cells": sum(map(domain.size, asked)),
        "order_seconds": ordered - begin,
        "seconds": fitted - ordered,
        "floor_seconds": floor,
        "ratio": (fitted - ordered) / floor,
        "limit": LIMIT,
        "mean_error_ratio": sum(errors) / len(errors),
        "largest_error_ratio": max(errors),
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
