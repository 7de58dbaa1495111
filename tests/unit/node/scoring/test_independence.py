"""A factor that looks across households stops the run."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.conftest import Arrears, tax_rows

COUNT = 1000


def many(node):
    uprns = list(range(1, COUNT + 1))
    amounts = [float(at % 700) for at in uprns]
    node.tax.batches = [tax_rows(uprns, amounts, ["owned"] * COUNT, ["E01000001"] * COUNT)]


def share_of_the_mean(arrears):
    return np.clip(arrears / np.nanmean(arrears) / 4, 0, 1)


def rank(arrears):
    return np.argsort(np.argsort(arrears)) / len(arrears)


def one_household_marks_all(arrears):
    return np.full(arrears.shape, 1.0 if (arrears == 699).any() else 0.0)


def the_one_before(arrears):
    return np.minimum(np.roll(arrears, 1) / 2000, 1.0)


def place_in_the_batch(arrears):
    return np.arange(len(arrears)) / len(arrears)


@pytest.mark.parametrize(
    "formula",
    [share_of_the_mean, rank, one_household_marks_all, the_one_before, place_in_the_batch],
)
def test_a_factor_that_looks_across_households_stops_the_run(node, formula):
    class Looking(Arrears):
        def score(self, inputs, context):
            return formula(inputs["council_tax_arrears"])

    many(node)
    node.factors["arrears"] = Looking
    with pytest.raises(Problem, match="by what other households have") as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.FAULT
    assert "factor arrears" in str(raised.value)


def test_a_factor_that_counts_its_calls_stops_the_run(node):
    class Counting(Arrears):
        calls = 0

        def score(self, inputs, context):
            type(self).calls += 1
            return np.full(inputs["council_tax_arrears"].shape, 1 / self.calls)

    many(node)
    node.factors["arrears"] = Counting
    with pytest.raises(Problem, match="by what other households have"):
        node.score()


def test_factors_that_look_at_one_household_go_on(node):
    many(node)
    assert node.score().households == COUNT
