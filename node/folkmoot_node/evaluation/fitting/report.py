"""What a proposed policy would change, and how it was found: the report of a fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from folkmoot_node.evaluation.fitting.comparison import AtCapacity, JudgedDate
from folkmoot_node.evaluation.fitting.forward import MOST_FOLDS
from folkmoot_node.evaluation.fitting.proposal import Proposal, ProposedFactor
from folkmoot_node.evaluation.fitting.selection import Compared
from folkmoot_node.evaluation.reporting.document import (
    Block,
    Document,
    Mark,
    Plot,
    Points,
    Section,
    Sheet,
    Words,
)
from folkmoot_node.evaluation.reporting.wording import (
    LEVEL,
    NO_FIGURE,
    count,
    listed,
    number,
    number_interval,
    percent,
    points,
    points_interval,
)

HOW_DATES_ARE_JUDGED = (
    "Each date is judged by points that were fitted only to dates whose horizon had ended by then; "
    f"at most the latest {MOST_FOLDS} such dates. The proposed points have learnt from all dates, "
    "and may do a little better or worse."
)


def as_document(found: Proposal) -> Document:
    """Writes the report.

    Args:
        found: The proposal.
    """
    return Document(
        title=f"Proposed policy: {found.policy}",
        subtitle=f"Fitted to {found.outcome} within {found.months} months, with households as they "
        f"were known on {len(found.dates)} dates from {found.dates[0]} to {found.dates[-1]}. "
        f"{count(found.events)} households had the event. Run {found.run}.",
        sections=tuple(_sections(found)),
        footer=(
            "The proposal is not in force. Its owner decides, and scores by it first with "
            "`folkmoot-node score --try --policy`.",
            "The weights and this report were made from residents' records without the noise that "
            "differential privacy adds. They stay at the council.",
            "Weights find who had the event before, as it was recorded. Where a group's events are "
            "recorded less often, fitted weights find it less often.",
        ),
        rest="This is the report in short. Every later date and group: --all prints them, "
        "--html FILE writes them with plots, and --json has every figure.",
    )


def _sections(found: Proposal) -> Iterator[Section]:
    yield Section("In short", tuple(_in_short(found)), in_short=True)
    yield Section("Points", tuple(_points(found)), in_short=True)
    yield Section("What each policy would have found", tuple(_judged(found)))
    yield Section("Who would move", tuple(_moves(found)), in_short=True)
    if found.groups:
        yield Section("Protected groups", tuple(_groups(found)))


def _in_short(found: Proposal) -> Iterator[Block]:
    for warning in _warnings(found):
        yield Words(warning, is_warning=True)
    recalls = [at.recall for one in found.judged for at in one.capacities]
    known = [one for one in recalls if one is not None]
    yield Words(
        _more_or_fewer(known, len(found.judged)), lead="Would it find more than the policy of now?"
    )
    yield Points((*_on_the_newest(found.judged[-1]), HOW_DATES_ARE_JUDGED))
    yield Words(
        f"By recall with {count(found.capacity)} visits, on these dates together. "
        f"{_protected(found)}",
        lead="Who would be found more often, or less?",
    )
    yield Points(tuple(_found_by_group(found)))


def _warnings(found: Proposal) -> Iterator[str]:
    yield from found.warnings
    if found.undated:
        yield (
            f"Read as they are today, since they have no dates: {', '.join(found.undated)}. "
            "Each may know what came later."
        )
    if found.not_judged:
        yield (
            f"Not judged: {', '.join(found.not_judged)}. The dates before could not be fitted: "
            "factors separate the households, or none goes with the outcome."
        )


def _more_or_fewer(known: Sequence[Compared], dates: int) -> str:
    later = "the later date" if dates == 1 else f"{dates} later dates"
    if not known:
        return f"Not known: there are too few events on {later}."
    more, fewer = _differ(known)
    return (
        f"On {later}, with each number of visits: more in {more} of {len(known)} comparisons, "
        f"fewer in {fewer}; in the others the interval holds 0, and there is no evidence either "
        "way."
    )


def _differ(known: Sequence[Compared]) -> tuple[int, int]:
    """How many are more, and fewer, by more than chance explains."""
    return sum(one.interval.low > 0 for one in known), sum(one.interval.high < 0 for one in known)


def _on_the_newest(one: JudgedDate) -> Iterator[str]:
    """What both would have found on the newest date that was judged."""
    for at in one.capacities:
        yield (
            f"On {one.date}, with {at.capacity:,} visits: {_in_words(at.recall)}"
            if at.recall is not None
            else f"On {one.date}, with {at.capacity:,} visits: too few events."
        )


def _in_words(recall: Compared) -> str:
    return (
        f"{percent(recall.proposed)} of the events instead of {percent(recall.present)} "
        f"({points(recall.difference)} points, {points_interval(recall.interval)})."
    )


def _found_by_group(found: Proposal) -> Iterator[str]:
    known = [(one, one.recall) for one in found.groups if one.recall is not None]
    differ = [(one, recall) for one, recall in known if any(_differ([recall]))]
    for one, recall in differ:
        yield f"{one.field}, {one.group}: {_in_words(recall)}"
    if len(known) > len(differ):
        yield (
            f"For {len(known) - len(differ)} of {len(known)} groups with enough events the "
            "interval holds 0. That does not show that nothing changes for them."
        )
    few = [f"{one.field} {one.group}" for one in found.groups if one.recall is None]
    if few:
        yield f"Too few events to say: {listed(few)}."
    if found.small_groups:
        yield f"Too small to judge: {listed(found.small_groups)}."
    if not found.groups and not found.small_groups:
        yield "Not known: the policy names no field under [[equality]] that a source provides."


def _protected(found: Proposal) -> str:
    if found.protected:
        return (
            "These proposed factors read a protected characteristic, as the policy permits: "
            f"{', '.join(found.protected)}."
        )
    return "No proposed factor reads a protected characteristic."


def _points(found: Proposal) -> Iterator[Block]:
    yield Sheet(
        "Points of each factor",
        ("Factor", "Now", "Proposed", LEVEL, "Odds"),
        tuple(_factor(one) for one in found.factors),
        note="Points are whole, and never below 0. The interval holds the points, given the "
        "factors that were chosen. Odds: how many times as high the odds of the event are for a "
        "household with a factor score of 1 as for one with 0, all else equal. "
        f"{number(found.doubling, '.1f')} points more double the odds.",
    )
    marks = tuple(
        Mark(one.factor, float(one.points), one.low, one.high)
        for one in found.factors
        if one.points
    )
    yield Plot("Proposed points", "points", ".0f", marks)
    reasons: dict[str, list[str]] = {}
    for one in found.factors:
        if one.reason:
            reasons.setdefault(one.reason, []).append(one.factor)
    if reasons:
        yield Words("Why these have no points:")
        yield Points(tuple(f"{why}: {listed(names)}." for why, names in reasons.items()))


def _factor(one: ProposedFactor) -> tuple[str, ...]:
    proposed = str(one.points) if one.points else "0"
    interval = f"{one.low:.1f} to {one.high:.1f}" if one.points else NO_FIGURE
    odds = f"{one.odds:.1f}" if one.points else NO_FIGURE
    return (one.factor, f"{one.present:g}", proposed, interval, odds)


def _judged(found: Proposal) -> Iterator[Block]:
    yield Words(HOW_DATES_ARE_JUDGED)
    yield Sheet(
        "How well both put households in order (AUC)",
        ("Date", "Households", "Events", "Now", "Proposed", "Difference", LEVEL),
        tuple(_area(one) for one in found.judged),
        note="AUC: how often a household with the event has a higher score than one without; 0.5 "
        "is chance.",
    )
    yield Sheet(
        "Households with the event that would have been visited (recall)",
        ("Date", "Visits", "Now", "Proposed", "Difference, points", LEVEL),
        tuple(_recall(one, at) for one in found.judged for at in one.capacities),
    )
    yield Sheet(
        "Visits that would have met the event (precision)",
        ("Date", "Visits", "Now", "Proposed"),
        tuple(
            (
                one.date,
                count(at.capacity),
                percent(at.precision_present),
                percent(at.precision_proposed),
            )
            for one in found.judged
            for at in one.capacities
        ),
    )


def _area(one: JudgedDate) -> tuple[str, ...]:
    figures = (NO_FIGURE,) * 4
    if one.area is not None:
        figures = (
            number(one.area.present, ".3f"),
            number(one.area.proposed, ".3f"),
            number(one.area.difference, "+.3f"),
            number_interval(one.area.interval, "+.3f"),
        )
    return (one.date, count(one.households), count(one.events), *figures)


def _recall(one: JudgedDate, at: AtCapacity) -> tuple[str, ...]:
    return (one.date, count(at.capacity), *_compared(at.recall))


def _compared(found: Compared | None) -> tuple[str, str, str, str]:
    if found is None:
        return NO_FIGURE, NO_FIGURE, NO_FIGURE, NO_FIGURE
    return (
        percent(found.present),
        percent(found.proposed),
        points(found.difference),
        points_interval(found.interval),
    )


def _moves(found: Proposal) -> Iterator[Block]:
    total = sum(sum(row) for row in found.moves)
    stay = sum(row[at] for at, row in enumerate(found.moves))
    yield Words(
        f"On {found.dates[-1]}, {count(total - stay)} of {count(total)} households "
        f"({percent((total - stay) / total)}) would be in another band."
    )
    yield Sheet(
        "Bands, cut so that their shares stay as near as the points permit",
        ("Band", "From now", "From proposed", "Share now", "Share proposed"),
        tuple(
            (
                cut.band,
                f"{cut.present_from:g}",
                f"{cut.proposed_from:g}",
                percent(cut.present_share),
                percent(cut.proposed_share),
            )
            for cut in found.bands
        ),
    )
    names = [cut.band for cut in found.bands]
    yield Sheet(
        "Households by band now (rows) and proposed (columns)",
        ("Now", *names),
        tuple(
            (name, *(count(cell) for cell in row))
            for name, row in zip(names, found.moves, strict=True)
        ),
    )


def _groups(found: Proposal) -> Iterator[Block]:
    yield Words(
        f"Recall and visits are at {count(found.capacity)} visits, on the dates above together. "
        "Up and down are shares of the group that would be in a higher or lower band on "
        f"{found.dates[-1]}."
    )
    yield Sheet(
        "Households with the event that would have been visited (recall)",
        ("Group", "Now", "Proposed", "Difference, points", LEVEL),
        tuple((f"{one.field}: {one.group}", *_compared(one.recall)) for one in found.groups),
    )
    yield Sheet(
        "Visits and bands",
        ("Group", "Households", "Visited now", "Visited proposed", "Up", "Down"),
        tuple(
            (
                f"{one.field}: {one.group}",
                count(one.households),
                percent(one.selected_present),
                percent(one.selected_proposed),
                percent(one.up),
                percent(one.down),
            )
            for one in found.groups
        ),
    )
