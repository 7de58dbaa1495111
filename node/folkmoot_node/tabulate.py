"""From scored households to the exact counts a round asks for."""

from __future__ import annotations

from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot_node.counts import ExactCounts
from folkmoot_node.store import HouseholdStore


def tabulate(store: HouseholdStore, round_: Round, council: GssCode) -> ExactCounts:
    """Counts households over the public cells of a round, empty cells included.

    Which cells exist is decided by the round alone. A household whose code is not in the
    round's list is in no cell, so it changes each marginal by at most one cell.

    Args:
        store: The scored households.
        round_: The round.
        council: Whose areas are counted.

    Returns:
        One int64 array for each marginal, in the round's order.
    """
    workload = round_.workload
    codes = {attribute.name: attribute.codes_of(council) for attribute in workload.attributes}
    return ExactCounts(
        store.tabulate(codes, [marginal.attributes for marginal in workload.marginals])
    )
