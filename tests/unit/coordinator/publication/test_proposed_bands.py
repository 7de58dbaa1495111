"""Bands of a proposal: moved where the round's tables tell scores, else left with the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.publication.outcome_round import OutcomeRound
from folkmoot_coordinator.publication.outcome_weights import regional_weights
from folkmoot_coordinator.publication.policy_proposal import Proposal, propose
from folkmoot_coordinator.rounds.policy_structure import read_policy
from tests.outcome_region import (
    COUNCILS,
    OUTCOME,
    Float64,
    Int64,
    a_round,
    asked,
    region,
    tabulated,
)
from tests.statistical.questions import exact, release

FACTORS = ("financial_hardship", "social_care_need", "child_need")
PLACES = {"financial_hardship": 0, "social_care_need": 2, "child_need": 3}
POINTS = {"financial_hardship": 10, "social_care_need": 20, "child_need": 15}
BANDS = {"none": 0, "low": 10, "high": 25}
TEXT = "".join(
    f'[[factors]]\nfactor = "{name}"\nweight = {points}\n\n' for name, points in POINTS.items()
) + "".join(
    f'# About {name}\n[[bands]]\nname = "{name}"\nfrom = {start}  # of 45\n\n'
    for name, start in BANDS.items()
)
WORKLOAD = Workload(
    (
        Attribute("band", tuple(BANDS)),
        Attribute(OUTCOME, ("no", "yes")),
        *(Attribute(name, ("no", "yes")) for name in FACTORS),
    ),
    (
        Marginal(("band", OUTCOME)),
        *(Marginal((name, OUTCOME)) for name in FACTORS),
        *(Marginal(pair) for pair in combinations(FACTORS, 2)),
    ),
)


@dataclass(frozen=True)
class Region:
    """Households and the round that counted them.

    Attributes:
        levels: Whether each household has each factor, int64, shape (households, factors).
        asked: The round.
    """

    levels: Int64
    asked: OutcomeRound

    def scores(self, points: dict[str, float]) -> Float64:
        """Of every household."""
        return self.levels @ np.array([points.get(name, 0) for name in FACTORS])


def counted(banded: Callable[[Float64], Int64], workload: Workload = WORKLOAD) -> Region:
    """A round at rho 0.5 of 60,000 households whose bands follow from their scores in some way."""
    round_ = a_round(workload=workload)
    numbers, levels = {}, []
    for council, of in region().items():
        mine = of.levels[:, list(PLACES.values())]
        columns = {name: mine[:, at] for at, name in enumerate(FACTORS)}
        scores = mine @ np.array(list(POINTS.values()), dtype=float)
        columns |= {"band": banded(scores), OUTCOME: of.event}
        plan = round_.plan(council)
        numbers[council] = release(plan, exact(plan, tabulated(plan, columns)))
        levels.append(mine)
    assert set(numbers) == set(COUNCILS)
    return Region(np.concatenate(levels), asked(round_, numbers))


def by_policy(scores: Float64) -> Int64:
    return np.searchsorted(list(BANDS.values())[1:], scores, side="right").astype(np.int64)


def proposed(found: Region, text: str = TEXT, *factors: str) -> Proposal:
    fitted = regional_weights(found.asked, factors)
    return propose(fitted, read_policy(text.encode(), "p"), {name: name for name in fitted.factors})


@pytest.fixture(scope="module")
def two_levels() -> Region:
    return counted(by_policy)


def test_as_many_households_are_in_each_band_as_before(two_levels: Region) -> None:
    found = proposed(two_levels)
    document = tomllib.loads(found.text)
    points = {one["factor"]: one["weight"] for one in document["factors"]}
    starts = {one["name"]: one["from"] for one in document["bands"]}
    assert points != POINTS
    assert starts != BANDS
    assert list(starts) == list(BANDS)
    assert sorted(starts.values()) == list(starts.values())
    before, after = two_levels.scores(dict(POINTS)), two_levels.scores(points)
    unmoved = [np.mean(after >= start) for start in BANDS.values()]
    for at, one in enumerate(found.bands.bands, 1):
        assert starts[one.band] == one.start
        assert one.before == BANDS[one.band]
        # What is said is true of the households, which nobody in the region has seen.
        assert np.mean(before >= one.before) == pytest.approx(one.counted, abs=0.005)
        assert np.mean(after >= one.start) == pytest.approx(one.expected, abs=0.01)
        possible = [np.mean(after >= score) for score in np.unique(after)]
        nearest = min(abs(share - one.counted) for share in possible)
        assert abs(one.expected - one.counted) < nearest + 0.01
        assert abs(one.expected - one.counted) <= abs(unmoved[at] - one.counted) + 0.01
        assert f"# About {one.band}" in found.text
        assert f"#   {one.band} from {one.before:g} -> {one.start:g}: " in found.text
    assert "  # of 45" in found.text
    assert found.facts()["bands_not_fitted"] is None


def test_bands_stay_and_the_reason_is_said(two_levels: Region) -> None:
    def stays(found: Proposal, why: str) -> None:
        assert found.bands.bands == ()
        assert why in found.bands.why_not
        assert f"# Bands start where they did and were not fitted: {found.bands.why_not}." in (
            found.text
        )
        assert "shares of households by band will move" in found.text
        document = tomllib.loads(found.text)
        assert {one["name"]: one["from"] for one in document["bands"]} == BANDS

    more = TEXT + '[[factors]]\nfactor = "cold_home"\nweight = 5\n'
    stays(proposed(two_levels, more), "does not say who has cold_home")
    stays(proposed(two_levels, TEXT, *FACTORS[:2]), "does not say who has child_need")
    other = TEXT.replace('name = "none"', 'name = "nothing"')
    found = proposed(two_levels, other)
    assert "does not count households by the policy's bands" in found.bands.why_not


def test_counts_that_contradict_the_points_in_force_tell_no_scores() -> None:
    """A third of the households have half of their points: a factor need not be wholly there."""

    def in_part(scores: Float64) -> Int64:
        return by_policy(np.where(np.arange(len(scores)) % 3 == 0, scores / 2, scores))

    found = proposed(counted(in_part))
    assert found.bands.bands == ()
    assert "do not tell scores" in found.bands.why_not


def test_of_a_factor_with_three_levels_points_are_not_known(two_levels: Region) -> None:
    from tests.outcome_region import WORKLOAD as THREE
    from tests.outcome_region import numbers

    round_ = a_round(workload=THREE)
    found = asked(round_, numbers(round_, region(4_000)))
    text = TEXT.replace("child_need", "isolation")
    result = proposed(Region(two_levels.levels, found), text)
    assert "how many points the levels of isolation give" in result.bands.why_not
