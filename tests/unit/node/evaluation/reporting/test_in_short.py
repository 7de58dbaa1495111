"""The report in short: it fits a screen or two, and no caution is left out of it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from folkmoot_node.evaluation.back_test import BackTest
from folkmoot_node.evaluation.reporting.as_text import print_document
from folkmoot_node.evaluation.reporting.content import as_document
from folkmoot_node.evaluation.reporting.document import Points, Words
from folkmoot_node.evaluation.reporting.groups import which_are_small
from folkmoot_node.evaluation.reporting.in_short import INTERVALS
from tests.evaluation_reports import ABOUT, RARE, found_of

MOST_LINES = 100
"""At 80 columns, of one outcome that has figures and one that has none."""


@pytest.fixture(scope="module", params=["many dates", "small groups", "biased", "one date"])
def found(request: pytest.FixtureRequest) -> BackTest:
    cases: dict[str, dict[str, Any]] = {
        "many dates": {"dates": 12, "households": 1500, "factors": 12},
        "small groups": {"dates": 2, "households": 400, "rate": 0.08, "unknown_group": 0.02},
        "biased": {"dates": 2, "households": 6000, "recording": {"kite": 0.3}},
        "one date": {"dates": 1, "households": 1500, "lost": 0.2},
    }
    return found_of(**cases[request.param])


def text_of(found: BackTest, width: int = 80) -> str:
    out = io.StringIO()
    print_document(
        as_document(found, ABOUT),
        Console(file=out, width=width, highlight=False),
        everything=False,
    )
    return out.getvalue()


def words_of(found: BackTest) -> str:
    return " ".join(text_of(found, 300).split())


def test_it_fits(found: BackTest) -> None:
    lines = text_of(found).splitlines()
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= 80


def test_every_warning_and_caution_of_the_report_is_in_it(found: BackTest) -> None:
    document, text = as_document(found, ABOUT), words_of(found)
    said = [
        block.text
        for part in document.sections
        for block in part.blocks
        if isinstance(block, Words) and block.is_warning
    ]
    assert len(said) >= 2
    said += [INTERVALS, *document.footer]
    for at, over in enumerate(found.found.outcomes):
        said += over.notes
        for judgement in found.found.dates:
            figures = judgement.outcomes[at].figures
            if figures is None:
                said += judgement.outcomes[at].notes
        if figures is not None:  # of the latest date, which the report shows
            parts = (*figures.groups, figures.completeness)
            said += [words for part in parts for words in which_are_small(part)]
            said += [f"{one.drawn:,} of {one.tied:,} households with the same score"
                     for one in figures.at if one.drawn < one.tied]  # fmt: skip
            if judgement.outcomes[at].lost:
                assert "were lost from sight before the horizon ended" in text
                assert "had the event, or all, recall is" in text
    for sentence in said:
        assert " ".join(sentence.split()) in text


def test_every_share_and_difference_has_its_interval(found: BackTest) -> None:
    for part in as_document(found, ABOUT).sections:
        if not part.in_short:
            continue
        sentences = [words for block in part.blocks if isinstance(block, Points)
                     for words in block.items if words.startswith(("With", "Without"))]  # fmt: skip
        for words in sentences:
            shares = re.findall(r"[\d.]+% of the|AUC [+-]|recall [+-]", words)
            assert len(re.findall(r"\([^)]* to [^)]*\)", words)) == len(shares)


def test_of_few_events_it_says_why_there_is_no_figure(found: BackTest) -> None:
    text = words_of(found)
    assert f"{RARE}: no date has enough events for a figure." in text
    assert "Too few events to judge: fewer than 10 households had the event." in text


def test_a_group_whose_events_are_seldom_recorded_stands_out() -> None:
    said = words_of(found_of(2, 6000, recording={"kite": 0.3}))
    assert "These differ from all others by more than chance explains." in said
    assert re.search(
        r"ethnic_group, kite: the event happened 0\.\d\d times as often as to others with the same "
        r"score \(0\.\d\d to 0\.\d\d\), so that the score says too much of its need, or its "
        "events are recorded less often",
        said,
    )


def test_where_no_group_stands_out_it_says_how_far_one_may_differ() -> None:
    said = words_of(found_of(1, 1500, unknown=0.0, seed=2))
    assert (
        "No group stands out. That does not show that it finds all alike: with 500 visits" in said
    )


def test_of_no_groups_it_says_that_nobody_knows() -> None:
    found = found_of(1, 1500)
    [judgement] = found.found.dates
    [first, rare] = judgement.outcomes
    assert first.figures is not None
    bare = replace(first, figures=replace(first.figures, groups=()))
    dates = (replace(judgement, outcomes=(bare, rare)),)
    said = words_of(replace(found, found=replace(found.found, dates=dates)))
    assert "For whom does it fail? No figure: the policy names no field under [[equality]]" in said


@pytest.mark.parametrize(
    ("weights", "answer"),
    [([30.0, 20.0, 25.0, 5.0, 10.0, 2.0], "Better than chance."),
     ([0.0, 0.0, 0.0, 0.0, 0.0, 9.0], "Not shown.")],
)  # fmt: skip
def test_it_answers_whether_the_score_finds_need(weights: list[float], answer: str) -> None:
    said = words_of(found_of(1, 1500, weights=weights))
    assert f"Does the score find need? {answer} AUC" in said
