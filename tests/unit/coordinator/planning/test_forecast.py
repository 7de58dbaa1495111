"""What a round would tell, and what would help."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.interval import half_width
from folkmoot.privacy import Delta, Epsilon, Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.planning.advice import POOR, coarser, remedies
from folkmoot_coordinator.planning.cell_sizes import EqualCells
from folkmoot_coordinator.planning.coefficient_of_variation import factor_for, usable_share
from folkmoot_coordinator.planning.comparison import compare, other_mechanism, other_objective
from folkmoot_coordinator.planning.forecast import Forecast
from folkmoot_coordinator.rounds.objective import Objective, Planning, planned

BOLTON, TRAFFORD = GssCode("E08000001"), GssCode("E08000009")
BANDS = Attribute("band", ("none", "low", "high"))
MSOA = Attribute(
    "msoa",
    by_council={BOLTON: ("M1", "M2"), TRAFFORD: ("M3",)},
    others=True,
)
LSOA = Attribute(
    "lsoa",
    by_council={BOLTON: ("A1", "A2", "A3", "A4", "A5"), TRAFFORD: ("A6", "A7")},
    others=True,
    within="msoa",
    parents={"A1": "M1", "A2": "M1", "A3": "M1", "A4": "M2", "A5": "M2", "A6": "M3", "A7": "M3"},
)
FLAT = Workload((BANDS,), (Marginal(("band",)), Marginal(())))


def asked(workload: Workload, rho: str = "0.1", epsilon: str | None = None) -> Round:
    pure = Epsilon.of(epsilon or 0)
    return Round(
        round_id="0" * 32,
        title="Winter",
        purpose="winter_support",
        councils=(BOLTON, TRAFFORD),
        minimum_councils=1,
        policy_digest=bytes(32),
        workload=workload,
        loss=pure.rho if epsilon else Rho.of(rho),
        mechanism=Mechanism.DISCRETE_LAPLACE if epsilon else Mechanism.DISCRETE_GAUSSIAN,
        epsilon=pure,
        delta=Delta.of("1e-6"),
        opened_at=1,
        deadline=2,
    )


def forecast(round_: Round, households: float | None = None) -> Forecast:
    sizes = EqualCells.of_region(round_, households) if households else None
    return Forecast(round_, Planning.as_written(round_.workload), sizes)


NESTED = Workload((BANDS, MSOA, LSOA), (Marginal(("band", "lsoa")), Marginal(("band",))))


def test_councils_and_region() -> None:
    found = forecast(asked(NESTED)).marginals[1]
    low, high = found.standard_errors
    assert low < high  # the councils have different areas, and so different plans
    assert found.typical.standard_error == low  # of two the first
    together = math.hypot(low, high)
    assert found.region.standard_error == pytest.approx(together)
    assert found.region.half_width == pytest.approx(half_width(together, 1 / 3), rel=0.2)
    by_area = forecast(asked(NESTED)).marginals[0]
    assert by_area.cells == (9, 18)
    assert by_area.region.cells == 3  # over all areas
    assert by_area.region.standard_error == pytest.approx(found.region.standard_error)


@pytest.mark.parametrize("epsilon", [None, "0.7"])
def test_other_budgets_are_what_a_round_of_that_loss_would_give(epsilon: str | None) -> None:
    round_ = asked(FLAT, epsilon=epsilon)
    for budget in forecast(round_).budgets:
        other = replace(
            round_,
            loss=budget.rho,
            epsilon=Epsilon.of(f"{budget.epsilon:.9f}") if epsilon else round_.epsilon,
        )
        again = forecast(other).budgets
        (same,) = [one for one in again if one.factor == 1]
        assert (same.rho, same.epsilon) == (budget.rho, pytest.approx(budget.epsilon))
        assert same.standard_error**2 == pytest.approx(
            budget.standard_error**2, rel=1e-6, abs=0.5 if epsilon else 0
        )
    assert [float(one.factor) for one in forecast(round_).budgets] == [0.25, 0.5, 1, 2, 4]


def test_a_loss_that_cannot_be_asked_for_is_not_offered() -> None:
    tiny = asked(FLAT, rho=f"{FLAT.parts}e-9")
    assert [float(one.factor) for one in forecast(tiny).budgets] == [1, 2, 4]


def test_the_households_of_a_region_go_to_councils_by_their_areas() -> None:
    sizes = EqualCells.of_region(asked(NESTED), 700)
    assert sizes.households((), BOLTON).tolist() == [500]
    assert sizes.households((), TRAFFORD).tolist() == [200]
    equal = EqualCells.of_region(asked(FLAT), 700)
    assert equal.households((), BOLTON).tolist() == [350]


def test_a_remedy_does_what_it_says() -> None:
    """At the loss named half of the cells are usable; and at slightly less they are not."""
    made = forecast(asked(NESTED), households=250)
    found = {one.marginal: one for one in remedies(made)}
    remedy = found["band*lsoa"]
    assert remedy.usable < POOR
    assert remedy.rho is not None
    round_ = replace(made.round, loss=remedy.rho)
    assert forecast(round_, households=250).marginals[0].shares.usable >= POOR
    less = replace(made.round, loss=Rho(int(remedy.rho.nano * 0.85)))
    assert forecast(less, households=250).marginals[0].shares.usable < POOR


def test_larger_areas_are_offered_before_fewer_attributes() -> None:
    """250 households in 18 and 9 cells are too few; by msoa, which is not asked, enough."""
    round_ = asked(NESTED)
    made = forecast(round_, households=250)
    (remedy,) = remedies(made)
    assert remedy.coarser is not None
    assert (remedy.coarser.name, remedy.coarser.included) == ("band*msoa", False)
    instead = replace(
        round_,
        workload=Workload(NESTED.attributes, (Marginal(("band", "msoa")), Marginal(("band",)))),
    )
    shares = forecast(instead, households=250).marginals[0].shares
    assert shares.usable == remedy.coarser.usable >= POOR


def test_a_coarser_marginal_that_is_told_anyway_is_said_to_be() -> None:
    both = Workload((BANDS, LSOA, MSOA), (*NESTED.marginals, Marginal(("msoa",))))
    made = forecast(asked(both), households=250)
    remedy = next(one for one in remedies(made) if one.marginal == "band*lsoa")
    assert remedy.coarser is not None
    assert (remedy.coarser.name, remedy.coarser.included) == ("band*msoa", True)


def test_nothing_is_poor_without_an_assumption() -> None:
    made = forecast(asked(NESTED))
    assert remedies(made) == ()
    assert made.shares is None
    assert {one.shares for one in made.marginals} == {None}


def test_coarser_marginals() -> None:
    assert list(coarser(NESTED, ("band", "lsoa"))) == [("band", "msoa"), ("lsoa",), ("band",)]
    assert list(coarser(NESTED, ("band",))) == []


def test_no_loss_fills_empty_cells() -> None:
    class Empty(EqualCells):
        def households(self, attributes, council):
            found = super().households(attributes, council)
            found[: len(found) * 2 // 3] = 0
            return found

    round_ = asked(FLAT)
    sizes = Empty(FLAT, {BOLTON: 1000.0, TRAFFORD: 1000.0})
    made = Forecast(round_, Planning.as_written(FLAT), sizes)
    assert made.marginals[0].shares.usable == pytest.approx(1 / 3)
    assert factor_for(made.variations_of(FLAT.marginals[0]), POOR) is None
    assert usable_share(made.variations_of(FLAT.marginals[0]), 1e9) == pytest.approx(1 / 3)
    (remedy,) = remedies(made)
    assert (remedy.rho, remedy.epsilon) == (None, None)


def test_the_other_objective_is_compared_by_its_own_plan() -> None:
    round_ = asked(NESTED)
    made = forecast(round_)
    other, found = other_objective(made)
    assert other is Objective.MAXIMUM
    signed, planning = planned(NESTED, round_.councils, Objective.MAXIMUM)
    there = Forecast(replace(round_, workload=signed), planning)
    back, reverse = other_objective(there)
    assert back is Objective.SUM
    assert reverse.largest == (pytest.approx(found.largest[1]), pytest.approx(found.largest[0]))
    assert found.largest[1] < found.largest[0]
    assert (reverse.better, reverse.worse) == (found.worse, found.better)


def test_a_plan_is_as_good_as_itself() -> None:
    made = forecast(asked(NESTED))
    found = compare(NESTED.marginals, made.plans, made.plans)
    assert (found.better, found.worse) == ((), ())


def test_mechanisms_are_compared_at_the_same_epsilon() -> None:
    round_ = asked(FLAT)
    other = other_mechanism(forecast(round_))
    assert other.mechanism is Mechanism.DISCRETE_LAPLACE
    assert other.epsilon == round_.epsilon_for()
    pure = asked(FLAT, epsilon=f"{other.epsilon:.9f}")
    assert other.rho == pure.loss
    there = other_mechanism(forecast(pure))
    assert there.mechanism is Mechanism.DISCRETE_GAUSSIAN
    assert there.rho.value == pytest.approx(round_.loss.value, rel=1e-4)
    assert there.comparison.better == other.comparison.worse
    assert there.comparison.worse == other.comparison.better
    # Two marginals at the same epsilon: Laplace noise is the smaller.
    assert other.comparison.better == ("band", "total")


def test_many_marginals_favour_gaussian_noise() -> None:
    """Laplace noise grows with the number of marginals, Gaussian with its root."""
    attributes = tuple(Attribute(f"a{at}", ("x", "y", "z")) for at in range(40))
    workload = Workload(attributes, tuple(Marginal((one.name,)) for one in attributes))
    other = other_mechanism(forecast(asked(workload)))
    assert len(other.comparison.worse) == 40


def test_nested_attributes_leave_no_other_mechanism() -> None:
    assert other_mechanism(forecast(asked(NESTED))) is None
    assert other_objective(forecast(asked(FLAT, epsilon="1"))) is None
