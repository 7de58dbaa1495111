"""Which marginals can be presented, and in which order they are fitted."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings

from folkmoot.strategy import Depths
from folkmoot_coordinator.aggregation.consistent_tables.fitting_order import (
    FittingOrder,
    LeftOut,
    fitting_order,
)
from tests.unit.coordinator.aggregation.nested_tables import Case, cases, sizes

LSOAS = [1, 60, 1000]
SIZES = [LSOAS, [1, 5], [1, 6], *[[1, 2]] * 12]


def subsets(of: range, *lengths: int, depth: int = 2) -> list[Depths]:
    """Tables over each choice of attributes; axis 0 at `depth`."""
    return [
        tuple((depth if at == 0 else 1) if at in chosen else 0 for at in range(len(SIZES)))
        for length in lengths
        for chosen in combinations(of, length)
    ]


def check(order: FittingOrder) -> None:
    """Each fit finds its sums fixed, two of them in one block for each cell they share."""
    fixed: list[Depths] = [tuple(0 for _ in SIZES)]

    def within(one: Depths) -> bool:
        return any(all(a <= b for a, b in zip(one, other, strict=True)) for other in fixed)

    for fit in order.fits:
        assert all(map(within, fit.fixed))
        assert not within(fit.table)
        if len(fit.fixed) == 2:
            assert tuple(map(max, *fit.fixed)) == fit.table
        # Whatever it shares with a table before it lies in one of the two.
        for other in fixed:
            shared = tuple(map(min, fit.table, other))
            assert any(all(a <= b for a, b in zip(shared, one, strict=True)) for one in fit.fixed)
        fixed.append(fit.table)
    assert all(map(within, order.presented))


@settings(deadline=None)
@given(cases())
def test_any_workload_has_an_order(case: Case) -> None:
    order = fitting_order(case.asked, sizes(case.axes), case.areas)
    assert set(order.presented) | set(order.left_out) == set(case.asked)
    for fit in order.fits:
        for one in (*fit.fixed, *fit.kept):
            assert one != fit.table
            assert all(a <= b for a, b in zip(one, fit.table, strict=True))


def test_large_totals_come_before_small_areas() -> None:
    """By ward before by LSOA, in any marginal, also where nobody asked for it."""
    asked = [(2, 1, 0, *[0] * 12), (2, 0, 1, *[0] * 12)]
    order = fitting_order(asked, SIZES, {0: 1})
    tables = [fit.table[:3] for fit in order.fits]
    assert tables == [
        (0, 1, 0), (0, 0, 1), (1, 0, 0), (1, 1, 0), (1, 0, 1), (2, 0, 0), (2, 1, 0), (2, 0, 1),
    ]  # fmt: skip
    check(order)


def test_all_pairs_are_presented_and_those_triples_that_make_no_circle() -> None:
    """No order lets every triple agree with the pairs: each triple has to bring a new pair."""
    every = range(len(SIZES))
    order = fitting_order(subsets(every, 0, 1, 2, 3), SIZES, {0: 1})
    check(order)
    assert set(subsets(every, 0, 1, 2)) <= set(order.presented)
    triples = [one for one in order.presented if sum(map(bool, one)) == 3]
    assert len(triples) == 91
    assert set(order.left_out.values()) == {LeftOut.CIRCLES}
    assert len(order.left_out) == 455 - 91


def test_what_is_more_important_is_presented_first() -> None:
    """Of all triples of four attributes, three can be presented: the first three."""
    triples = subsets(range(3, 7), 3)
    for asked in (triples, triples[::-1]):
        order = fitting_order(asked, SIZES)
        check(order)
        assert order.presented == tuple(asked[:3])
        assert order.left_out == {asked[3]: LeftOut.CIRCLES}


def test_a_marginal_that_holds_the_others_makes_no_circle() -> None:
    """Pairs of three attributes, and the three together: all sums of the last."""
    asked = [*subsets(range(3, 6), 2), *subsets(range(3, 6), 3)]
    for some in (asked, asked[::-1]):
        order = fitting_order(some, SIZES)
        check(order)
        assert order.presented == tuple(some)


def test_a_marginal_in_the_middle_is_fitted_before_its_neighbours() -> None:
    """a*b*c, and a*b*x, b*c*y, a*c*z: if the three came first, they would make a circle."""
    names = dict(zip("abcxyz", range(3, 9), strict=True))
    asked = [
        tuple(int(at in {names[letter] for letter in word}) for at in range(len(SIZES)))
        for word in ("abx", "bcy", "acz", "abc")
    ]
    order = fitting_order(asked, SIZES)
    check(order)
    assert not order.left_out


def test_a_marginal_that_is_too_large_is_left_out() -> None:
    asked = [(2, 1, 1, *[0] * 12), (2, 1, 0, *[0] * 12)]
    order = fitting_order(asked, SIZES, {0: 1}, limit=29_999)
    assert order.left_out == {asked[0]: LeftOut.TOO_LARGE}
    assert order.presented == (asked[1],)
    assert fitting_order(asked, SIZES, {0: 1}, limit=30_000).left_out == {}


@pytest.mark.parametrize("reason", list(LeftOut))
def test_each_reason_reads_as_part_of_a_sentence(reason: LeftOut) -> None:
    assert reason.value[0].islower()
    assert not reason.value.endswith(".")
