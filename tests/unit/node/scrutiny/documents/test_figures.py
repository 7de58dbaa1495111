"""Exact figures over households stay out of documents; by a decision they come in, none small."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.scrutiny.documents.answers import Decision
from folkmoot_node.scrutiny.documents.dossier import STANDARDS
from folkmoot_node.scrutiny.documents.figures import FEWER, HIDDEN, SMALLEST, shown
from folkmoot_node.scrutiny.documents.page import as_page
from folkmoot_node.scrutiny.documents.reading import HELD, in_words
from folkmoot_node.scrutiny.documents.standard import build
from folkmoot_node.scrutiny.facts import Fact, Mark
from tests.fact_base import OWN, STORE, fact_base

DECISION = Decision(by="A. Khan, Data Protection Officer", reason="request 2026-114")
COUNTS = st.lists(st.integers(0, 60), min_size=1, max_size=8)


def _forms(value):
    return {str(value), in_words(value)}


def _leaves(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    else:
        yield value


@pytest.mark.parametrize("name", STANDARDS)
def test_without_a_decision_no_document_has_a_figure(name: str) -> None:
    document = build(STANDARDS[name], fact_base())
    page, text = as_page(document), json.dumps(document.as_json())
    for key, (_, value) in OWN.items():
        for one in _leaves(value):
            if len(str(one)) > 3:
                assert not any(form in page or form in text for form in _forms(one)), key
    for _, answer in document.answers():
        for one in answer.statements:
            assert all(used.value is None for used in one.used if used.key in OWN)
    assert document.as_json()["decision"] is None


def test_with_a_decision_figures_are_shown_with_it_and_small_ones_are_not() -> None:
    document = build(STANDARDS["foi"], fact_base(), DECISION)
    page, text = as_page(document), json.dumps(document.as_json())
    assert "51,234" in page
    assert DECISION.by in page
    assert DECISION.reason in page
    assert document.as_json()["decision"] == DECISION.model_dump()
    assert HELD not in page.split("<nav", 1)[1]
    values = {
        used["key"]: used["value"]
        for part in document.as_json().values()
        if isinstance(part, dict)
        for answer in part.values()
        if isinstance(answer, dict)
        for one in answer["statements"]
        for used in one["used"]
    }
    assert values["households.bands.high"] == FEWER, "7 households"
    assert values["households.bands.medium"] == HIDDEN, "else the total gives the 7 away"
    assert values["households.bands.low"] == 48_017
    assert "3210" not in text
    assert "3,210" not in page


@given(COUNTS)
def test_no_small_count_can_be_computed_from_those_beside_it_and_their_sum(counts) -> None:
    """Whoever knows the sum and what is shown knows only the sum of what is hidden."""
    found = list(shown(_facts(counts)).values())
    hidden = [n for n, said in zip(counts, found, strict=True) if said != n]
    assert all(said in (n, FEWER, HIDDEN) for n, said in zip(counts, found, strict=True))
    assert all(n not in found for n in counts if 0 < n < SMALLEST)
    if any(n for n, said in zip(counts, found, strict=True) if said == n):
        assert len(hidden) != 1
        assert not hidden or sum(hidden) >= SMALLEST
    if all(n == 0 or n >= SMALLEST for n in counts):
        assert found == counts


@pytest.mark.parametrize("decision", [None, DECISION])
def test_figures_that_are_missing_are_missing(decision) -> None:
    facts = fact_base(**{key.replace(".", "__"): None for key in OWN})
    document = build(STANDARDS["foi"], facts, decision)
    assert document.held == 0
    assert document.missing > 0


def test_counts_inside_a_value_are_hidden_in_the_same_way() -> None:
    groups = {"under_30": 4, "over_30": 25, "over_65": 80, "rate": 0.5, "name": "age"}
    (found,) = shown([_fact("equality.age", groups)]).values()
    assert found == groups | {"under_30": FEWER, "over_30": HIDDEN}
    (listed,) = shown([_fact("equality.list", (3, 40))]).values()
    assert listed == [FEWER, 40]


@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=5))
def test_no_share_of_the_audit_gives_a_small_count_away(table) -> None:
    """The sums of each group and each band are known: in neither just one is hidden."""
    groups = {
        f"g{at}": {
            "households": sum(row),
            "bands": {
                f"b{band}": {"share": n / max(1, sum(row)), "low": 0.0, "high": 1.0}
                for band, n in enumerate(row)
            },
        }
        for at, row in enumerate(table)
    }
    (found,) = shown([_fact("equality.age.groups", groups)]).values()
    is_hidden = [[of == HIDDEN for of in group["bands"].values()] for group in found.values()]
    for row, said in zip(table, is_hidden, strict=True):
        assert all(hid for n, hid in zip(row, said, strict=True) if 0 < n < SMALLEST)
    for lines in (zip(table, is_hidden, strict=True), _turned(table, is_hidden)):
        for line, said in lines:
            known = [n for n, hid in zip(line, said, strict=True) if not hid and n]
            if known and any(said):
                assert sum(said) > 1
                assert sum(n for n, hid in zip(line, said, strict=True) if hid) >= SMALLEST


def test_a_share_of_records_of_which_few_were_not_found_is_hidden() -> None:
    found = shown(
        [
            _fact("linkage.care.records", 5000),
            _fact("linkage.care.by_uprn", 4995),
            _fact("linkage.care.unlinked", 5),
            _fact("linkage.care.share", 0.999),
            _fact("linkage.tax.share", 0.98),
            _fact("linkage.share", 0.9992),
        ]
    )
    assert found["linkage.care.unlinked"] == FEWER
    assert found["linkage.care.by_uprn"] == HIDDEN
    assert found["linkage.care.share"] == found["linkage.share"] == HIDDEN
    assert found["linkage.tax.share"] == 0.98


@pytest.mark.parametrize(
    ("visits", "precision", "recall", "is_hidden"),
    [
        (100, 0.25, 0.25, False),
        (10, 0.2, 0.1, True),  # two households
        (100, 0.97, 0.25, True),  # three without the event
        (100, 0.5, 0.95, True),  # nearly three unvisited
        (100, 0.0, 0.0, False),  # that nobody had it is shown
        (100, 0.5, 1.0, False),
    ],
)
def test_a_share_of_a_back_test_that_stands_for_few_households_is_hidden(
    visits, precision, recall, is_hidden
) -> None:
    key = f"evaluation.outcomes.homeless.{{}}-at-{visits}-visits"
    values = [
        (name, {"mean": mean, "low": 0.0, "high": 1.0})
        for name, mean in (("precision", precision), ("recall", recall))
    ]
    found = shown([_fact(key.format(name), value) for name, value in values])
    for name, value in values:
        assert found[key.format(name)] == (HIDDEN if is_hidden else value)


@pytest.mark.parametrize(
    ("share", "households", "is_hidden"),
    [(0.0001, 51_234, True), (0.0, 51_234, True), (0.0002, 51_234, False), (0.2, None, True)],
)
def test_a_share_of_events_that_stands_for_few_households_is_hidden(
    share, households, is_hidden
) -> None:
    key = "evaluation.outcomes.homeless.share-of-events"
    value = {"mean": share, "low": 0.0, "high": 0.3}
    counts = [] if households is None else [_fact("households.scored", households)]
    assert shown([_fact(key, value), *counts])[key] == (HIDDEN if is_hidden else value)


def _turned(table, is_hidden):
    return zip(zip(*table, strict=True), zip(*is_hidden, strict=True), strict=True)


def _fact(key, value):
    return Fact(key, key, value, Mark.SYSTEM, STORE, own=True)


def _facts(counts):
    return [_fact(f"households.bands.b{at}", n) for at, n in enumerate(counts)]
