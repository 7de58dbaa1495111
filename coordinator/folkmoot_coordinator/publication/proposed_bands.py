"""Where the bands of a proposed policy start, so that as many households are in each as before.

Other points spread households over other scores. A round counts households by band, and by pairs of
factors; these tell how many would have which score only if

- every factor of the policy is in the tables, and each is either there or not: of a factor with
  more levels, no table says how many points a level gives;
- with the points in force, the tables give the shares of households by band that the round
  counted. This is checked, and is the test of everything that pairs leave open.

Otherwise bands are left where they are, and the reason is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.joint_distribution import Joint
from folkmoot_coordinator.inference.validation import Rate
from folkmoot_coordinator.publication.outcome_round import BAND, NO, YES
from folkmoot_coordinator.publication.outcome_weights import RegionalWeights
from folkmoot_coordinator.rounds.policy_structure import PolicyShown

Float64 = NDArray[np.float64]
NEAR = 0.02
"""How far a share of households may be from the one counted, beyond the noise."""


@dataclass(frozen=True, slots=True)
class ProposedBand:
    """Where one band starts; the lowest has none.

    Attributes:
        band: Name.
        before: Smallest score of the band in the policy.
        start: Smallest score that is proposed.
        counted: Share of households in this band or a higher one that the round counted.
        expected: The same with the points and bands proposed, by the round's tables.
    """

    band: str
    before: float
    start: float
    counted: float
    expected: float


@dataclass(frozen=True, slots=True)
class ProposedBands:
    """The bands of a proposal.

    Attributes:
        bands: All but the lowest, ascending; empty if they were not fitted.
        why_not: Why they were not, in a clause; empty if they were.
    """

    bands: tuple[ProposedBand, ...]
    why_not: str = ""

    def says(self) -> list[str]:
        """For people, in sentences."""
        if not self.bands:
            return [
                f"Bands start where they did and were not fitted: {self.why_not}.",
                "The highest score stays about the same, but shares of households by band will "
                "move.",
            ]
        return [
            "Bands were moved, so that about as many households are in each:",
            *(
                f"  {one.band} from {one.before:g} -> {one.start:g}: {one.expected:.1%} of "
                f"households in it or higher, {one.counted:.1%} counted"
                for one in self.bands
            ),
        ]


def propose_bands(
    fitted: RegionalWeights,
    policy: PolicyShown,
    stand_for: Mapping[str, str],
    points: Mapping[str, float],
) -> ProposedBands:
    """Proposes where bands start.

    Args:
        fitted: The weights.
        policy: The policy that the round names.
        stand_for: By factor of the policy the attribute of the round that stands for it.
        points: By factor the points proposed, 0 for one that is left out.
    """
    present = {one.name: one.weight for one in policy.factors if one.weight is not None}
    joint = fitted.region.joint
    why_not = _unknown(fitted, policy, stand_for, points, present)
    if why_not or joint is None:
        return ProposedBands((), why_not or "no table has the factors together")
    places = {factor: fitted.factors.index(stand_for[factor]) for factor in present}
    yes = {
        factor: fitted.asked.attribute(stand_for[factor]).codes_of(None).index(YES)
        for factor in present
    }
    counted = _counted(fitted)
    starts = [one.minimum or 0.0 for one in policy.bands]
    scores = _scores(joint, present, places, yes)
    for band, start, rate in zip(policy.bands[1:], starts[1:], counted, strict=True):
        share = _share(joint, scores, start)
        if rate.noise is None or not rate.noise[0] - NEAR <= share <= rate.noise[1] + NEAR:
            return ProposedBands(
                (),
                f"with the points in force its tables put {share:.1%} of households in "
                f"{band.name} or higher, and the round counted "
                f"{rate.part / rate.whole:.1%}, so that they do not tell scores",
            )
    scores = _scores(joint, points, places, yes)
    found: list[ProposedBand] = []
    for band, rate in zip(policy.bands[1:], counted, strict=True):
        below = found[-1].start if found else starts[0]
        possible = np.unique(scores[scores > below])
        if not len(possible):
            return ProposedBands((), "the points proposed give too few different scores")
        wanted = rate.part / rate.whole
        shares = np.array([_share(joint, scores, start) for start in possible])
        nearest = int(np.argmin(np.abs(shares - wanted)))
        found.append(
            ProposedBand(
                band.name,
                band.minimum or 0.0,
                float(possible[nearest]),
                wanted,
                float(shares[nearest]),
            )
        )
    return ProposedBands(tuple(found))


def _unknown(
    fitted: RegionalWeights,
    policy: PolicyShown,
    stand_for: Mapping[str, str],
    points: Mapping[str, float],
    present: Mapping[str, float],
) -> str:
    """Why the tables do not show scores; empty if they may."""
    workload = fitted.asked.stored.round_.workload
    bands = next((one for one in workload.attributes if one.name == BAND), None)
    names = tuple(one.name for one in policy.bands)
    if bands is None or bands.others or bands.codes != names:
        return "the round does not count households by the policy's bands"
    if len(names) < 2 or any(one.minimum is None for one in policy.bands):
        return "the policy does not say where its bands start"
    if not fitted.asked.tables().has((BAND,)):
        return "the round does not count households by band"
    missing = [name for name in present if name not in points]
    if missing:
        return f"the round does not say who has {', '.join(missing)}"
    for factor in present:
        codes = fitted.asked.attribute(stand_for[factor]).codes_of(None)
        if set(codes) != {NO, YES}:
            return f"how many points the levels of {stand_for[factor]} give is not known"
    return ""


def _counted(fitted: RegionalWeights) -> list[Rate]:
    """Share of households in each band or a higher one, but for the lowest."""
    tables = fitted.asked.tables()
    value = tables.values((BAND,))
    bands = len(value)
    weights = np.array([(np.arange(bands) >= at).astype(float) for at in range(bands)])
    noise = tables.covariance({(BAND,): weights})
    sums = weights @ value
    return [
        Rate(
            part=float(sums[at]),
            whole=float(sums[0]),
            variance_part=float(noise[at, at]),
            covariance=float(noise[at, 0]),
            variance_whole=float(noise[0, 0]),
            quantile=tables.quantile,
        )
        for at in range(1, bands)
    ]


def _scores(
    joint: Joint,
    points: Mapping[str, float],
    places: Mapping[str, int],
    yes: Mapping[str, int],
) -> Float64:
    """Score of each combination of levels: float64, shape (combinations,)."""
    found = np.zeros(len(joint.levels))
    for factor, worth in points.items():
        found += worth * (joint.levels[:, places[factor]] == yes[factor])
    return found


def _share(joint: Joint, scores: Float64, start: float) -> float:
    """Share of households with a score from `start` on."""
    return float(joint.households[scores >= start].sum() / joint.households.sum())
