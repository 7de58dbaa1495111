"""From scored households to the exact tables a round asks for."""

from __future__ import annotations

from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.series import SeriesProgress
from folkmoot_node.store.cells import Classification, classify
from folkmoot_node.store.event_history import EventHistory
from folkmoot_node.store.reader import HouseholdStore


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
    counted_by = _counted_by(round_, council)
    plan = round_.plan(council)
    return ExactCounts(plan.largest, store.counter.tabulate(counted_by, plan.largest))


def tabulate_series(
    store: HouseholdStore,
    history: EventHistory,
    round_: Round,
    council: GssCode,
    progress: SeriesProgress,
) -> ExactCounts:
    """Counts the households that satisfy a series' event for the first time, and tabulates.

    What is counted is remembered in `history`, durably, before anything is returned.

    Args:
        store: The scored households.
        history: The households counted before.
        round_: The round, which is in a series.
        council: Whose areas are counted.
        progress: Where the node stands in the series.

    Returns:
        One table for each of the plan's largest components: the sum over all cohorts of
        their households times the coefficient that this step's row has for them.
    """
    assert round_.series is not None
    counted_by = _counted_by(round_, council)
    found = store.counter.satisfying(round_.series.event, counted_by)
    history.count(progress.row, round_.round_id, progress.released, found)
    plan = round_.plan(council)
    tables = history.tabulate(progress.row, round_.series.length, counted_by, plan.largest)
    return ExactCounts(plan.largest, tables)


def _counted_by(round_: Round, council: GssCode) -> list[Classification]:
    workload = round_.workload
    return [
        classify(workload, attribute, axis, council)
        for attribute, axis in zip(workload.counted_by, workload.axes(council), strict=True)
    ]
