"""Regional statistics: values add, variances add, areas stay apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot.discrete_gaussian import half_width, variance
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot_coordinator.aggregate import ALL_AREAS, Level, RegionalStatistic, aggregate
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")


def counts(values: Sequence[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def by_key(statistic: RegionalStatistic) -> dict[tuple[str, ...], int]:
    rows = zip(*statistic.codes, strict=True) if statistic.codes else [()]
    return dict(zip(rows, statistic.value.tolist(), strict=True))


def test_a_region_of_two_councils_by_hand(office: Office) -> None:
    """rho 0.5 over weights 2, 1, 1: sigma^2 is 1 / (2 * 0.25) = 2, and twice 4."""
    round_ = office.open().round_
    bolton = counts([10, 20, 30, 40, 31, 71, 99])  # low a, low b, high a, high b; low, high; all
    bury = counts([5, 7, 6, 8, 15])  # low c, high c; low, high; all
    found = aggregate(round_, "Greater Manchester", {BOLTON: bolton, BURY: bury})

    assert [(one.level.value, one.place, one.marginal.name) for one in found] == [
        ("council", "E08000001", "band*lsoa"),
        ("council", "E08000002", "band*lsoa"),
        ("region", "Greater Manchester", "band*lsoa"),
        ("region", "Greater Manchester", "band*lsoa"),
        ("council", "E08000001", "band"),
        ("council", "E08000002", "band"),
        ("region", "Greater Manchester", "band"),
        ("council", "E08000001", "total"),
        ("council", "E08000002", "total"),
        ("region", "Greater Manchester", "total"),
    ]
    assert by_key(found[0]) == {
        ("low", "E01000001"): 10,
        ("low", "E01000002"): 20,
        ("high", "E01000001"): 30,
        ("high", "E01000002"): 40,
    }
    assert by_key(found[2]) == by_key(found[0]) | by_key(found[1])
    assert by_key(found[3]) == {("low", ALL_AREAS): 35, ("high", ALL_AREAS): 77}
    assert by_key(found[6]) == {("low",): 37, ("high",): 79}
    assert by_key(found[9]) == {(): 114}

    single = variance(math.sqrt(2))
    assert found[0].standard_error == pytest.approx(math.sqrt(single))
    assert found[2].standard_error == pytest.approx(math.sqrt(single))
    assert found[3].standard_error == pytest.approx(math.sqrt(3 * single)), "three areas"
    assert found[6].standard_error == pytest.approx(math.sqrt(2 * variance(2.0)))
    width = half_width(2 * 4.0)
    assert found[6].lower.tolist() == [37 - width, 79 - width]
    assert found[6].upper.tolist() == [37 + width, 79 + width]


def test_reliability_follows_the_coefficient_of_variation(office: Office) -> None:
    """The total has sigma^2 = 4, so its standard error is 2."""
    round_ = office.open().round_
    for total, cv, reliability in (
        (21, 2 / 21, "reliable"),
        (15, 2 / 15, "use with caution"),
        (11, 2 / 11, "use with caution"),
        (9, 2 / 9, "unreliable"),
        (0, math.nan, "unreliable"),
        (-50, math.nan, "unreliable"),
    ):
        found = aggregate(round_, "R", {BURY: counts([0, 0, 0, 0, total])})[-2]
        assert found.level is Level.COUNCIL
        assert found.coefficient_of_variation[0] == pytest.approx(cv, rel=1e-5, nan_ok=True)
        assert found.reliability.tolist() == [reliability]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    bolton=st.lists(st.integers(-(2**40), 2**40), min_size=7, max_size=7),
    bury=st.lists(st.integers(-(2**40), 2**40), min_size=5, max_size=5),
    rho=st.integers(4, 10**11),
)
def test_regions_are_sums_and_variances_add(
    office: Office, bolton: list[int], bury: list[int], rho: int
) -> None:
    round_ = replace(_cached_round(office), loss=Rho(rho))
    found = aggregate(round_, "R", {BOLTON: counts(bolton), BURY: counts(bury)})
    for marginal in round_.workload.marginals:
        of_marginal = [one for one in found if one.marginal == marginal]
        councils = [one for one in of_marginal if one.level is Level.COUNCIL]
        *by_area, together = [one for one in of_marginal if one.level is Level.REGION]
        assert together.value.sum() == sum(int(one.value.sum()) for one in councils)
        assert (together.standard_error**2).sum() == pytest.approx(
            sum(float((one.standard_error**2).sum()) for one in councils)
        )
        for regional in by_area:
            merged: dict[tuple[str, ...], int] = {}
            for one in councils:
                merged |= by_key(one)
            assert by_key(regional) == merged
        for one in of_marginal:
            assert (one.lower <= one.value).all()
            assert (one.upper - one.value == one.value - one.lower).all()


_round_cache: list[Any] = []


def _cached_round(office: Office) -> Any:
    if not _round_cache:
        _round_cache.append(office.open().round_)
    return _round_cache[0]


@pytest.mark.parametrize("rho", ["0.0003", "0.02", "0.7", "3", "12"])
def test_intervals_cover_at_least_what_they_promise(office: Office, rho: str) -> None:
    """By the exact distribution of one council's noise, for small noise and large."""
    round_ = replace(office.open().round_, loss=Rho.of(rho))
    total = aggregate(round_, "R", {BURY: counts([0] * 5)})[-2]
    sigma = round_.plan()[-1].sigma
    reach = range(-int(12 * sigma) - 3, int(12 * sigma) + 4)
    mass = {k: math.exp(-k * k / (2 * sigma * sigma)) for k in reach}
    covered = sum(weight for k, weight in mass.items() if total.lower[0] <= k <= total.upper[0])
    assert covered / sum(mass.values()) >= 0.95 - 1e-4


def test_counts_too_large_to_be_summed_are_a_problem(office: Office) -> None:
    round_ = office.open().round_
    for extreme in (2**63 - 1, -(2**63)):
        with pytest.raises(Problem, match="too large") as caught:
            aggregate(round_, "R", {BOLTON: counts([0] * 6 + [extreme]), BURY: counts([0] * 5)})
        assert caught.value.exit_code is ExitCode.VERIFICATION
        assert "E08000001" in caught.value.where


def test_without_any_release_there_is_nothing(office: Office) -> None:
    assert aggregate(office.open().round_, "R", {}) == ()
