"""Whether two areas are different, and what changed since an earlier round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from folkmoot.interval import CONFIDENCE
from folkmoot_coordinator.inference.change import Change, Direction, change
from folkmoot_coordinator.inference.comparisons import Comparison, Verdict, compare, pairs
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.figures import Figures, figures
from folkmoot_coordinator.viewer.region import Region
from folkmoot_coordinator.viewer.round_facts import RoundFacts, round_facts
from folkmoot_coordinator.viewer.selection import Selection
from folkmoot_coordinator.viewer.words import between, households, percent, plural, signed, slug
from folkmoot_web.errors import WebProblem
from folkmoot_web.visitors import Visitor

_OFFERED = 12
_SUGGESTED = 6


@dataclass(frozen=True, slots=True)
class Pair:
    """Two areas beside each other.

    Attributes:
        first: Place of area A.
        second: Place of area B.
        answer: In a sentence.
        detail: Difference, interval and probabilities, in sentences.
    """

    first: int
    second: int
    answer: str
    detail: str


def compare_areas(found: Figures, first: int, second: int) -> Pair:
    """Whether the figures of two areas are different.

    Args:
        found: The figures.
        first: Place of area A.
        second: Place of area B, another one.
    """
    both = 0.0 if found.covariance is None else found.covariance.pair(first, second)
    offered = pairs(len(found))
    made = compare(
        found.value[[first]],
        found.value[[second]],
        found.variance[[first]],
        found.variance[[second]],
        offered=offered,
        covariance=both,
        tails=found.tails,
        step=found.step,
    )
    one, other = found.names[first], found.names[second]
    detail = _detail(made, one, other, offered)
    verdict = made.verdict[0]
    if verdict == Verdict.UNDECIDED:
        answer = f"The noise is too large to say whether {one} or {other} has more."
        # 95% for both sides of the interval together is 97.5% for the side that is larger.
        detail += f" This page says that one has more from {1 - (1 - CONFIDENCE) / 2:.1%}."
    else:
        larger, smaller = (one, other) if verdict == Verdict.FIRST_LARGER else (other, one)
        answer = f"Yes: {larger} has more than {smaller}."
    return Pair(first, second, answer, detail)


def _detail(made: Comparison, one: str, other: str, offered: int) -> str:
    difference, low, high = (float(x[0]) for x in (made.difference, made.lower, made.upper))
    larger = one if difference >= 0 else other
    alone = float(made.probability[0]) if difference >= 0 else 1 - float(made.probability[0])
    return (
        f"The estimates differ by {households(abs(difference))}. If you chose these two before "
        f"you saw any figure, and know nothing else of them, the probability that {larger} has "
        f"more is {percent(alone)}. "
        f"Corrected for all {plural(offered, 'pair')} that this page offers, it is "
        f"{percent(float(made.corrected[0]))}, and the difference ({one} less {other}) is "
        f"{between(low, high)}, with 95% certainty for all pairs together."
    )


def find_area(found: Figures, text: str) -> tuple[int | None, str]:
    """The area that somebody means.

    Args:
        found: The figures.
        text: A code, a name, or part of a name.

    Returns:
        Its place, and what is wrong if there is none: a sentence.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return None, ""
    for at, (code, name) in enumerate(zip(found.codes, found.names, strict=True)):
        if wanted in (code.casefold(), name.casefold()):
            return at, ""
    close = [at for at, name in enumerate(found.names) if wanted in name.casefold()]
    if len(close) == 1:
        return close[0], ""
    if not close:
        return None, f"No area here is called “{text.strip()[:80]}”. Enter a name or a code"
    some = ", ".join(found.names[at] for at in close[:_SUGGESTED])
    more = len(close) - _SUGGESTED
    return None, f"{len(close)} areas have that in their names: {some}" + (
        f" and {more} more" if more > 0 else ""
    )


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """What changed since an earlier round.

    Attributes:
        earlier: The earlier round.
        places: Places of the areas that both rounds have.
        change: Of these, in this order.
        note: What readers should know; may be empty.
    """

    earlier: Published
    places: tuple[int, ...]
    change: Change
    note: str

    def text(self, number: int) -> str:
        """The change of an area in words."""
        return signed(float(self.change.difference[number]))

    def interval(self, number: int) -> str:
        """Its 95% interval in words."""
        low, high = float(self.change.lower[number]), float(self.change.upper[number])
        return f"{signed(low)} to {signed(high)}"

    def count(self, direction: Direction) -> int:
        """How many areas changed so."""
        return int(np.count_nonzero(self.change.direction == direction))


def earlier_rounds(
    region: Region, visitor: Visitor, published: Published, chosen: Selection
) -> list[RoundFacts]:
    """Rounds with the same table, closed before; the newest first.

    Rounds of the same series share noise, and are compared on the page of the series.
    """
    closed = published.stored.closed_at or 0
    series = published.round_.series
    return [
        one
        for one in round_facts(region.database)
        if one.has_result
        and one.withdrawal is None
        and (one.closed_at or 0) <= closed
        and one.round_id != published.round_.round_id
        and (series is None or one.series_id != series.series_id)
        and slug(chosen.marginal) in {name for _, name in one.question.tables}
        and region.sees(visitor, one.question.purpose)
    ][:_OFFERED]


def changes_since(
    region: Region, published: Published, chosen: Selection, offered: Sequence[RoundFacts], id_: str
) -> Changed | None:
    """What changed since an earlier round; None if none was chosen.

    Raises:
        WebProblem: Status 404, if that round cannot be compared.
    """
    if not id_:
        return None
    known = next((one for one in offered if one.round_id == id_), None)
    if known is None:
        raise WebProblem(
            404, "That round cannot be compared", "", "Choose one of the list on the page."
        )
    earlier = region.rounds.find(known.round_id)
    before = _same(earlier, chosen)
    now = figures(published, chosen)
    then = figures(earlier, before)
    places = [at for at, code in enumerate(now.codes) if code in then.place_of]
    others = [then.place_of[now.codes[at]] for at in places]
    made = change(
        now.value[places],
        then.value[others],
        now.variance[places],
        then.variance[others],
        quantile=max(now.quantile, then.quantile),
        step=max(now.step, then.step),
    )
    note = ""
    if earlier.round_.policy_digest != published.round_.policy_digest:
        note = (
            "The two rounds were counted by different policies: part of a change may come from "
            "that, and not from households."
        )
    return Changed(earlier, tuple(places), made, note)


def _same(earlier: Published, chosen: Selection) -> Selection:
    from folkmoot_coordinator.viewer.selection import select

    return select(earlier, slug(chosen.marginal), chosen.cell)
