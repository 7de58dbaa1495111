"""What a proposed policy would change, and how it was found: the report of a fit."""

from __future__ import annotations

from collections.abc import Iterator

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
    number,
    number_interval,
    percent,
    points,
    points_interval,
)

_WORDS = frozenset({0, 5})


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
    )


def _sections(found: Proposal) -> Iterator[Section]:
    yield Section("Points", tuple(_points(found)))
    yield Section("What each policy would have found", tuple(_judged(found)))
    yield Section("Who would move", tuple(_moves(found)))
    if found.groups or found.small_groups:
        yield Section("Protected groups", tuple(_groups(found)))


def _points(found: Proposal) -> Iterator[Block]:
    for warning in found.warnings:
        yield Words(warning, is_warning=True)
    yield Sheet(
        "Points of each factor",
        ("Factor", "Now", "Proposed", LEVEL, "Odds", "Why it has none"),
        tuple(_factor(one) for one in found.factors),
        note="Points are whole, and never below 0. The interval holds the points, given the "
        "factors that were chosen. Odds: how many times as high the odds of the event are for a "
        "household with a factor score of 1 as for one with 0, all else equal. "
        f"{number(found.doubling, '.1f')} points more double the odds.",
        words=_WORDS,
    )
    marks = tuple(
        Mark(one.factor, float(one.points), one.low, one.high)
        for one in found.factors
        if one.points
    )
    yield Plot("Proposed points", "points", ".0f", marks)
    if found.undated:
        yield Words(
            f"Read as they are today, since they have no dates: {', '.join(found.undated)}. "
            "Each may know what came later.",
            is_warning=True,
        )


def _factor(one: ProposedFactor) -> tuple[str, ...]:
    proposed = str(one.points) if one.points else "0"
    interval = f"{one.low:.1f} to {one.high:.1f}" if one.points else NO_FIGURE
    odds = f"{one.odds:.1f}" if one.points else NO_FIGURE
    return (one.factor, f"{one.present:g}", proposed, interval, odds, one.reason)


def _judged(found: Proposal) -> Iterator[Block]:
    yield Words(
        "Each date is judged by points that were fitted only to dates whose horizon had ended by "
        f"then; at most the latest {MOST_FOLDS} such dates. The proposed points have learnt from "
        "all dates, and may do a little better or worse."
    )
    if found.not_judged:
        yield Words(
            f"Not judged: {', '.join(found.not_judged)}. The dates before could not be fitted: "
            "factors separate the households, or none goes with the outcome.",
            is_warning=True,
        )
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
    stated = (
        "These proposed factors read a protected characteristic, as the policy permits: "
        f"{', '.join(found.protected)}."
        if found.protected
        else "No proposed factor reads a protected characteristic."
    )
    yield Words(
        f"Recall and visits are at {count(found.capacity)} visits, on the dates above together. "
        "Up and down are shares of the group that would be in a higher or lower band on "
        f"{found.dates[-1]}. {stated}"
    )
    if found.groups:
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
    if found.small_groups:
        yield Words("Too small to judge:")
        yield Points(tuple(f"{name}." for name in found.small_groups))
