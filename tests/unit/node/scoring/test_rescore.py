"""The score of a household with and without what it disputes."""

from __future__ import annotations

import datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_node.scoring.explain import explain_household
from folkmoot_node.scoring.known_inputs import Standing
from folkmoot_node.scoring.rescore import rescored
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.conftest import TODAY, people_rows, tax_rows


def again(node, uprn, **disputed):
    with node.open() as store:
        return rescored(
            store, node.config, node.plugins, node.policy, uprn, today=TODAY, **disputed
        )


def stored(node, uprn):
    with node.open() as store:
        return explain_household(store, node.config, node.plugins, node.policy, uprn, today=TODAY)


def known(value):
    return st.one_of(st.none(), value)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    homes=st.lists(
        st.tuples(
            known(st.floats(0, 1e6)),
            known(st.sampled_from(["owned", "rented"])),
            known(st.integers(0, 120)),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_it_is_the_stored_score_if_nothing_is_disputed(node, homes):
    uprns = list(range(1, len(homes) + 1))
    arrears, tenure, ages, people = zip(*homes, strict=True)
    node.tax.batches = [tax_rows(uprns, list(arrears), list(tenure), ["E01000001"] * len(uprns))]
    persons = [u for u, count in zip(uprns, people, strict=True) for _ in range(count)]
    node.people.batches = [
        people_rows(
            persons, [str(at) for at in range(len(persons))], [ages[u - 1] for u in persons]
        )
    ]
    node.score()
    for uprn in uprns:
        assert again(node, uprn) == stored(node, uprn)


def test_without_an_input_its_factor_is_unknown_and_not_zero(node):
    node.score()
    found = again(node, 2, without=["council_tax_arrears"])
    assert stored(node, 2).score == 100
    assert (found.score, found.band, found.completeness) == (40, "low", 0.4)
    assert [one.points for one in found.contributions] == [None, 30, 10]
    assert found.contributions[0].words == "Arrears are not known."
    entry = {one.field: one for one in found.inputs}["council_tax_arrears"]
    assert (entry.value, entry.standing) == (None, Standing.LEFT_OUT)
    assert "council_tax_arrears: unknown (left out, to see the score without it)" in found.as_text()


@pytest.mark.parametrize(
    "field, value, column",
    [
        ("council_tax_arrears", 700.0, "council_tax_arrears"),
        ("council_tax_arrears", 700, "council_tax_arrears"),
        ("tenure", "owned", "tenure"),
    ],
)
def test_another_value_scores_as_if_the_source_had_said_it(node, field, value, column):
    node.score()
    found = again(node, 2, instead={field: value})
    rows = node.tax.batches[0].filter(pl.col("uprn") != 2)
    own = {"council_tax_arrears": 3000.0, "tenure": "rented", field: value}
    mended = tax_rows([2], [float(own["council_tax_arrears"])], [own["tenure"]], ["E01000002"])
    node.tax.batches = [pl.concat([rows, mended])]
    node.score()
    expected = stored(node, 2)
    assert (found.score, found.band) == (expected.score, expected.band)
    assert found.contributions == expected.contributions
    entry = {one.field: one for one in found.inputs}[field]
    assert (entry.value, entry.standing) == (value, Standing.INSTEAD)


def test_a_number_of_people_can_be_another(node):
    node.score()
    assert again(node, 1, instead={"people": 1}).contributions[1].points == 30
    assert stored(node, 1).contributions[1].points == 0


def test_nothing_is_stored_of_it(node):
    node.score()
    before = node.config.store_path.read_bytes()
    again(node, 2, without=["tenure"])
    assert node.config.store_path.read_bytes() == before


def test_an_input_that_the_policy_does_not_use_is_named(node):
    node.score()
    with pytest.raises(Problem, match="council_tax_arears") as raised:
        again(node, 2, without=["council_tax_arears"])
    assert raised.value.exit_code is ExitCode.DATA
    assert "council_tax_arrears" in raised.value.remedy


def test_an_input_is_left_out_or_replaced_but_not_both(node):
    node.score()
    with pytest.raises(Problem, match="both"):
        again(node, 2, without=["tenure"], instead={"tenure": "owned"})


@pytest.mark.parametrize(
    "field, value",
    [
        ("council_tax_arrears", -1), ("council_tax_arrears", True),
        ("council_tax_arrears", float("nan")), ("council_tax_arrears", float("inf")),
        ("council_tax_arrears", "700"), ("tenure", "squatting"), ("tenure", 0),
        ("oldest_age", 121), ("oldest_age", 70.5), ("oldest_age", datetime.date(1950, 1, 1)),
        ("people", -1),
    ],
)  # fmt: skip
def test_a_value_that_the_field_cannot_have_is_refused_and_not_quoted(node, field, value):
    node.score()
    with pytest.raises(Problem, match=f"field {field!r}") as raised:
        again(node, 2, instead={field: value})
    assert str(value) not in raised.value.problem
