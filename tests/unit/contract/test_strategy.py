"""The plan: what is measured, and the loss spent on it."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.strategy import plan
from folkmoot.workload import Marginal, Workload
from tests.unit.contract.strategies import rounds

TRAFFORD = GssCode("E08000009")


def flat(sizes: dict[str, int], *marginals: tuple[str, ...], weights: tuple[int, ...] = ()):
    attributes = tuple(
        Attribute(name, tuple(f"{name}{at}" for at in range(size))) for name, size in sizes.items()
    )
    chosen = weights or (1,) * len(marginals)
    return Workload(attributes, tuple(map(Marginal, marginals, chosen)))


def test_one_marginal_by_hand() -> None:
    """Four bands at rho 0.5: one household in each count, variance 1 / (2 rho) = 1 each.

    The total needs c = 4 (1/4)^2 = 1/4, the contrast c = 4 (3/4)^2 = 9/4; roots 1/2 and 3/2
    share rho as 1 : 3. Variances: (1/0.25)/16 = 1/4 and (1/0.75)(9/16) = 3/4, in all 1.
    """
    found = plan(flat({"band": 4}, ("band",)), TRAFFORD, Rho.of("0.5"))
    assert [(one.name, one.rows) for one in found.measurements] == [("total", 1), ("band", 4)]
    assert [one.rho.value for one in found.measurements] == pytest.approx([0.125, 0.375], abs=2e-9)
    assert found.mean_variance(("band",)) == pytest.approx(1)


def test_pairs_are_one_number_and_single_cells_none() -> None:
    found = plan(flat({"flag": 2, "one": 1}, ("flag", "one")), TRAFFORD, Rho.of("0.5"))
    assert [(one.name, one.rows) for one in found.measurements] == [("total", 1), ("flag", 1)]


@given(rounds())
@settings(max_examples=60, deadline=None)
def test_councils_share_the_axes_that_do_not_differ_between_them(round_) -> None:
    workload = round_.workload
    first, *others = (workload.axes(council) for council in round_.councils)
    for axes in others:
        for one, other in zip(first, axes, strict=True):
            differs = any(workload.attribute(level.attribute).is_area for level in one.levels)
            assert (one is other) != differs
    for council in round_.councils:
        for axis in workload.axes(council):
            for level in axis.levels:
                assert level.codes == workload.attribute(level.attribute).codes_of(council)


@given(rounds())
@settings(max_examples=60, deadline=None)
def test_the_shares_never_exceed_the_loss_and_use_it_up(round_) -> None:
    for council in round_.councils:
        made = round_.plan(council)
        assert made.rows <= round_.workload.rows_at_most(council)
        assert made == round_.plan(council)
        if made.is_pure:
            continue
        spent = sum(one.rho.nano for one in made.measurements)
        assert round_.loss.nano - len(made.measurements) <= spent <= round_.loss.nano
        assert all(one.rho.nano > 0 for one in made.measurements)


def test_an_attribute_that_no_marginal_uses_does_not_group_the_rows() -> None:
    """Two LSOAs of a ward are a pair, one row; beside those of another place they are three."""
    wards = {TRAFFORD: ("E05000001", "E05000002")}
    lsoas = {TRAFFORD: ("E01000001", "E01000002", "E01000003")}
    parents = {"E01000001": "E05000001", "E01000002": "E05000001", "E01000003": "E05000002"}
    ward = Attribute("ward", by_council=wards)
    lsoa = Attribute("lsoa", by_council=lsoas, within="ward", parents=parents)
    alone = Workload((ward, lsoa), (Marginal(("lsoa",)),))
    assert alone.rows_at_most(TRAFFORD) == plan(alone, TRAFFORD, Rho.of("0.5")).rows == 4
    both = Workload((ward, lsoa), (Marginal(("lsoa",)), Marginal(("ward",))))
    assert both.rows_at_most(TRAFFORD) >= plan(both, TRAFFORD, Rho.of("0.5")).rows == 3


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 6), min_size=1),
    st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=5, unique_by=frozenset),
    st.data(),
)
def test_variances_are_residualplanners(sizes, asked, data) -> None:
    """Against the closed form of the paper, written down anew.

    With p_A = prod (n - 1)/n over A, the variance of a cell of S is the sum over A below S
    of s_A prod_A (n - 1)/n prod_(S - A) 1/n^2, and the loss of s_A is p_A / (2 s_A).
    """
    marginals = [tuple(sorted(one & set(sizes))) for one in asked]
    marginals = list(dict.fromkeys(marginals))
    weights = tuple(data.draw(st.integers(1, 9)) for _ in marginals)
    rho = 0.5
    found = plan(flat(sizes, *marginals, weights=weights), TRAFFORD, Rho.of(rho))

    def below(marginal):
        return itertools.chain.from_iterable(
            itertools.combinations(marginal, size) for size in range(len(marginal) + 1)
        )

    def p(component):
        return math.prod((sizes[name] - 1) / sizes[name] for name in component)

    def v(component, marginal):
        return p(component) * math.prod(
            1 / sizes[name] ** 2 for name in marginal if name not in component
        )

    needs: dict[tuple[str, ...], float] = {}
    for marginal, weight in zip(marginals, weights, strict=True):
        cells = math.prod(sizes[name] for name in marginal)
        for component in below(marginal):
            needs[component] = needs.get(component, 0) + weight * cells * v(component, marginal)
    optimum = sum(math.sqrt(need * p(component)) for component, need in needs.items()) ** 2 / (
        2 * rho
    )
    ours = sum(
        weight * math.prod(sizes[name] for name in marginal) * found.mean_variance(marginal)
        for marginal, weight in zip(marginals, weights, strict=True)
    )
    assert ours == pytest.approx(optimum, rel=1e-6)


def test_nested_areas_share_what_they_need() -> None:
    """LSOA in ward costs less than half the loss for each, and tells the same."""
    wards = ("W1", "W2", "W3")
    lsoas = tuple(f"L{at}" for at in range(12))
    parents = {code: wards[at % 3] for at, code in enumerate(lsoas)}
    areas = (
        Attribute("ward", by_council={TRAFFORD: wards}),
        Attribute("lsoa", by_council={TRAFFORD: lsoas}, within="ward", parents=parents),
    )
    nested = plan(
        Workload(areas, (Marginal(("ward",), 4), Marginal(("lsoa",)))), TRAFFORD, Rho.of("1")
    )
    halves = plan(Workload(areas[:1], (Marginal(("ward",)),)), TRAFFORD, Rho.of("0.5"))
    assert nested.mean_variance(("ward",)) < halves.mean_variance(("ward",))
    assert [one.name for one in nested.measurements] == ["total", "ward", "lsoa"]
    assert nested.largest == ((2,),)
