"""The rules over candidates, without any comparison of identifiers."""

from __future__ import annotations

import datetime
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.linkage.person_matcher import PERSONA, RECORD, WEIGHT
from folkmoot_node.linkage.resolve import (
    OTHER,
    PERSON,
    PROBABILITY,
    bits,
    homes,
    weighed,
    who,
)
from folkmoot_node.settings.people import SeveralHouseholds

PAIR = {PERSONA: pl.Int64, OTHER: pl.Int64}


def told_apart(
    personas: list[int], same: list[tuple[int, int]], alike: list[tuple[int, int]] = ()
) -> dict[int, int]:
    """Person of each persona that is a candidate of one record."""
    candidates = pl.DataFrame({RECORD: 0, PERSONA: personas}, schema_overrides={PERSONA: pl.Int64})
    both = [*same, *((b, a) for a, b in same)]
    found = who(
        candidates.with_columns(pl.col(RECORD).cast(pl.Int64)),
        pl.DataFrame(both, PAIR, orient="row"),
        pl.DataFrame(list(alike), PAIR, orient="row"),
    )
    return dict(found.select(PERSONA, PERSON).iter_rows())


def test_chains_are_one_person():
    assert told_apart([5, 3, 9, 7], [(5, 9), (9, 3)]) == {5: 3, 3: 3, 9: 3, 7: 7}


def test_only_candidates_of_the_record_tie_others_together():
    assert told_apart([1, 3], [(1, 2), (2, 3)]) == {1: 1, 3: 3}


def test_a_nameless_persona_is_the_only_person_that_it_may_be():
    assert told_apart([1, 2], [], [(2, 1)]) == {1: 1, 2: 1}
    assert told_apart([1, 2, 3], [(1, 3)], [(2, 1), (2, 3)]) == {1: 1, 2: 1, 3: 1}


def test_a_nameless_persona_that_may_be_two_is_neither():
    assert told_apart([1, 2, 3], [], [(2, 1), (2, 3)]) == {1: 1, 2: 2, 3: 3}


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12))
def test_persons_are_connected_components(edges):
    found = told_apart(list(range(8)), [(a, b) for a, b in edges if a != b])
    group = {node: {node} for node in range(8)}
    for a, b in edges:
        merged = group[a] | group[b]
        for node in merged:
            group[node] = merged
    assert found == {node: min(group[node]) for node in range(8)}


def probabilities(weights: list[float]) -> list[float]:
    candidates = pl.DataFrame(
        {
            RECORD: [0] * len(weights),
            PERSONA: range(len(weights)),
            PERSON: range(len(weights)),
            WEIGHT: weights,
            "may_link": [True] * len(weights),
        }
    )
    return weighed(candidates)[PROBABILITY].to_list()


def test_one_candidate_has_the_probability_of_its_weight():
    for probability in (0.5, 0.9, 0.999):
        assert probabilities([bits(probability)]) == [pytest.approx(probability)]


def test_two_alike_share():
    assert probabilities([30.0, 30.0]) == [pytest.approx(0.5)] * 2


@given(st.lists(st.floats(-60, 2000), min_size=1, max_size=6))
def test_probabilities_of_persons_and_nobody_add_up(weights):
    found = probabilities(weights)
    assert all(0 <= value <= 1 for value in found)
    assert sum(found) <= 1 + 1e-9
    best = max(range(len(weights)), key=lambda at: weights[at])
    assert found[best] == max(found)
    nobody = 1 / (1 + sum(2.0 ** min(weight, 1000) for weight in weights))
    if max(weights) < 900:
        assert math.isclose(1 - sum(found), nobody, abs_tol=1e-9)


DAYS = [None, datetime.date(2019, 1, 1), datetime.date(2024, 1, 1)]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 2), st.sampled_from(DAYS)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(SeveralHouseholds),
    st.randoms(use_true_random=False),
)
def test_households_are_those_of_the_latest_date_in_any_order(rows, several, random):
    schema = {PERSONA: pl.Int64, "uprn": pl.Int64, "source": pl.Int64, "record_date": pl.Date}
    people = pl.DataFrame({RECORD: [9, 9, 9], PERSON: [0, 0, 0], PERSONA: [0, 1, 2]})
    found = homes(people, pl.DataFrame(rows, schema, orient="row"), several)
    latest = max(date or datetime.date.min for *_, date in rows)
    at_latest = [row for row in rows if (row[3] or datetime.date.min) == latest]
    if several is SeveralHouseholds.LATEST:
        first = min(row[2] for row in at_latest)
        at_latest = [row for row in at_latest if row[2] == first]
    assert found.rows() == [(9, 0, uprn) for uprn in sorted({row[1] for row in at_latest})]
    shuffled = random.sample(rows, len(rows))
    assert homes(people, pl.DataFrame(shuffled, schema, orient="row"), several).equals(found)
