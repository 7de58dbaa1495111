"""What the report says of one outcome on one date, in detail."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.evaluation.measures.evaluation import Evaluation
from folkmoot_node.evaluation.measures.judgement import (
    AtCapacity,
    Baseline,
    BaselineAt,
    Bounds,
    Changed,
    Figures,
    Judgement,
    OutcomeJudgement,
    Row,
    Share,
)
from folkmoot_node.evaluation.reporting.document import Block, Mark, Plot, Section, Sheet, Words
from folkmoot_node.evaluation.reporting.groups import completeness_blocks, group_sections
from folkmoot_node.evaluation.reporting.wording import (
    LEVEL,
    bounds,
    count,
    number,
    number_interval,
    on,
    percent,
    points,
    points_interval,
    share_cells,
    together,
)

FALLS = (
    "The share with the event falls from one band to the next higher one. A higher band then does "
    "not mean more need, as far as this outcome shows it."
)


def shown_date(found: Evaluation, outcome: int) -> tuple[Judgement, OutcomeJudgement] | None:
    """The latest date on which an outcome has figures, whose details the report shows.

    Args:
        found: All figures.
        outcome: Number of the outcome, from 0.
    """
    for judgement in reversed(found.dates):
        judged = judgement.outcomes[outcome]
        if judged.figures is not None:
            return judgement, judged
    return None


def date_sections(
    judgement: Judgement, outcome: OutcomeJudgement, *, others: bool
) -> Iterator[Section]:
    """The sections about one date.

    Args:
        judgement: The date.
        outcome: Its figures, which are there.
        others: Whether there are other dates, which the report does not show in detail.
    """
    figures = outcome.figures
    assert figures is not None
    day = on(judgement.date)
    elsewhere = (
        (Words(f"From here on the figures are those of {day}, the latest; --json has every date."),)
        if others
        else ()
    )
    yield Section("By band", (*elsewhere, *_bands(figures, outcome.events)), level=3)
    yield Section("By tenth of the score", tuple(_tenths(figures, outcome.events)), level=3)
    yield Section("What visits would have found", tuple(_visits(figures)), level=3)
    yield Section("Beside other orders", tuple(_baselines(figures)), level=3)
    yield from group_sections(figures.groups)
    yield Section("Where records are incomplete", tuple(completeness_blocks(figures)), level=3)
    yield Section("How far it depends on each weight", tuple(_weights(figures)), level=3)


def _bands(figures: Figures, events: Share | None) -> Iterator[Block]:
    yield from _rows("Events by band", "Band", figures.bands, events)
    if not figures.is_ascending:
        yield Words(FALLS, is_warning=True)


def _tenths(figures: Figures, events: Share | None) -> Iterator[Block]:
    yield Words(
        "Households in order of their score, in ten parts from the lowest. Equal scores stay "
        "together, so that parts may differ in size, or be missing."
    )
    yield from _rows("Events by tenth of the score", "Tenth", figures.tenths, events)


def _rows(caption: str, head: str, rows: tuple[Row, ...], events: Share | None) -> Iterator[Block]:
    yield Sheet(
        caption,
        (head, "Points", "Households", "Events", "Share", LEVEL),
        tuple(
            (
                together(row.names),
                _range(row),
                count(row.households),
                count(row.events.hits),
                *share_cells(row.events),
            )
            for row in rows
        ),
    )
    yield Plot(
        caption,
        "share with the event",
        "~%",
        tuple(_mark(together(row.names), row.events) for row in rows),
        beside=events.share if events else None,
        beside_is="the share of all households" if events else "",
    )


def _range(row: Row) -> str:
    low, high = number(row.lowest, ".4g"), number(row.highest, ".4g")
    return low if low == high else f"{low} to {high}"


def _mark(label: str, share: Share) -> Mark:
    return Mark(label, share.share, share.interval.low, share.interval.high)


def _visits(figures: Figures) -> Iterator[Block]:
    yield Sheet(
        "What visiting the highest scores would have found",
        ("Visits", "Down to points", "Precision", LEVEL, "Recall", LEVEL, "Times random"),
        tuple(
            (
                count(at.visited),
                number(at.from_score, ".4g"),
                *share_cells(at.precision),
                *share_cells(at.recall),
                number(at.lift, ".1f"),
            )
            for at in figures.at
        ),
        note="Times random: recall by that of as many households chosen at random.",
    )
    for at in figures.at:
        yield from map(Words, ties(at))
    bounded = [at for at in figures.at if is_wide(at.precision_bounds)]
    if bounded:
        yield Sheet(
            "If of those that were lost from sight none had the event, or all",
            ("Visits", "Precision", "Recall"),
            tuple(
                (count(at.visited), bounds(at.precision_bounds), bounds(at.recall_bounds))
                for at in bounded
            ),
        )
    precise = [(at, at.precision) for at in figures.at if at.precision is not None]
    if precise:
        yield _at_capacities("Precision", precise)
    yield _at_capacities("Recall", [(at, at.recall) for at in figures.at])


def ties(at: AtCapacity) -> Iterator[str]:
    """A sentence where the last visits are drawn among equal scores."""
    if at.drawn < at.tied:
        yield (
            f"With {at.visited:,} visits, {at.drawn:,} of {at.tied:,} households with the same "
            "score would have been visited. The figures are those expected of a fair draw."
        )


def is_wide(bounds: Bounds) -> bool:
    """Whether what is not known of households that were lost from sight changes a figure."""
    return bounds.high - bounds.low >= 0.0005


def _at_capacities(name: str, shares: list[tuple[AtCapacity, Share]]) -> Plot:
    return Plot(
        f"{name} by number of visits",
        name.lower(),
        "~%",
        tuple(_mark(f"{at.visited:,}", share) for at, share in shares),
    )


def order(baseline: Baseline) -> str:
    """What a council would do instead, in words."""
    match baseline.kind:
        case "random":
            return "visits at random"
        case "factor":
            return f"the factor {baseline.name} alone"
        case "deprivation":
            return f"the most deprived areas first ({baseline.name})"
        case _:
            return f"the highest {baseline.name} first"


def order_in_a_table(baseline: Baseline) -> str:
    """The same, as short as a column wants it."""
    match baseline.kind:
        case "random":
            return "visits at random"
        case "factor":
            return f"{baseline.name} alone"
        case "deprivation":
            return f"most deprived first ({baseline.name})"
        case _:
            return f"highest {baseline.name} first"


def _baselines(figures: Figures) -> Iterator[Block]:
    yield Words(
        "Gain: recall of the score, less recall of what the council would do instead. Above 0 the "
        "score finds more."
    )
    for place, at in enumerate(figures.at):
        rows = [(one, one.at[place]) for one in figures.baselines]
        yield Sheet(
            f"With {at.visited:,} visits",
            ("Order", "Recall", "Gain, points", LEVEL, "More found", "AUC"),
            (
                (
                    "the score",
                    percent(at.recall.share),
                    "",
                    "",
                    "",
                    number(figures.ranking.auc),
                ),
                *(_baseline_row(one, here) for one, here in rows),
            ),
        )
        yield Plot(
            f"Gain over other orders with {at.visited:,} visits",
            "gain in recall",
            "+~%",
            tuple(
                Mark(one.name, here.gain, here.gain_interval.low, here.gain_interval.high)
                for one, here in rows
            ),
            beside=0.0,
            beside_is="no gain",
        )
    unknown = [one for one in figures.baselines if one.unknown]
    if unknown:
        yield Sheet(
            "Households whose place in an order is not known, and who come last in it",
            ("Order", "Households"),
            tuple((order_in_a_table(one), count(one.unknown)) for one in unknown),
        )


def _baseline_row(baseline: Baseline, at: BaselineAt) -> tuple[str, ...]:
    return (
        order_in_a_table(baseline),
        percent(at.recall.share),
        points(at.gain),
        points_interval(at.gain_interval),
        f"{'-' if at.more_found < 0 else ''}{count(abs(at.more_found))}",
        number(baseline.auc),
    )


def _weights(figures: Figures) -> Iterator[Block]:
    yield Words(
        "The same date with one weight changed. A factor whose weight can be 0 without a loss "
        "says nothing here that others do not say; it may still be there for another reason."
    )
    yield Sheet(
        "How well the scores put households in order (AUC)",
        ("Factor", "Weight", "AUC", "Change", LEVEL),
        tuple(
            (
                one.factor,
                _other_weight(one),
                number(one.auc, ".3f"),
                number(one.auc_change, "+z.3f"),
                number_interval(one.auc_interval, "+z.3f"),
            )
            for one in figures.weights
        ),
        words=frozenset({0, 1}),
    )
    for place, at in enumerate(figures.at):
        yield Sheet(
            f"With {at.visited:,} visits",
            ("Factor", "Weight", "Recall, change", LEVEL, "Others visited"),
            tuple(
                (
                    one.factor,
                    _other_weight(one),
                    points(one.at[place].change),
                    points_interval(one.at[place].change_interval),
                    percent(one.at[place].replaced),
                )
                for one in figures.weights
            ),
            words=frozenset({0, 1}),
            note="Others visited: of the households visited, those that the policy itself would "
            "not visit."
            if place == 0
            else "",
        )
        without = [one for one in figures.weights if one.times == 0]
        yield Plot(
            f"Without a factor, with {at.visited:,} visits",
            "change of recall",
            "+~%",
            tuple(
                Mark(
                    one.factor,
                    one.at[place].change,
                    one.at[place].change_interval.low,
                    one.at[place].change_interval.high,
                )
                for one in without
            ),
            beside=0.0,
            beside_is="no change",
        )


def _other_weight(changed: Changed) -> str:
    return "0" if changed.times == 0 else f"{changed.times - 1:+.0%}"
