"""What a round promises about privacy, in plain English, for printing beside its results."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

from folkmoot.rounds import Mechanism, Round
from folkmoot_coordinator.planning.forecast import SHARED_HOUSEHOLDS

_DISJOINT = (
    "It is assumed, and not checked, that no household is counted by two councils: each scores "
    "the addresses in its own area."
)

_WITHOUT_PEOPLE = (
    "Records that a council matched to a household only by whom they are about are not counted."
)

_BESIDES = (
    "What a council publishes by a decision of its own, such as a back-test of its policy or a "
    "policy fitted to its records, is not covered: no noise is in it. Nor is what the points of "
    "such a policy tell of these records through the scores that are counted."
)


def privacy_statement(round_: Round, releases: int, as_of: Iterable[date] = ()) -> str:
    """The promise of one round, as paragraphs.

    Args:
        round_: The question, with the loss it asked of each council.
        releases: How many councils released.
        as_of: Dates of the scores that they counted, as far as they are known.
    """
    rho, delta = round_.loss, round_.delta
    definition = (
        f"each council's release satisfies zero-concentrated differential privacy with rho = "
        f"{rho}. That implies epsilon = {round_.epsilon_for():.3f} at delta = {delta}."
    )
    if round_.mechanism is Mechanism.DISCRETE_LAPLACE:
        definition = (
            f"each council's release satisfies pure differential privacy with epsilon = "
            f"{round_.epsilon}, which holds without a delta, and is counted as rho = {rho}."
        )
    released = "1 council" if releases == 1 else f"{releases} councils"
    shared = rho.for_person(SHARED_HOUSEHOLDS)
    return "\n\n".join(
        (
            "These figures are counts of households to which random noise was added before they "
            "left each council. No record, and no exact count, left a council. "
            + _WITHOUT_PEOPLE
            + _dates(as_of),
            "What is protected is the presence of one household in one council's data. Somebody "
            "who knew everything about all other households, and guessed from that council's "
            "figures whether one household was counted, would be right at most "
            f"{math.ceil(100 * round_.guess_rate())} times in 100; tossing a coin gives 50. In "
            f"numbers, {definition} The smaller these numbers, the stronger the protection.",
            f"{released} released. {_DISJOINT} Then the round costs a household the loss of one "
            f"release, rho = {rho}, however many councils take part: the largest of the councils' "
            "losses, not their sum. A household that m councils counted loses m times as much.",
            "A person may belong to more than one household. Whoever appears in m households "
            f"loses up to m x m times as much: rho = {shared} for {SHARED_HOUSEHOLDS} "
            f"households, which is epsilon = {round_.epsilon_for(SHARED_HOUSEHOLDS):.3f}. "
            "A person who moves between councils within the accounting period is covered by "
            "the sum of what both councils released.",
            "Losses of several rounds add up. Each council keeps a ledger of all it has "
            f"released and refuses a round that would exceed the limit it has set. {_BESIDES}",
            "The noise is part of the published error: standard errors and 95% intervals "
            "state it. They do not cover errors of the councils' own records.",
        )
    )


def series_statement(round_: Round, releases: int, as_of: Iterable[date] = ()) -> str:
    """The promise of a whole series, as paragraphs.

    Args:
        round_: A round of the series.
        releases: How many councils released in it.
        as_of: Dates of the scores that they counted in it, as far as they are known.
    """
    series = round_.series
    assert series is not None
    rho, delta = round_.loss, round_.delta
    released = "1 council" if releases == 1 else f"{releases} councils"
    shared = rho.for_person(SHARED_HOUSEHOLDS)
    return "\n\n".join(
        (
            "These figures are counts of households to which random noise was added before they "
            "left each council. No record, and no exact count, left a council. "
            + _WITHOUT_PEOPLE
            + _dates(as_of),
            f"They belong to a series of {series.length} rounds, of which this is number "
            f"{series.position}. A household is counted once in the series: in the first round "
            f"in which {series.event}. Its presence in one council's data is what is protected.",
            f"All {series.length} rounds together satisfy zero-concentrated differential privacy "
            f"with rho = {rho}, fixed before the first. That implies epsilon = "
            f"{round_.epsilon_for():.3f} at delta = {delta}. Somebody who knew everything "
            "about all other households, and guessed from all rounds of a council whether one "
            f"household was counted, would be right at most {math.ceil(100 * round_.guess_rate())} "
            "times in 100; tossing a coin gives 50. A council that misses rounds loses less.",
            f"{released} released in this round. {_DISJOINT} Then the series costs a household the "
            "loss of one council's releases, however many councils take part.",
            "A person may belong to more than one household. Whoever appears in m households "
            f"loses up to m x m times as much: rho = {shared} for {SHARED_HOUSEHOLDS} "
            f"households, which is epsilon = {round_.epsilon_for(SHARED_HOUSEHOLDS):.3f}. "
            "A person who moves between councils is covered by the sum of what both released.",
            "What other rounds released adds to that. Each council keeps a ledger of all it has "
            f"released and refuses a round that would exceed the limit it has set. {_BESIDES}",
            "The noise is part of the published error: standard errors and 95% intervals state "
            "it. Noise of different rounds is correlated: use the rows of new households for "
            "differences between rounds that follow each other. Errors of the councils' own "
            "records are not covered.",
        )
    )


def _dates(as_of: Iterable[date]) -> str:
    """Of which day the scores are, as a sentence; nothing if no council said."""
    days = sorted(set(as_of))
    if not days:
        return ""
    if len(days) == 1:
        return f" The scores counted are those of {_day(days[0])}."
    return f" The scores counted are those of {_day(days[0])} to {_day(days[-1])}, by council."


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
