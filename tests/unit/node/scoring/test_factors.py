"""Factors are called as promised, and held to what they promise."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_node.pipeline import run as scoring_run
from folkmoot_node.scoring import factors as factors_module
from folkmoot_node.scoring.bound import BoundFactor
from folkmoot_node.scoring.stratify import _points
from folkmoot_node.store import writer as store_writer
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import Input
from folkmoot_sdk.factor import NoParameters
from folkmoot_sdk.schema import FieldType
from tests.unit.node.conftest import ORIGIN, Alone

CANARY = "zq-canary-3107"
BOUND = BoundFactor("alone", 30, Alone, Alone(NoParameters()), (), ORIGIN)


def fault(node, score) -> Problem:
    node.factors["alone"].score = score
    with pytest.raises(Problem) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.FAULT
    assert raised.value.where == "factor alone, score"
    assert "test-plugin 1.2.3" in raised.value.problem
    return raised.value


@pytest.fixture(autouse=True)
def _restore(node):
    kept = node.factors["alone"].score
    yield
    node.factors["alone"].score = kept


@pytest.mark.parametrize(
    "result,message",
    [
        (np.zeros(2), "another shape"),
        (np.zeros((3, 1)), "another shape"),
        (np.zeros(3, dtype=np.float32), "float32"),
        (np.zeros(3, dtype=bool), "bool"),
        ([0.0, 0.0, 0.0], "list"),
        (None, "NoneType"),
        (np.array([0, 0, 1.0000001]), "outside 0 to 1"),
        (np.array([0, np.nan, -0.0001]), "outside 0 to 1"),
        (np.array([0, 0, np.inf]), "outside 0 to 1"),
    ],
    ids=str,
)
def test_what_a_factor_returns_is_checked(node, result, message):
    assert message in fault(node, lambda self, inputs, context: result).problem


def test_all_unknown_is_a_valid_answer(node):
    def score(self, inputs, context):
        return np.full(len(inputs["people"]), np.nan)

    node.factors["alone"].score = score
    assert node.score().incomplete == 3


def test_a_factor_that_fails_is_named_without_quoting_values(node):
    def fail(self, inputs, context):
        raise ValueError(CANARY)

    problem = fault(node, fail)
    assert "ValueError at test_factors.py:" in problem.problem
    assert CANARY not in str(problem)


def test_a_factor_cannot_write_to_its_inputs(node):
    def write(self, inputs, context):
        inputs["people"][0] = 7

    assert "ValueError" in fault(node, write).problem


def test_factors_receive_arrays_as_declared(node):
    seen = {}

    def look(name, kept):
        def score(self, inputs, context):
            # The first call has all households; a sample is scored again.
            seen.update({key: value for key, value in inputs.items() if key not in seen})
            seen["today"] = context.today
            return kept(self, inputs, context)

        return score

    for name in ("arrears", "renting"):
        node.factors[name] = type(
            name, (node.factors[name],), {"score": look(name, node.factors[name].score)}
        )
    node.score(reference_date=datetime.date(2026, 11, 5))
    assert seen["council_tax_arrears"].dtype == np.float64
    # Rows come in any order; the codes are in the factor's order: rented, owned, other.
    assert sorted(seen["tenure"].tolist()) == [-1, 0, 1]
    assert seen["tenure"].dtype == np.int16
    assert seen["today"] == np.datetime64("2026-11-05")
    assert not seen["tenure"].flags.writeable
    assert not seen["council_tax_arrears"].flags.writeable


def test_booleans_are_0_1_and_nan_and_dates_are_days():
    frame = pl.DataFrame(
        {"flag": [True, False, None], "day": [datetime.date(2026, 1, 2), None, None]}
    )
    from folkmoot_node.scoring.bound import BoundInput

    arrays = factors_module.input_arrays(
        frame,
        {
            "a": BoundInput(Input("flag", FieldType.BOOLEAN), True),
            "b": BoundInput(Input("day", FieldType.DATE), True),
        },
    )
    flag, day = arrays["a"], arrays["b"]
    assert flag.dtype == np.float64
    assert flag[:2].tolist() == [1, 0]
    assert np.isnan(flag[2])
    assert day.dtype == "datetime64[D]"
    assert day[0] == np.datetime64("2026-01-02")
    assert np.isnat(day[1:]).all()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("partitions", [None, 1, 7])
@pytest.mark.parametrize("memory", [0, 1024])
def test_division_into_parts_and_threads_does_not_matter(
    node, monkeypatch, threads, partitions, memory
):
    count = 1000
    rng = np.random.default_rng(5)
    tax = node.tax.batches[0]
    node.tax.batches = [
        pl.DataFrame(
            {
                "uprn": np.arange(count) + 1,
                "record_date": [datetime.date(2026, 1, 1)] * count,
                "council_tax_arrears": rng.random(count) * 2500,
                "tenure": rng.choice(["owned", "rented"], count),
                "lsoa": ["E01000001"] * count,
            }
        ).cast(tax.schema)
    ]
    node.score()
    expected = node.rows()
    monkeypatch.setattr(factors_module, "CHUNK", 64)
    monkeypatch.setattr("folkmoot_node.scoring.stratify.CHUNK", 64)
    monkeypatch.setattr(scoring_run, "ROW_GROUP", 100)
    assert store_writer.ROW_GROUP == 122_880
    text = (node.home / "node.toml").read_text()
    more = f'frame = "tax"\nthreads = {threads}\nmemory_mib = {memory}\n'
    if partitions:
        more += f"partitions = {partitions}\n"
    node.write_node(text.replace('frame = "tax"', more))
    node.score()
    assert node.rows().equals(expected)


def test_a_score_is_exactly_the_sum_of_its_contributions(node):
    text = node.config.risk_policy.read_text()
    node.write_policy(
        text.replace("weight = 60", "weight = 0.1")
        .replace("weight = 30", "weight = 0.2")
        .replace("weight = 10", "weight = 0.7")
        .replace("from = 60", "from = 0.3")
        .replace("from = 10", "from = 0.2")
    )
    node.tax.batches[0] = node.tax.batches[0].with_columns(
        council_tax_arrears=pl.lit(9000.0), tenure=pl.lit("owned")
    )
    node.score()
    rows = node.rows()
    points = [c for c in rows.columns if c.startswith("points_")]
    assert (rows.select(pl.sum_horizontal(points)).to_series() == rows["score"]).all()
    # 0.1 + 0.2 is 0.30000000000000004 in floating point, and below 0.3 in other sums.
    assert rows.filter(pl.col("uprn") == 2)["band"].to_list() == [2]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.floats(0, 1), st.sampled_from([0.1, 1, 7.5, 30, 100]))
def test_digits_below_thousandths_carry_nothing(score, weight):
    def thousandths(value):
        return factors_module._thousandths(BOUND, np.array([value]), 1)

    found = thousandths(score)
    assert abs(found[0] / 1000 - score) <= 0.0005 + 1e-12
    assert found[0] == np.rint(found[0])
    # What was rounded once is not rounded again.
    assert thousandths(found[0] / 1000) == found
    points = _points(found.copy(), weight)[0]
    assert points == np.rint(points)
    assert abs(points - found[0] * weight) <= 0.5 + 1e-9


def test_a_run_counts_scores_in_thousandths(node):
    def score(self, inputs, context):
        return np.where(inputs["people"] == 1, 0.1234567, 0.0004999)

    node.factors["alone"].score = score
    node.score()
    rows = node.rows()
    assert rows.filter(pl.col("uprn") == 2)["points_alone"].to_list() == [30 * 123]
    assert rows.filter(pl.col("uprn") == 1)["points_alone"].to_list() == [0]
