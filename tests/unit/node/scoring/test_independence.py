"""A factor that looks across households stops the run."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import polars as pl
import pytest
from scipy import stats

from folkmoot_node.plugins.loaded import Trust
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.scoring.run_scoring import RunScoring
from folkmoot_node.scoring.stratify import shuffled
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import ScoringContext
from tests.unit.node.conftest import TODAY, Arrears, tax_rows

COUNT = 1000
UNREVIEWED = Trust(is_shipped=False, is_reviewed=False)
REVIEWED = Trust(is_shipped=False, is_reviewed=True)
SHIPPED = Trust()
BY_OTHERS = "by what other households have"


def many(node):
    uprns = list(range(1, COUNT + 1))
    amounts = [float(at % 700) for at in uprns]
    node.tax.batches = [tax_rows(uprns, amounts, ["owned"] * COUNT, ["E01000001"] * COUNT)]


def scoring_by(formula):
    class Looking(Arrears):
        def __init__(self, parameters):
            super().__init__(parameters)
            self.seen = []  # of its own in each process, for which an object stands here

        def score(self, inputs, context):
            return formula(self, inputs["council_tax_arrears"])

    return Looking


def share_of_the_mean(_, arrears):
    return np.clip(arrears / np.nanmean(arrears) / 4, 0, 1)


def rank(_, arrears):
    return np.argsort(np.argsort(arrears)) / len(arrears)


def one_household_marks_all(_, arrears):
    return np.full(arrears.shape, 1.0 if (arrears == 699).any() else 0.0)


def the_one_before(_, arrears):
    return np.minimum(np.roll(arrears, 1) / 2000, 1.0)


def place_in_the_batch(_, arrears):
    return np.arange(len(arrears)) / len(arrears)


LOOKING = [share_of_the_mean, rank, one_household_marks_all, the_one_before, place_in_the_batch]


@pytest.mark.parametrize("standing", [SHIPPED, REVIEWED, UNREVIEWED], ids=str)
@pytest.mark.parametrize("formula", LOOKING)
def test_a_factor_that_looks_across_households_stops_the_run(node, formula, standing):
    many(node)
    node.standing = standing
    node.factors["arrears"] = scoring_by(formula)
    with pytest.raises(Problem, match=BY_OTHERS) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.FAULT
    assert "factor arrears" in str(raised.value)
    assert "test-plugin 1.2.3" in str(raised.value)
    assert not node.config.store_path.exists()


def large_batches_only(formula):
    """Behaves in a sample."""

    def hidden(factor, arrears):
        if len(arrears) < 200:
            return np.zeros(arrears.shape)
        return formula(factor, arrears)

    return hidden


def marks_from_one_household(factor, arrears):
    """All that come after one household has been seen, in this batch or another."""
    if (arrears == 699).any():
        factor.seen = [699]
    return np.full(arrears.shape, float(bool(factor.seen)))


def is_whole(factor, arrears):
    return np.full(arrears.shape, float(len(arrears) == COUNT))


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize(
    "formula",
    [large_batches_only(one_household_marks_all), marks_from_one_household, is_whole],
    ids=["one_household_marks_all", "marks_from_one_household", "is_whole"],
)
def test_what_hides_from_a_sample_is_found_in_the_halves(node, formula, partitions):
    if formula is is_whole and partitions > 1:
        pytest.skip("no batch is whole")
    many(node)
    text = (node.home / "node.toml").read_text()
    node.write_node(text.replace('"tax"\n', f'"tax"\npartitions = {partitions}\n', 1))
    node.standing = UNREVIEWED
    node.factors["arrears"] = scoring_by(formula)
    with pytest.raises(Problem, match=BY_OTHERS):
        node.score()


def run_scoring(node, **options):
    """Of the factor `arrears` alone."""
    node.standing = UNREVIEWED
    plugins = node.plugins
    binding = bind_for(node.policy, node.config, plugins, TODAY)
    factors = [bound for bound in binding.factors if bound.name == "arrears"]
    return RunScoring(factors, node.policy, ScoringContext(TODAY), **options)


def homes(*arrears):
    uprns = np.arange(len(arrears)) + 1
    return pl.DataFrame({"uprn": uprns, "council_tax_arrears": np.array(arrears, dtype=float)})


@pytest.mark.parametrize("others", [1, 3])
def test_a_household_that_moves_k_others_is_missed_at_most_once_in_2_to_the_k(node, others):
    """False alarm under 1 in 1,000,000."""

    def marks(_, arrears):
        return ((arrears == 1) & (arrears == 2).any()).astype(np.float64)

    node.factors["arrears"] = scoring_by(marks)
    households = homes(2, 3, *[1] * others)
    runs, missed = 400, 0
    scoring = run_scoring(node)
    for _ in range(runs):
        with suppress(Problem):
            scoring.stratify(households)
            missed += 1
    assert stats.binom.sf(missed - 1, runs, 2.0**-others) > 1e-6
    assert missed or others > 1  # of one other it is missed now and then, and the class says so


def test_where_people_are_linked_rounds_count_what_fresh_processes_have_scored(node):
    """They have not seen the records that linkage has moved between households."""
    made = []

    class Noting(Arrears):
        def score(self, inputs, context):
            made.append(self)
            return super().score(inputs, context)

    node.factors["arrears"] = Noting
    for apart in (False, True):
        scoring = run_scoring(node, apart=apart)
        (bound,) = scoring._factors
        scoring.stratify(homes(*range(40)))
        assert len(set(map(id, made))) == 3
        assert (bound.factor in made) is not apart
        made.clear()


@pytest.mark.parametrize("standing", [SHIPPED, REVIEWED, UNREVIEWED], ids=str)
def test_a_factor_that_counts_its_calls_stops_the_run(node, standing):
    class Counting(Arrears):
        def __init__(self, parameters):
            super().__init__(parameters)
            self.calls = 0

        def score(self, inputs, context):
            self.calls += 1
            return np.full(inputs["council_tax_arrears"].shape, 1 / self.calls)

    many(node)
    node.standing = standing
    node.factors["arrears"] = Counting
    with pytest.raises(Problem, match=BY_OTHERS):
        node.score()


@pytest.mark.parametrize("standing", [SHIPPED, REVIEWED, UNREVIEWED], ids=str)
def test_factors_that_look_at_one_household_go_on(node, standing):
    many(node)
    node.score()
    expected = node.rows()
    node.standing = standing
    assert node.score().households == COUNT
    assert node.rows().equals(expected)


def test_each_household_is_scored_again_in_one_of_two_fresh_companies(node):
    calls, kept = {}, []

    class Noting(Arrears):
        def score(self, inputs, context):
            kept.append(self)
            calls.setdefault(id(self), []).append(inputs["council_tax_arrears"].copy())
            return super().score(inputs, context)

    uprns = list(range(1, COUNT + 1))
    amounts = [float(at) for at in uprns]
    node.tax.batches = [tax_rows(uprns, amounts, ["owned"] * COUNT, ["E01000001"] * COUNT)]
    node.standing = UNREVIEWED
    node.factors["arrears"] = Noting
    node.score()
    (whole,), *halves = calls.values()
    # Each in two calls: what depends on the number of a call differs too.
    assert [len(half) for half in halves] == [2, 2]
    one, other = map(np.concatenate, halves)
    assert sorted(whole) == amounts
    assert sorted([*one, *other]) == amounts
    assert 400 < len(one) < 600  # 1 in 4e9 by chance
    # Each is in an order of its own, and none in that of the records.
    for order in (whole, one, other):
        assert not np.array_equal(order, np.sort(order))
    assert [x for x in whole if x in set(one)] != list(one)


@pytest.mark.parametrize("standing", [REVIEWED, UNREVIEWED], ids=str)
def test_factors_of_others_see_no_order_and_only_their_inputs(node, standing):
    orders, names = [], set()

    class Noting(Arrears):
        def score(self, inputs, context):
            names.update(inputs)
            if len(inputs["council_tax_arrears"]) == COUNT:
                orders.append(inputs["council_tax_arrears"].tolist())
            return super().score(inputs, context)

    uprns = list(range(1, COUNT + 1))
    amounts = [float(at) for at in uprns]
    node.tax.batches = [tax_rows(uprns, amounts, ["owned"] * COUNT, ["E01000001"] * COUNT)]
    node.standing = standing
    node.factors["arrears"] = Noting
    node.score()
    node.score()
    first, second = orders
    assert names == {"council_tax_arrears"}
    assert sorted(first) == sorted(second) == amounts
    assert first != second


def test_shuffled_orders_are_uniform():
    """Each number is at each place equally often: chi-squared, false alarm 1 in 1,000,000.

    The places of one order differ, so that this sum is `size / (size - 1)` times chi-squared.
    """
    size, repeats = 6, 6000
    places = np.zeros((size, size))
    for _ in range(repeats):
        places[np.arange(size), shuffled(size)] += 1
    expected = repeats / size
    statistic = ((places - expected) ** 2 / expected).sum() * (size - 1) / size
    assert statistic < stats.chi2.isf(1e-6, (size - 1) ** 2)
    assert sorted(shuffled(1000)) == list(range(1000))
    assert len(shuffled(0)) == 0
