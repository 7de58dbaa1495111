"""From scored households to the exact tables a round asks for."""

from __future__ import annotations

from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot_node.classification import classify
from folkmoot_node.counts import ExactCounts
from folkmoot_node.store import HouseholdStore


def tabulate(store: HouseholdStore, round_: Round, council: GssCode) -> ExactCounts:
    """Counts households over the public cells of a round, empty cells included.

    Which cells exist is decided by the round alone. A household that has no cell of some
    attribute of the round is in no table, and any other is in one cell of each table.

    Args:
        store: The scored households.
        round_: The round.
        council: Whose areas are counted.

    Returns:
        One table for each of the plan's largest components.
    """
    workload, plan = round_.workload, round_.plan(council)
    counted_by = [
        classify(workload, attribute, axis, council)
        for attribute, axis in zip(workload.counted_by, plan.axes, strict=True)
    ]
    return ExactCounts(plan.largest, store.tabulate(counted_by, plan.largest))
