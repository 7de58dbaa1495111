"""The self-test of the sampler passes the one that is right, and stops those that are not.

A sampler that is right fails once in 1e9 tests (`self_test.FALSE_ALARM`); the others are found
at the stated rate at least, each many times over.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from folkmoot.rounds import Mechanism
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.release import mechanism
from folkmoot_node.release.self_test import (
    DRAWS,
    Distribution,
    Int64,
    discrete_gaussian,
    discrete_laplace,
    find_fault,
)
from folkmoot_operator.problems import ExitCode, Problem
from tests.statistical import fit
from tests.unit.node.privacy_half import PrivacyHalf, question

TIMES = 200
SCALE = 20.0
Draw = Callable[[np.random.Generator, float], Int64]


@pytest.fixture(autouse=True)
def _not_tested_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mechanism, "_TESTED", {})


def gaussian(random: np.random.Generator, sigma: float) -> Int64:
    numbers, chances = fit.discrete_gaussian(sigma)
    return random.choice(numbers, DRAWS, p=chances)


def laplace(random: np.random.Generator, scale: float) -> Int64:
    numbers, chances = fit.discrete_laplace(scale)
    return random.choice(numbers, DRAWS, p=chances)


SAMPLERS: list[tuple[Draw, Distribution]] = [
    (gaussian, discrete_gaussian(SCALE)),
    (laplace, discrete_laplace(SCALE)),
]


def found(draw: Callable[[np.random.Generator], Int64], expected: Distribution) -> float:
    random = np.random.default_rng(20261129)
    return sum(bool(find_fault(draw(random), expected)) for _ in range(TIMES)) / TIMES


@pytest.mark.parametrize("draw, expected", SAMPLERS, ids=["gaussian", "laplace"])
def test_noise_that_is_right_is_let_through(draw: Draw, expected: Distribution) -> None:
    assert found(lambda random: draw(random, SCALE), expected) == 0


@pytest.mark.parametrize("factor", [0.5, 0.8, 0.9, 1.1, 1.25, 2.0])
@pytest.mark.parametrize("draw, expected", SAMPLERS, ids=["gaussian", "laplace"])
def test_a_scale_that_is_wrong_by_a_tenth_is_found(
    draw: Draw, expected: Distribution, factor: float
) -> None:
    assert found(lambda random: draw(random, factor * SCALE), expected) > 0.85


SHAPES: dict[str, Callable[[np.random.Generator], Int64]] = {
    "no noise": lambda _: np.zeros(DRAWS, dtype=np.int64),
    "the same for every cell": lambda random: np.full(DRAWS, gaussian(random, SCALE)[0]),
    "the same again": lambda random: np.tile(gaussian(random, SCALE)[: DRAWS // 2], 2),
    "never negative": lambda random: np.abs(gaussian(random, SCALE)),
    "shifted": lambda random: gaussian(random, SCALE) + 4,
    "a tenth without noise": lambda random: gaussian(random, SCALE) * (random.random(DRAWS) > 0.1),
    "laplace of that deviation": lambda random: laplace(random, SCALE / 2**0.5),
    "uniform of that deviation": lambda random: random.integers(-35, 36, DRAWS),
    "far out": lambda random: gaussian(random, SCALE) * 10**15,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_another_shape_is_found(shape: str) -> None:
    assert found(SHAPES[shape], discrete_gaussian(SCALE)) > 0.99


@pytest.mark.parametrize("kind", [Mechanism.DISCRETE_GAUSSIAN, Mechanism.DISCRETE_LAPLACE])
def test_the_sampler_that_is_used_is_sound(kind: Mechanism) -> None:
    for threads in (1, 2):
        mechanism._TESTED.clear()
        mechanism.require_sound_sampler(kind, threads)


def without_noise(exact: list[int]) -> list[int]:
    return exact


Change = Callable[[Callable[..., object]], Callable[..., object]]
BROKEN: dict[str, Change] = {
    "no noise": lambda _: lambda *_: without_noise,
    "half the noise": lambda make: lambda rho, squared: make(rho.__class__(4 * rho.nano), squared),
    "the sensitivity left out": lambda make: lambda rho, _: make(rho, 1),
    "no noise on numbers above 9": lambda make: (
        lambda rho, squared: (
            lambda exact: [
                one if one > 9 else noisy
                for one, noisy in zip(exact, make(rho, squared)(exact), strict=True)
            ]
        )
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_sampler_releases_nothing_and_spends_nothing(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mechanism, "_gaussian", BROKEN[broken](mechanism._gaussian))
    with StateDatabase(tmp_path / "state.sqlite", create=True) as state:
        half = PrivacyHalf(state)
        for _ in range(2):  # it is not tried again until it happens to pass
            with pytest.raises(Problem, match="does not draw the noise") as caught:
                half.answer(question())
            assert caught.value.exit_code is ExitCode.VERIFICATION
        assert half.ledger.debits() == ()
        assert half.outbox.answers() == ()
        assert half.tabulated == 0


def test_it_is_tested_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    original = mechanism._drawn

    def note(tasks: list[mechanism._Task], rows: int, threads: int) -> Int64:
        drawn.append(rows)
        return original(tasks, rows, threads)

    monkeypatch.setattr(mechanism, "_drawn", note)
    now = [1000.0]
    # Here alone: servers in threads of this process wait by the clock of the module `time`.
    monkeypatch.setattr(mechanism, "monotonic", lambda: now[0])
    for later, tests in ((0, 1), (3600, 1), (86_400, 2)):
        now[0] = 1000.0 + later
        mechanism.require_sound_sampler(Mechanism.DISCRETE_GAUSSIAN)
        assert drawn == [DRAWS] * tests
