"""Weights for bad health, fitted from noisy tables of ten regions and from all people pooled.

Health is a stand-in for an outcome: it is asked at the same time as the circumstances. Regions of a
census sample stand for councils; each releases with the noise of the node's own mechanism.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.inference.federated_weights import Weights
from folkmoot_coordinator.publication.outcome_weights import RegionalWeights, regional_weights
from tests.outcome_region import asked, tabulated
from tests.realdata.conftest import COUNCILS
from tests.statistical.questions import exact, question, release

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

Int64 = NDArray[np.int64]
OUTCOME, BAD = "bad_health", ("4", "5")
FACTORS = {
    "age": ("Age", {code: f"age_{code}" for code in "2345678"}),
    "activity": ("Economic Activity", {code: f"activity_{code}" for code in "123456789"}),
    "family": ("Family Composition", {code: f"family_{code}" for code in "123456"}),
    "grade": ("Approximated Social Grade", {code: f"grade_{code}" for code in "1234"}),
}
"""Columns and codes of the circumstances, by name; people without one (children) are left out."""


def adults(people: Mapping[str, Mapping[str, str]]) -> dict[GssCode, Int64]:
    """By council outcome and levels of its people: int64, shape (people, 1 + factors)."""
    found: dict[GssCode, list[list[int]]] = {GssCode(code): [] for code in COUNCILS.values()}
    for person in people.values():
        levels = [
            list(codes).index(person[column]) if person[column] in codes else -1
            for column, codes in FACTORS.values()
        ]
        if min(levels) >= 0:
            row = [int(person["Health"] in BAD), *levels]
            found[GssCode(COUNCILS[person["Region"]])].append(row)
    return {council: np.array(rows) for council, rows in found.items()}


def federated(people: Mapping[GssCode, Int64], rho: str) -> RegionalWeights:
    """Weights of a round that all regions answered."""
    names = [OUTCOME, *FACTORS]
    attributes = (
        Attribute(OUTCOME, ("no", "yes")),
        *(Attribute(name, tuple(codes.values())) for name, (_, codes) in FACTORS.items()),
    )
    workload = Workload(
        attributes,
        (
            *(Marginal((name, OUTCOME)) for name in FACTORS),
            *(Marginal(pair) for pair in combinations(FACTORS, 2)),
        ),
    )
    round_ = question(workload, Rho.of(rho), sorted(people))
    released = {}
    for council, rows in people.items():
        plan = round_.plan(council)
        counted = tabulated(plan, dict(zip(names, rows.T, strict=True)))
        released[council] = release(plan, exact(plan, counted))
    return regional_weights(asked(round_, released, OUTCOME))


def pooled(rows: Int64, fitted: Weights) -> dict[tuple[str, str], float]:
    """A logistic regression on all people, with the columns that were fitted."""
    from sklearn.linear_model import LogisticRegression

    columns = [(one.factor, one.level) for one in fitted.coefficients if one.error > 0]
    places = {name: at + 1 for at, name in enumerate(FACTORS)}
    levels = {name: list(codes.values()) for name, (_, codes) in FACTORS.items()}
    design = np.stack(
        [rows[:, places[name]] == levels[name].index(level) for name, level in columns], axis=1
    ).astype(float)
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=5000).fit(design, rows[:, 0])
    return dict(zip(columns, model.coef_[0], strict=True))


@pytest.mark.parametrize("rho", ["0.5", "0.05"])
def test_weights_from_noisy_tables_are_as_far_from_those_of_all_people_as_is_said(
    census_people, rho
):
    """By noise and by what pairs leave open; `pytest -rP` shows the figures."""
    people = adults(census_people)
    rows = np.concatenate(list(people.values()))
    assert len(rows) > 40_000
    found = federated(people, rho).region
    truth = pooled(rows, found)
    fitted = [one for one in found.coefficients if one.error > 0]
    assert len(fitted) > 10
    off = np.array([(one.value or 0.0) - truth[one.factor, one.level] for one in fitted])
    stated = np.array([math.hypot(one.noise_error, one.left_open) for one in fitted])
    print(f"rho {rho}: {len(rows)} people, {rows[:, 0].sum()} in bad health")
    for one, difference in zip(fitted, off, strict=True):
        print(
            f"{one.factor} {one.level}: {one.value:.2f}, off by {difference:.2f}; noise "
            f"{one.noise_error:.2f}, with chance {one.error:.2f}, left open {one.left_open:.2f}"
        )
    # Weights of one factor share the noise of its reference level, so few are independent.
    assert float(np.sqrt(np.mean((off / stated) ** 2))) < 2
