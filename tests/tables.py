"""Exact tables for tests: counted by a store, or turned into what a council measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.strategy import Plan
from folkmoot.workload import Marginal, Workload
from folkmoot_node.release.contrasts import contrasts, marginal
from folkmoot_node.store.cells import classify
from folkmoot_node.store.reader import HouseholdStore

COUNCIL = GssCode("E08000009")


def count(
    store: HouseholdStore,
    codes: Mapping[str, Sequence[str]],
    marginals: Sequence[Sequence[str]],
    *,
    others: bool = False,
) -> list[npt.NDArray[np.int64]]:
    """Households of a store in each cell of some marginals, axes in the order of `codes`."""
    attributes = tuple(
        Attribute(name, tuple(listed), others=others) for name, listed in codes.items()
    )
    workload = Workload(attributes, (Marginal(tuple(codes)),))
    axes = workload.axes(COUNCIL)
    depths = [tuple(int(name in marginal) for name in codes) for marginal in marginals]
    return store.counter.tabulate(
        [
            classify(workload, one, axis, COUNCIL)
            for one, axis in zip(attributes, axes, strict=True)
        ],
        depths,
    )


def measured(plan: Plan, table: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """What a council would release without noise.

    Args:
        plan: The council's plan.
        table: Households by the finest level of each of the plan's axes, in their order.
    """
    finest = tuple(len(axis.levels) for axis in plan.axes)
    flat = np.asarray(table, dtype=np.int64).ravel()
    return np.concatenate(
        [
            (marginal if part.epsilon.nano else contrasts)(flat, plan.axes, finest, part.depths)
            for part in plan.measurements
        ]
    )
