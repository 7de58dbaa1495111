"""A made-up region with a known outcome: what causes it, in which councils, and how it is counted.

Households have circumstances that go together, a band from them, and an event whose log odds are a
sum over the circumstances. A council's release is made by the node's own mechanism.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.privacy import Rho
from folkmoot.rounds import Round, RoundState
from folkmoot.strategy import Plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.cumulative import StoredRelease
from folkmoot_coordinator.publication.estimable import of_releases
from folkmoot_coordinator.publication.outcome_round import OutcomeRound
from folkmoot_coordinator.publication.round_result import Coverage
from folkmoot_coordinator.rounds.objective import Planning
from folkmoot_coordinator.rounds.round_store import StoredRound
from tests.statistical.questions import OPENED, exact, full_depths, question, release
from tests.tables import measured

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")
COUNCILS = (BOLTON, BURY, TRAFFORD)
OUTCOME = "arrears_order"
BANDS = ("none", "low", "high")
LEVELS = {
    "financial_hardship": ("no", "yes"),
    "isolation": ("no", "some", "much"),
    "social_care_need": ("no", "yes"),
    "child_need": ("no", "yes"),
}
EFFECTS = {
    "financial_hardship": (0.0, 1.1),
    "isolation": (0.0, 0.3, 0.7),
    "social_care_need": (0.0, 0.5),
    "child_need": (0.0, 0.0),
}
"""What each level adds to the log odds of the event."""
CONSTANT = -3.2
ATTRIBUTES = (
    Attribute("band", BANDS),
    Attribute(OUTCOME, ("no", "yes")),
    *(Attribute(name, codes) for name, codes in LEVELS.items()),
)
WORKLOAD = Workload(
    ATTRIBUTES,
    (
        Marginal(("band", OUTCOME)),
        *(Marginal((name, OUTCOME)) for name in LEVELS),
        *(Marginal(pair) for pair in combinations(LEVELS, 2)),
        Marginal(("financial_hardship", "band", OUTCOME)),
    ),
)


@dataclass(frozen=True, slots=True)
class Households:
    """Households of one council.

    Attributes:
        levels: Level of each circumstance, int64, shape (households, circumstances).
        band: Band, int64, shape (households,).
        chance: Of the event, float64, shape (households,).
        event: Whether it happened, int64, 0 or 1, shape (households,).
    """

    levels: Int64
    band: Int64
    chance: Float64
    event: Int64

    def again(self, seed: int) -> Households:
        """The same households, to which other events happened by the same chances."""
        drawn = np.random.default_rng(seed).random(len(self.chance)) < self.chance
        return replace(self, event=drawn.astype(np.int64))


def households(size: int, seed: int, recorded: float = 1.0) -> Households:
    """Made-up households.

    Args:
        size: How many.
        seed: Of the random numbers.
        recorded: Which share of events is recorded.
    """
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=size)
    found = []
    for number, codes in enumerate(LEVELS.values()):
        own = 0.7 * shared + rng.normal(size=size)
        cuts = [1.0] if len(codes) == 2 else [0.3, 1.4]
        found.append(np.searchsorted(cuts, own + 0.1 * number))
    levels = np.stack(found, axis=1)
    odds = CONSTANT + sum(
        np.array(effects)[levels[:, at]] for at, effects in enumerate(EFFECTS.values())
    )
    chance = recorded / (1 + np.exp(-odds))
    points = 2 * levels[:, 0] + levels[:, 1] + levels[:, 2] + levels[:, 3]
    band = np.searchsorted([1.5, 3.5], points)
    return Households(levels, band, chance, np.zeros(size, dtype=np.int64)).again(seed + 1)


def drawn_again(councils: Mapping[GssCode, Households], seed: int) -> dict[GssCode, Households]:
    """The same region, to which other events happened by the same chances."""
    return {
        council: of.again(len(councils) * seed + at)
        for at, (council, of) in enumerate(councils.items())
    }


def region(size: int = 20_000, seed: int = 0) -> dict[GssCode, Households]:
    """Three councils."""
    return {one: households(size, 10 * seed + 100 * at) for at, one in enumerate(COUNCILS)}


def table(round_: Round, council: GssCode, of: Households) -> Int64:
    """Households in each cell of the cross-product of the round's attributes, flat."""
    columns = {"band": of.band, OUTCOME: of.event} | {
        name: of.levels[:, at] for at, name in enumerate(LEVELS)
    }
    return tabulated(round_.plan(council), columns)


def finest(round_: Round, council: GssCode, of: Households) -> Int64:
    """The same, by the finest level of each axis."""
    return table(round_, council, of).reshape(_shape(round_.plan(council)))


def tabulated(plan: Plan, columns: Mapping[str, Int64]) -> Int64:
    """Counts in each cell of the cross-product of a plan's attributes, flat.

    Args:
        plan: The plan.
        columns: By attribute, the level of each household or person.
    """
    shape = _shape(plan)
    places = [columns[axis.levels[-1].attribute] for axis in plan.axes]
    cells = np.ravel_multi_index(tuple(places), shape)
    return np.bincount(cells, minlength=math.prod(shape)).astype(np.int64)


def _shape(plan: Plan) -> tuple[int, ...]:
    return tuple(map(Axis.size, plan.axes, full_depths(plan)))


def a_round(rho: str = "0.5", workload: Workload = WORKLOAD) -> Round:
    """The question."""
    return question(workload, Rho.of(rho), COUNCILS)


def numbers(
    round_: Round, councils: Mapping[GssCode, Households], *, noise: bool = True
) -> dict[GssCode, Int64]:
    """What each council releases, or what it would without noise."""
    found = {}
    for council, of in councils.items():
        plan = round_.plan(council)
        counted = table(round_, council, of)
        found[council] = (
            release(plan, exact(plan, counted))
            if noise
            else measured(plan, counted.reshape(_shape(plan)))
        )
    return found


def asked(round_: Round, released: Mapping[GssCode, Int64], outcome: str = OUTCOME) -> OutcomeRound:
    """A closed round, without a database."""
    known = of_releases(
        round_, "Region", {one: StoredRelease(found, None, None) for one, found in released.items()}
    )
    planning = Planning.as_written(round_.workload)
    stored = StoredRound(round_, b"", b"", RoundState.COMPLETE, OPENED + 3600, planning)
    covered = Coverage(tuple(sorted(released)), (), ())
    return OutcomeRound(stored, covered, known, round_.workload.attribute(outcome))


def pooled(councils: Sequence[Households]) -> Float64:
    """Weights of a logistic regression on all households together, the constant first."""
    from sklearn.linear_model import LogisticRegression

    levels = np.concatenate([one.levels for one in councils])
    design = np.stack(
        [
            (levels[:, at] == level).astype(float)
            for at, codes in enumerate(LEVELS.values())
            for level in range(1, len(codes))
        ],
        axis=1,
    )
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    model.fit(design, np.concatenate([one.event for one in councils]))
    return np.concatenate([model.intercept_, model.coef_[0]])
