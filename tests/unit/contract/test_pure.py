"""Plans under pure differential privacy, against least squares written out in full."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Epsilon
from folkmoot.pure import laplace_variance, plan_pure
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.reconstruct import Reconstruction

TRAFFORD = GssCode("E08000009")


def flat(sizes: dict[str, int], marginals: list[tuple[str, ...]], weights: list[int]) -> Workload:
    attributes = tuple(
        Attribute(name, tuple(f"{name}{at}" for at in range(size))) for name, size in sizes.items()
    )
    return Workload(attributes, tuple(map(Marginal, marginals, weights)))


@pytest.mark.parametrize("epsilon", ["0.05", "0.7", "3"])
def test_the_variance_is_that_of_the_distribution(epsilon: str) -> None:
    value = float(epsilon)
    mass = {k: math.exp(-value * abs(k)) for k in range(-2_000, 2_001)}
    expected = sum(k * k * weight for k, weight in mass.items()) / sum(mass.values())
    assert laplace_variance(Epsilon.of(epsilon)) == pytest.approx(expected, rel=1e-9)


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 4), min_size=1),
    st.lists(st.sets(st.sampled_from("abc")), min_size=1, max_size=4),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_estimates_are_generalised_least_squares(sizes, asked, data) -> None:
    names = list(sizes)  # the order of the axes
    marginals = list(dict.fromkeys(tuple(n for n in names if n in one) for one in asked))
    weights = [data.draw(st.integers(1, 9)) for _ in marginals]
    loss = Epsilon.of("0.8")
    made = plan_pure(flat(sizes, marginals, weights), TRAFFORD, loss)
    spent = sum(measured.epsilon.nano for measured in made.measurements)
    assert loss.nano - len(marginals) <= spent <= loss.nano

    shape = [sizes[name] for name in names]
    cells = math.prod(shape)

    def query(marginal):
        rows = []
        for key in itertools.product(*(range(sizes[name]) for name in marginal)):
            row = np.zeros(shape)
            row[tuple(key[marginal.index(n)] if n in marginal else slice(None) for n in names)] = 1
            rows.append(row.ravel())
        return np.array(rows)

    design = np.concatenate([query(marginal) for marginal in marginals])
    variances = np.concatenate(
        [
            np.full(measured.rows, laplace_variance(measured.epsilon))
            for measured in made.measurements
        ]
    )
    noisy = np.array(
        data.draw(st.lists(st.integers(-99, 99), min_size=len(design), max_size=len(design)))
    )
    information = np.linalg.pinv(design.T @ (design / variances[:, None]))
    table = information @ design.T @ (noisy / variances)
    assert table.shape == (cells,)
    known = Reconstruction(made, noisy.astype(np.int64))
    for marginal in marginals:
        found = known.marginal(marginal)
        asked_for = query(marginal)
        assert found.value.ravel() == pytest.approx(asked_for @ table, abs=1e-6)
        covariance = asked_for @ information @ asked_for.T
        assert found.variance.ravel() == pytest.approx(np.diag(covariance), rel=1e-6)


def test_an_absurd_loss_can_be_planned_so_that_it_can_be_shown() -> None:
    made = plan_pure(flat({"a": 3}, [("a",), ()], [1, 1]), TRAFFORD, Epsilon.of(1_414))
    assert 0 <= made.mean_variance(("a",)) < 1e-100
