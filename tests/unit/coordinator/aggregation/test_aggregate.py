"""Regional statistics: values add, variances add, areas stay apart, marginals agree."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot.attributes import OTHER, Attribute
from folkmoot.geography import GssCode
from folkmoot.interval import GAUSSIAN_QUANTILE
from folkmoot.privacy import Rho
from folkmoot.rounds import Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.aggregate import ALL_AREAS, aggregate
from folkmoot_coordinator.aggregation.statistic import (
    RELIABILITIES,
    GeographicLevel,
    RegionalStatistic,
    coefficients_of_variation,
    reliability_numbers,
)
from folkmoot_operator.problems import ExitCode, Problem
from tests.tables import measured

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")
TRUTH = {BOLTON: [[10, 20], [30, 40]], BURY: [[5], [7]]}
"""Households by band (low, high) and area."""


def releases(round_: Round, truth: dict[GssCode, Any]) -> dict[GssCode, np.ndarray]:
    """What councils would release without noise."""
    return {council: measured(round_.plan(council), table) for council, table in truth.items()}


def by_key(statistic: RegionalStatistic) -> dict[tuple[str, ...], float]:
    rows = zip(*statistic.codes, strict=True) if statistic.codes else [()]
    return dict(zip(rows, statistic.value.tolist(), strict=True))


def test_a_region_of_two_councils_by_hand(office: Office) -> None:
    round_ = office.open().round_
    found = aggregate(round_, "Greater Manchester", releases(round_, TRUTH))

    assert [(one.level.value, one.place, one.marginal.name) for one in found] == [
        ("council", "E08000001", "band*lsoa"),
        ("council", "E08000002", "band*lsoa"),
        ("region", "Greater Manchester", "band*lsoa"),
        ("all_areas", "Greater Manchester", "band*lsoa"),
        ("council", "E08000001", "band"),
        ("council", "E08000002", "band"),
        ("region", "Greater Manchester", "band"),
        ("council", "E08000001", "total"),
        ("council", "E08000002", "total"),
        ("region", "Greater Manchester", "total"),
    ]
    assert by_key(found[0]) == pytest.approx(
        {
            ("low", "E01000001"): 10,
            ("low", "E01000002"): 20,
            ("high", "E01000001"): 30,
            ("high", "E01000002"): 40,
        }
    )
    assert by_key(found[2]) == by_key(found[0]) | by_key(found[1])
    assert by_key(found[3]) == pytest.approx({("low", ALL_AREAS): 35, ("high", ALL_AREAS): 77})
    assert by_key(found[6]) == pytest.approx({("low",): 35, ("high",): 77})
    assert by_key(found[9]) == pytest.approx({(): 112})

    plans = {council: round_.plan(council) for council in TRUTH}
    for at, council, marginal in ((0, BOLTON, ("band", "lsoa")), (5, BURY, ("band",))):
        variance = plans[council].mean_variance(marginal)
        assert found[at].standard_error == pytest.approx(math.sqrt(variance))
    together = sum(made.mean_variance(("band",)) for made in plans.values())
    assert found[6].standard_error == pytest.approx(math.sqrt(together))
    assert found[3].standard_error == pytest.approx(math.sqrt(together)), "all areas of the band"
    step = max(made.largest_step(("band",)) for made in plans.values())
    width = GAUSSIAN_QUANTILE * math.sqrt(together) + step / 2
    assert found[6].lower == pytest.approx([35 - width, 77 - width])
    assert found[6].upper == pytest.approx([35 + width, 77 + width])


def test_reliability_follows_the_coefficient_of_variation() -> None:
    value = np.array([21.0, 20.0, 15.0, 10.0, 9.9, 0.0, -50.0])
    variation = coefficients_of_variation(value, np.full(7, 2.0))
    reliability = RELIABILITIES[reliability_numbers(variation)]
    assert variation[:5] == pytest.approx(2 / value[:5])
    assert np.isnan(variation[5:]).all()
    assert reliability.tolist() == [
        "reliable",
        "use with caution",
        "use with caution",
        "use with caution",
        "unreliable",
        "unreliable",
        "unreliable",
    ]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), rho=st.integers(100, 10**11))
def test_regions_are_sums_and_marginals_agree(
    office: Office, data: st.DataObject, rho: int
) -> None:
    round_ = replace(_cached_round(office), loss=Rho(rho))
    noisy = {
        council: np.array(
            data.draw(
                st.lists(
                    st.integers(-(2**24), 2**24),
                    min_size=round_.plan(council).rows,
                    max_size=round_.plan(council).rows,
                )
            ),
            dtype=np.int64,
        )
        for council in (BOLTON, BURY)
    }
    found = aggregate(round_, "R", noisy)
    totals = {one.place: one.value.sum() for one in found if one.marginal.attributes == ()}
    shown = {one.place: one.presentable.sum() for one in found if one.marginal.attributes == ()}
    for marginal in round_.workload.marginals:
        of_marginal = [one for one in found if one.marginal == marginal]
        councils = [one for one in of_marginal if one.level is GeographicLevel.COUNCIL]
        *by_area, together = [one for one in of_marginal if one.place == "R"]
        scale = max(1.0, np.abs(together.value).max())
        assert together.value.sum() == pytest.approx(
            sum(one.value.sum() for one in councils), abs=scale * 1e-9
        )
        for regional in by_area:
            merged: dict[tuple[str, ...], float] = {}
            for one in councils:
                merged |= by_key(one)
            assert by_key(regional) == merged
        assert together.presentable.sum() == sum(one.presentable.sum() for one in councils)
        for one in of_marginal:
            assert one.presentable.min() >= 0
            assert one.presentable.sum() == shown[one.place]
            assert (one.lower <= one.value).all()
            assert one.value.sum() == pytest.approx(
                totals[one.place], abs=max(1.0, np.abs(one.value).max()) * 1e-9
            )


_round_cache: list[Any] = []


def _cached_round(office: Office) -> Any:
    if not _round_cache:
        _round_cache.append(office.open().round_)
    return _round_cache[0]


@pytest.mark.parametrize("rho", ["0.0003", "0.02", "0.7", "3", "12"])
def test_intervals_cover_at_least_what_they_promise(office: Office, rho: str) -> None:
    """By the exact distribution of one council's noise, for small noise and large."""
    only = Workload((Attribute("band", ("low",)),), (Marginal(()),))
    round_ = replace(office.open().round_, loss=Rho.of(rho), workload=only)
    total = aggregate(round_, "R", {BURY: np.zeros(1, dtype=np.int64)})[-2]
    sigma = math.sqrt(round_.plan(BURY).measurements[0].tau_squared)
    reach = range(-int(12 * sigma) - 3, int(12 * sigma) + 4)
    mass = {k: math.exp(-k * k / (2 * sigma * sigma)) for k in reach}
    covered = sum(weight for k, weight in mass.items() if total.lower[0] <= k <= total.upper[0])
    assert covered / sum(mass.values()) >= 0.95 - 1e-4


def test_nested_areas_agree_and_others_are_summed(office: Office) -> None:
    wards = {BOLTON: ("E05000001", "E05000002"), BURY: ("E05000003",)}
    lsoas = {BOLTON: ("E01000001", "E01000002", "E01000003"), BURY: ("E01000004",)}
    parents = dict(
        zip(
            ("E01000001", "E01000002", "E01000003", "E01000004"),
            ("E05000001", "E05000001", "E05000002", "E05000003"),
            strict=True,
        )
    )
    workload = Workload(
        (
            Attribute("ward", by_council=wards, others=True),
            Attribute("lsoa", by_council=lsoas, others=True, within="ward", parents=parents),
        ),
        (Marginal(("ward",)), Marginal(("lsoa",))),
    )
    round_ = replace(office.open().round_, workload=workload)
    truth = {BOLTON: [1, 2, 3, 4], BURY: [5, 6]}  # the last is outside every area
    found = aggregate(round_, "R", releases(round_, truth))
    regional = [by_key(one) for one in found if one.level is not GeographicLevel.COUNCIL]
    assert regional[0] == pytest.approx(
        {("E05000001",): 3, ("E05000002",): 3, ("E05000003",): 5, (OTHER,): 10}
    )
    assert regional[1] == pytest.approx({(ALL_AREAS,): 21})
    assert regional[2] == pytest.approx(
        {("E01000001",): 1, ("E01000002",): 2, ("E01000003",): 3, ("E01000004",): 5, (OTHER,): 10}
    )
    for one in found:
        assert one.presentable is not None
        assert one.presentable.dtype == np.int64
        assert one.presentable == pytest.approx(one.value)


def test_numbers_that_no_counts_give_are_a_problem(office: Office) -> None:
    round_ = office.open().round_
    for extreme in (2**63 - 1, -(2**63)):
        noisy = releases(round_, TRUTH)
        noisy[BOLTON][-1] = extreme
        with pytest.raises(Problem, match="no counts") as caught:
            aggregate(round_, "R", noisy)
        assert caught.value.exit_code is ExitCode.VERIFICATION
        assert "E08000001" in caught.value.where


def test_without_any_release_there_is_nothing(office: Office) -> None:
    assert aggregate(office.open().round_, "R", {}) == ()
