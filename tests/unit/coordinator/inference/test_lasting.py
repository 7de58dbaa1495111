"""Hotspots that come, last and go."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from folkmoot_coordinator.inference.hotspots import detectable, hotspots
from folkmoot_coordinator.inference.lasting import Course, hotspot_courses
from tests.grids import Region, touching

REGION = Region(20, (10, 10), (1.0, 4.0))
NEAR = touching(20, 20)
PLACES = {"new": (2, 2), "lasting": (2, 14), "fading": (14, 2)}
MIDDLE = {name: (row + 1) * 20 + column + 1 for name, (row, column) in PLACES.items()}


def weeks(seed: int, excess: float) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    hot = [{"fading"}, {"fading", "lasting"}, {"fading", "lasting"}, {"new", "lasting"}]
    found = []
    for names in hot:
        truth = rng.poisson(30, 400).astype(float)
        for name in names:
            truth[REGION.block(*PLACES[name], 3)] += excess
        found.append(truth + REGION.error * rng.normal(size=400))
    return found


def test_hotspots_are_new_lasting_and_fading() -> None:
    found = hotspot_courses(weeks(1, 25), [REGION.error**2] * 4, NEAR)
    for name, middle in MIDDLE.items():
        assert found.course[middle] is Course(name)
        assert found.certain[middle]
    assert found.lasted[list(MIDDLE.values())].tolist() == [1, 3, 0]
    assert found.change[MIDDLE["new"]] > 15
    assert found.change[MIDDLE["fading"]] < -15
    elsewhere = 10 * 20 + 17
    assert found.course[elsewhere] is Course.NONE
    assert not found.certain[elsewhere]
    assert found.hot.found.shape == (4, 400)


def test_a_hotspot_that_barely_passes_has_not_surely_changed() -> None:
    noisy = np.full(400, 8.0**2)
    rng = np.random.default_rng(2)
    truth = np.full(400, 30.0)
    truth[REGION.block(8, 8, 3)] += 13.0
    unsure = turned = 0
    for _ in range(60):
        both = [truth + 8 * rng.normal(size=400) for _ in range(2)]
        found = hotspot_courses(both, [noisy, noisy], NEAR)
        middle = 9 * 20 + 9
        if found.course[middle] in (Course.NEW, Course.FADING):
            turned += 1
            unsure += not found.certain[middle]
    assert turned >= 5
    assert unsure / turned > 0.7


def test_shared_noise_makes_a_change_more_certain() -> None:
    values, variance = weeks(3, 25), REGION.error**2
    alone = hotspot_courses(values, [variance] * 4, NEAR)
    shared = hotspot_courses(values, [variance] * 4, NEAR, covariance=0.75 * variance)
    np.testing.assert_allclose(shared.change_error, alone.change_error / 2)
    inside = np.append(NEAR.others[NEAR.starts[210] : NEAR.starts[211]], 210)
    assert alone.change[210] == pytest.approx((values[3] - values[2])[inside].mean())
    assert alone.change_error[210] == pytest.approx(np.sqrt(2 * variance[inside].sum()) / 9)


def test_one_period_has_no_course() -> None:
    with pytest.raises(ValueError, match="two periods"):
        hotspot_courses([np.ones(400)], [np.ones(400)], NEAR)


def test_noise_that_areas_of_a_council_share_counts_in_each_period_and_in_the_change() -> None:
    areas, draws = 400, 4000
    council = np.repeat(np.arange(2), 200)
    both = np.where(council[:, None] == council[None, :], 4.0, 0.0) + 5.0 * np.eye(areas)
    variance = np.diag(both).copy()
    rng = np.random.default_rng(7)
    flat = [np.full(areas, 30.0) + rng.multivariate_normal(np.zeros(areas), both) for _ in range(2)]
    found = hotspot_courses(flat, [variance, variance], NEAR, shared=[both, both])
    alone = hotspots(flat[1], variance, NEAR, covariance=both)
    np.testing.assert_allclose(found.periods[1].sums.error, alone.sums.error)
    moved = rng.multivariate_normal(np.zeros(areas), 2 * both, draws)
    middle = 9 * 20 + 9
    inside = np.append(NEAR.others[NEAR.starts[middle] : NEAR.starts[middle + 1]], middle)
    seen = moved[:, inside].mean(axis=1).std()
    assert found.change_error[middle] == pytest.approx(seen, rel=0.05)


def test_what_could_have_been_found_is_by_the_cut_off_of_all_periods() -> None:
    found = hotspot_courses(weeks(1, 25), [REGION.error**2] * 4, NEAR)
    last = found.periods[-1]
    assert found.hot.cut_off != pytest.approx(last.hot.cut_off)
    normal = replace(last.sums, skewness=np.zeros(400))
    expected = (NormalDist().inv_cdf(1 - found.hot.cut_off) + NormalDist().inv_cdf(0.8)) * (
        normal.error
    )
    np.testing.assert_allclose(detectable(normal, found.hot.cut_off), expected)
    np.testing.assert_allclose(last.detectable, detectable(last.sums, found.hot.cut_off))
