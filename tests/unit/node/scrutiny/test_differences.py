"""Whatever changes in how a node is set up is named, in words that say how."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from folkmoot_node.scrutiny.differences import Kind, differences
from folkmoot_node.scrutiny.facts import Fact, Mark, Provenance
from tests.made_up_facts import (
    MADE_UP,
    another,
    approved,
    base_of,
    changed,
    fact,
    with_facts,
    without,
)

CONFIGURED = [one for one in MADE_UP.facts if one.configuration and not one.own]
OTHERS = [one for one in MADE_UP.facts if not one.configuration or one.own]


@pytest.mark.parametrize("mutated", CONFIGURED, ids=lambda one: one.key)
def test_a_change_of_any_fact_is_named(mutated: Fact) -> None:
    mark = Mark.PERSON if mutated.mark is Mark.MISSING else None
    now = approved(changed(mutated.key, another(mutated.value), mark=mark))
    (found,) = differences(approved(), now)
    assert (found.kind, found.key, found.facts) == (Kind.CHANGED, mutated.key, (mutated.key,))
    assert mutated.label in found.words
    assert now.sha256 != approved().sha256


@pytest.mark.parametrize("mutated", CONFIGURED, ids=lambda one: one.key)
def test_a_fact_that_comes_or_goes_is_named(mutated: Fact) -> None:
    less = approved(without(mutated.key))
    for before, now in ((approved(), less), (less, approved())):
        (found,) = differences(before, now)
        assert mutated.key in found.facts


@pytest.mark.parametrize("mutated", CONFIGURED, ids=lambda one: one.key)
def test_who_says_so_counts_too(mutated: Fact) -> None:
    mark = Mark.SYSTEM if mutated.mark is Mark.PERSON else Mark.PERSON
    (found,) = differences(approved(), approved(changed(mutated.key, mutated.value, mark=mark)))
    assert found.key == mutated.key
    assert {mutated.mark.value, mark.value} <= set(re.findall(r"\((.*?)\)", found.words)) or (
        mutated.mark is Mark.MISSING
    )


@pytest.mark.parametrize("mutated", OTHERS, ids=lambda one: one.key)
def test_what_the_node_has_done_and_figures_are_not_approved(mutated: Fact) -> None:
    now = approved(changed(mutated.key, another(mutated.value)))
    assert differences(approved(), now) == ()
    assert now.sha256 == approved().sha256


def test_where_a_fact_was_read_and_how_we_call_it_changes_nothing() -> None:
    moved = base_of(
        *(
            replace(one, provenance=Provenance("other"), label=one.label + "!")
            for one in MADE_UP.facts
        )
    )
    assert differences(approved(), approved(moved)) == ()


def test_a_thing_that_comes_or_goes_is_told_once_with_what_belongs_to_it() -> None:
    more = with_facts(
        fact("sources.rent.kind", "Sort of source that rent is", "sql"),
        fact("sources.rent.supplier", "Who supplies rent", "Rentsoft"),
    )
    (added,) = differences(approved(), approved(more))
    assert added.key == "sources.rent"
    assert added.facts == ("sources.rent.kind", "sources.rent.supplier")
    assert added.words == (
        "The source rent was added (sort of source that rent is: sql; who supplies rent: Rentsoft)."
    )
    (removed,) = differences(approved(more), approved())
    assert removed.kind is Kind.REMOVED
    assert removed.words.startswith("The source rent was removed")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("policy.risk.factors.damp.weight", 25, "was 20, and is 25 (25% more)."),
        ("policy.risk.factors.damp.weight", 10.5, "was 20, and is 10.5 (48% less)."),
        (
            "policy.risk.sunset",
            "2027-04-01",
            "was 31 March 2027, and is 1 April 2027 (1 day later).",
        ),
        (
            "policy.risk.sunset",
            "2026-03-31",
            "was 31 March 2027, and is 31 March 2026 (365 days earlier).",
        ),
        ("policy.release.attributes.band", False, "was yes, and is no."),
        ("policy.risk.factors.damp.inputs", ("mould",), "was mould, age, and is mould."),
        ("policy.risk.factors.damp.inputs", (), "was mould, age, and is none."),
        ("node.name", "", "was Trafford, and is empty."),
        ("node.name", "12041130", "was Trafford, and is 12041130."),  # a number of a company
        (
            "policy.risk.factors.damp.evidence",
            ({"url": "a", "finding": "A"}, {"url": "b", "finding": "B"}),
            "and is (finding: A; url: a), (finding: B; url: b).",
        ),
    ],
)
def test_words_say_how_far_a_value_has_moved(key: str, value: object, words: str) -> None:
    (found,) = differences(approved(), approved(changed(key, value)))  # type: ignore[arg-type]
    assert found.words.endswith(words)


@pytest.mark.parametrize(
    ("share", "words"), [(0.1, "was 9.1%, and is 10.0%."), (0.0911, "was 0.0909, and is 0.0911.")]
)
def test_shares_are_told_in_per_cent_as_far_as_that_shows_the_change(
    share: float, words: str
) -> None:
    key = "policy.risk.factors.damp.share"
    before = with_facts(fact(key, "Share of the highest score that is damp", 0.0909))
    (found,) = differences(approved(before), approved(changed(key, share, base=before)))
    assert found.words.endswith(words)


def test_of_long_texts_the_part_that_differs_is_shown() -> None:
    long = "All homes in the borough are looked at. " * 40
    before, now = (
        changed("scrutiny.owner.role", f"{long}Old."),
        changed("scrutiny.owner.role", f"{long}New."),
    )
    (found,) = differences(approved(before), approved(now))
    assert "Old, and is" in found.words
    assert found.words.endswith("New.")
    assert len(found.words) < 300


def test_an_answer_that_is_missing_now_is_said_to_be_missing() -> None:
    gone = changed("scrutiny.owner.role", None, mark=Mark.MISSING)
    (found,) = differences(approved(), approved(gone))
    assert found.words == "Who owns the tool: was Director of housing, and is missing."
