"""What the report of a back-test says, from first to last."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.evaluation.back_test import BackTest
from folkmoot_node.evaluation.measures.evaluation import Evaluation
from folkmoot_node.evaluation.reporting.document import Block, Document, Points, Section, Sheet
from folkmoot_node.evaluation.reporting.in_short import (
    INTERVALS,
    RANKING,
    in_short,
    months_in_words,
)
from folkmoot_node.evaluation.reporting.one_date import date_sections, shown_date
from folkmoot_node.evaluation.reporting.over_dates import dates_sections, outcome_notes
from folkmoot_node.evaluation.reporting.sources_read import About, what_was_read
from folkmoot_node.evaluation.reporting.wording import LEVEL, bounds, count, on, share_cells

HOW_TO_READ = (
    "Share with the event: of the households that were observed to the end of the horizon, those "
    "that had the event. Households that were lost from sight before, without it, are in no share.",
    "Precision: of the households visited, the share that had the event. Recall: of the households "
    "that had the event, the share visited.",
    f"{RANKING} "
    "Average precision: precision over all capacities; chance is the share with the event.",
    INTERVALS,
    "Had left before: who had left before the date, with no later record of the home in the frame, "
    "is not judged.",
)
"""Definitions, for people who did not make the report."""
NOT_LEFT_OUT = "judged too"
"""In place of a number, where households that had the event before are judged like others."""


def as_document(done: BackTest, about: About) -> Document:
    """Writes the report.

    Args:
        done: The back-test.
        about: What was judged.

    Returns:
        The same for the same figures: it holds no time at which it was made.
    """
    found = done.found
    outcomes = [part for at in range(len(found.outcomes)) for part in _outcome(found, at)]
    return Document(
        title=f"Back-test: {found.name}",
        subtitle=f"Policy {about.policy!r}, scored as the households were known "
        f"{_when([one.date for one in found.dates])}.",
        sections=(
            *in_short(done),
            *outcomes,
            Section("What was read", tuple(what_was_read(done, about))),
            Section("How to read this", (Points(HOW_TO_READ),)),
        ),
        footer=_footer(found.smallest),
        rest="This is the report in short. Every date, group, factor and other order: --all "
        "prints them, --html FILE writes them with plots, and --json has every figure.",
    )


def _when(dates: list[datetime.date]) -> str:
    if len(dates) == 1:
        return f"on {on(dates[0])}"
    return f"on {len(dates)} dates from {on(dates[0])} to {on(dates[-1])}"


def _footer(smallest: int) -> tuple[str, ...]:
    return (
        "This report is made from residents' records, on the council's own machine, for people at "
        "the council. It is not differentially private. Nobody publishes it or sends it on but by "
        "a decision of a named person that is recorded.",
        f"Protected groups of fewer than {smallest} households, or with fewer than {smallest} "
        "events, show no figure, and are taken together where the rest would give them away. So "
        f"are bands and tenths of fewer than {smallest} households.",
        "That a policy finds an event says nothing of why it happens, and nothing of whether a "
        "visit prevents it. An event that is recorded less often in one group looks like less need "
        "there.",
    )


def _outcome(found: Evaluation, at: int) -> Iterator[Section]:
    over = found.outcomes[at]
    judged = [one.outcomes[at] for one in found.dates]
    yield Section(
        f"{over.name}: within {months_in_words(judged[0].months)}",
        tuple(_events(found, at)),
    )
    yield from dates_sections(found, at)
    shown = shown_date(found, at)
    if shown is not None:
        yield from date_sections(*shown, others=len(found.dates) > 1)


def _events(found: Evaluation, at: int) -> Iterator[Block]:
    """How many households had the event, and how many were lost from sight."""
    judged = [one.outcomes[at] for one in found.dates]
    some_lost = any(one.lost for one in judged)
    some_gone = any(one.gone for one in judged)
    dates = list(zip(found.dates, judged, strict=True))
    yield Sheet(
        "Households",
        (
            "Date",
            "Until",
            "Households",
            *(("Had left before",) if some_gone else ()),
            "Had it before",
            *(("Lost from sight",) if some_lost else ()),
        ),
        tuple(
            (
                judgement.date.isoformat(),
                one.until.isoformat(),
                count(one.households),
                *((count(one.gone),) if some_gone else ()),
                NOT_LEFT_OUT if one.before is None else count(one.before),
                *((count(one.lost),) if some_lost else ()),
            )
            for judgement, one in dates
        ),
    )
    yield Sheet(
        "Events",
        (
            "Date",
            "Events",
            "Share",
            LEVEL,
            *(("If of the lost none had it, or all",) if some_lost else ()),
        ),
        tuple(
            (
                judgement.date.isoformat(),
                f"under {found.smallest}" if one.events is None else count(one.events.hits),
                *share_cells(one.events),
                *((bounds(one.event_bounds),) if some_lost else ()),
            )
            for judgement, one in dates
        ),
    )
    notes = tuple(outcome_notes(found, at))
    if notes:
        yield Points(notes)
