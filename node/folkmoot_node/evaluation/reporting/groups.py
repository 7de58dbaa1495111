"""What the report says of protected groups, and of households of which less is known."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.evaluation.measures.judgement import (
    CharacteristicJudgement,
    Figures,
    GroupJudgement,
)
from folkmoot_node.evaluation.reporting.document import Block, Mark, Plot, Section, Sheet, Words
from folkmoot_node.evaluation.reporting.wording import (
    LEVEL,
    compared_cells,
    count,
    listed,
    number,
    number_interval,
    share_cells,
    together,
)

NO_GROUPS = (
    "No figure: the policy names no field under [[equality]] that a source provides. For whom the "
    "score fails is not known."
)


def group_sections(groups: tuple[CharacteristicJudgement, ...]) -> Iterator[Section]:
    """A section for each protected characteristic that is held for audit."""
    if not groups:
        yield Section(
            "By protected group",
            (Words(NO_GROUPS),),
            level=3,
        )
    for one in groups:
        yield Section(f"By {one.field}", tuple(_blocks(one)), level=3)


def completeness_blocks(figures: Figures) -> Iterator[Block]:
    """Whether the score finds households of which less is known."""
    yield from _blocks(figures.completeness)
    yield Sheet(
        "Share with the event, by whether a factor is known",
        ("Factor", "Known", LEVEL, "Not known", LEVEL),
        tuple(
            (one.factor, *share_cells(one.known), *share_cells(one.unknown))
            for one in figures.known
        ),
    )


def _blocks(judged: CharacteristicJudgement) -> Iterator[Block]:
    if judged.groups:
        yield from _figures(judged)
    for words in which_are_small(judged):
        yield Words(words)


def which_are_small(judged: CharacteristicJudgement) -> Iterator[str]:
    """Sentences about groups that have no figure of their own."""
    if judged.together:
        yield f"Taken together, since some are too small: {listed(judged.together)}."
    if judged.too_small:
        yield f"Too small to judge, and not shown: {listed(judged.too_small)}."


def _figures(judged: CharacteristicJudgement) -> Iterator[Block]:
    groups = judged.groups
    yield Sheet(
        "Events, beside others with the same score",
        ("Group", "Households", "Events", "Share", LEVEL, "Ratio", LEVEL),
        tuple(
            (
                one.group,
                count(one.households),
                count(one.events.hits),
                *share_cells(one.events),
                number(one.ratio),
                number_interval(one.ratio_interval),
            )
            for one in groups
        ),
        note="Ratio: how many times as often the event happened as to others with the same score. "
        "Above 1: the score says too little of this group's need. Below 1: too much, or its events "
        "are recorded less often.",
    )
    marks = tuple(_ratios(groups))
    if marks:
        yield Plot(
            "Events beside others with the same score",
            "ratio",
            ".2~f",
            marks,
            beside=1.0,
            beside_is="as many as others",
        )
    yield from _auc(groups)
    for place, at in enumerate(groups[0].at):
        yield Sheet(
            f"With {at.capacity:,} visits: who is visited, and who is missed",
            (
                "Group",
                "Visited",
                "Less others, points",
                LEVEL,
                "Missed",
                "Less others, points",
                LEVEL,
            ),
            tuple(
                (
                    one.group,
                    *compared_cells(one.at[place].selected),
                    *compared_cells(one.at[place].missed),
                )
                for one in groups
            ),
            note="Missed: of the households that had the event, those not visited (the false "
            "negative rate)."
            if place == 0
            else "",
        )
        yield Plot(
            f"Missed with {at.capacity:,} visits",
            "share of events missed",
            "~%",
            tuple(_missed(one, place) for one in groups),
        )
    yield from _bands(groups)


def _ratios(groups: tuple[GroupJudgement, ...]) -> Iterator[Mark]:
    for one in groups:
        if one.ratio is not None and one.ratio_interval is not None:
            yield Mark(one.group, one.ratio, one.ratio_interval.low, one.ratio_interval.high)


def _missed(group: GroupJudgement, place: int) -> Mark:
    share = group.at[place].missed.share
    return Mark(group.group, share.share, share.interval.low, share.interval.high)


def _auc(groups: tuple[GroupJudgement, ...]) -> Iterator[Block]:
    yield Sheet(
        "Order within the group",
        ("Group", "AUC", LEVEL),
        tuple((one.group, number(one.auc), number_interval(one.auc_interval)) for one in groups),
    )


def _bands(groups: tuple[GroupJudgement, ...]) -> Iterator[Block]:
    """Calibration of each group: the same band should mean the same for everybody."""
    yield Sheet(
        "Share with the event in each band",
        ("Group", "Band", "Households", "Share", LEVEL),
        tuple(
            (one.group, together(row.names), count(row.households), *share_cells(row.events))
            for one in groups
            for row in one.bands
        ),
        words=frozenset({0, 1}),
    )
