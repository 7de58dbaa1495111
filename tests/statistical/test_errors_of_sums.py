"""Errors that `export --sum` states are those that real releases have.

Two councils release again and again with noise of the node's own mechanism; sums, differences
and shares of cells are estimated from each release. The mean squared error is compared with the
squared standard error, which is known before, and intervals with how often they hold the
truth.

False alarms: each comparison fails once in a million times though nothing is wrong. Noise of such a
sum is close to normal, so `n` squared errors are chi-squared with `n` degrees of freedom. Under
Laplace noise they are spread as 0.4 times as many would be, at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from folkmoot.geography import GssCode
from folkmoot.interval import CONFIDENCE
from folkmoot.privacy import Epsilon, Rho
from folkmoot.rounds import Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.combination import Interval, Measured
from folkmoot_coordinator.publication.estimable import Estimable, Moment
from folkmoot_coordinator.publication.named_sums import estimates
from folkmoot_coordinator.publication.sum_file import CellEntry, Expression
from tests.statistical.fit import FALSE_ALARM, Float64, Z
from tests.statistical.questions import (
    BURY,
    TRAFFORD,
    Int64,
    exact,
    households,
    question,
    release,
    workload,
)
from tests.tables import measured

REPEATS = 600
WARDS = {BURY: (1, 2), TRAFFORD: (2, 1, 4)}


def cell(weight: float = 1.0, place: GssCode | None = None, **codes: object) -> CellEntry:
    listed = {
        name: (code,) if isinstance(code, str) else tuple(code) for name, code in codes.items()
    }
    return CellEntry("here", listed, weight, place)


LSOAS = [f"E01{number:06}" for number in range(10)]
ASKED = {
    "all areas but one": Expression("", (cell(lsoa=LSOAS[3:9]),)),
    "a ward's old people": Expression("", (cell(lsoa=LSOAS[6:], age="o"),)),
    "areas of two councils": Expression("", (cell(lsoa=[LSOAS[0], LSOAS[9]], age=["y", "m"]),)),
    "two areas of one ward": Expression("", (cell(lsoa=LSOAS[6]),), (cell(lsoa=LSOAS[7]),)),
    "weighted": Expression("", (cell(2.0, age="y"), cell(0.5, TRAFFORD, tenure="own"))),
    "owners less tenants": Expression("", (cell(tenure="own"),), (cell(tenure="rent"),)),
    "share of the old": Expression("", (cell(age="o"),), of=(cell(),)),
    "share in an area": Expression("", (cell(lsoa=LSOAS[8], age="o"),), of=(cell(lsoa=LSOAS[8]),)),
}


def estimable(round_: Round, numbers: Mapping[GssCode, Int64]) -> Estimable:
    return Estimable(
        round_,
        "Region",
        {council: Measured(round_.plan(council), found) for council, found in numbers.items()},
        {Moment(): {council: {council: 1.0} for council in numbers}},
        Moment(),
    )


def intervals(round_: Round, numbers: Mapping[GssCode, Int64]) -> list[Interval]:
    found = estimates(estimable(round_, numbers), ASKED.values())
    return [one.interval for one in found]


def nested() -> Round:
    return question(workload(WARDS), Rho.of("0.05"), [BURY, TRAFFORD])


def pure() -> Round:
    """Laplace noise takes no nested attributes."""
    one_level = Workload(
        tuple(
            replace(one, within="", parents={})
            for one in workload(WARDS).attributes
            if one.name != "ward"
        ),
        (Marginal(("lsoa", "age")), Marginal(("tenure",)), Marginal(("lsoa", "tenure"))),
    )
    return question(one_level, Epsilon.of("0.5"), [BURY, TRAFFORD])


@pytest.mark.slow
@pytest.mark.parametrize("round_", [nested(), pure()], ids=["gaussian", "pure"])
def test_stated_errors_are_real_and_naive_ones_are_not(round_: Round) -> None:
    plans = {council: round_.plan(council) for council in round_.councils}
    tables = {one: households(made, 60, seed=at) for at, (one, made) in enumerate(plans.items())}
    counts = {council: exact(plans[council], table) for council, table in tables.items()}
    truth = intervals(round_, {one: measured(plans[one], table) for one, table in tables.items()})
    true = np.array([one.value for one in truth], dtype=float)
    values, held = np.zeros((REPEATS, len(true))), np.zeros((REPEATS, len(true)))
    for at in range(REPEATS):
        found = intervals(round_, {one: release(plans[one], counts[one]) for one in plans})
        values[at] = [one.value for one in found]
        held[at] = [
            one.lower is None or one.upper is None or one.lower <= value <= one.upper
            for one, value in zip(found, true, strict=True)
        ]
    squares = ((values - true) ** 2).mean(axis=0)
    stated = np.array([one.standard_error for one in truth], dtype=float)
    freedom = REPEATS * (0.4 if plans[BURY].is_pure else 1)
    lower, upper = stats.chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], freedom) / freedom
    ratios = squares / stated**2
    for name, ratio, times in zip(ASKED, ratios, held.sum(axis=0), strict=True):
        assert lower < ratio < upper, name
        assert stats.binom.cdf(times, REPEATS, CONFIDENCE) > FALSE_ALARM, name
    biased = np.abs(values.mean(axis=0) - true) / (stated / math.sqrt(REPEATS))
    assert (biased[:6] < Z).all(), "sums are unbiased"
    if not plans[BURY].is_pure:
        naive = naive_errors(round_, tables)
        assert not lower < squares[0] / naive[0] ** 2 < upper, "squares of cells added up"


def naive_errors(round_: Round, tables: Mapping[GssCode, Int64]) -> Float64:
    """What adding up the squared errors of the cells gives."""
    numbers = {one: measured(round_.plan(one), table) for one, table in tables.items()}
    errors = []
    for expression in ASKED.values():
        variance = 0.0
        for entry in (*expression.cells, *expression.minus):
            for code in entry.codes.get("lsoa", ("",)):
                codes = {**entry.codes, "lsoa": (code,)} if code else entry.codes
                alone = Expression("", (replace(entry, codes=codes),))
                [found] = estimates(estimable(round_, numbers), [alone])
                assert found.interval.standard_error is not None
                variance += found.interval.standard_error**2
        errors.append(math.sqrt(variance))
    return np.array(errors)
