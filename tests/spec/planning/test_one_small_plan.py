"""One small plan, checked by hand.

The question: how many households are in each of four bands, and how many in all; rho = 0.5.

What is measured. The four bands are told from two independent questions: the total, and each
band's difference from the mean of the four. With noise of scale tau times its sensitivity, a
question costs a household 1 / (2 tau^2). Then, for tau = 1,

- the total has variance 1, and a quarter of it goes to each band: variance 1/16;
- the difference of a band from the mean has variance (3/4)^2 = 9/16.

So with shares r and d of rho, r + d = 0.5:

    variance of the total    1 / (2 r)
    variance of a band       (1/16) / (2 r) + (9/16) / (2 d)

Objective "sum", all weights 1: five cells, the sum of variances is (1 + 4/16) / (2 r) +
(4 * 9/16) / (2 d). The shares are as the roots of 5/4 and 9/4, so r : d = sqrt(5) : 3.

Objective "maximum", weights 1: the total and a band get the same variance, for if one had
less, its share could be given to the other. 1/(2 r) (1 - 1/16) = (9/16) / (2 d) gives
15 d = 9 r, so r = 5/16, d = 3/16, and both have variance 8/5.
"""

from __future__ import annotations

import json
import math

import pytest
from typer.testing import CliRunner

from folkmoot_coordinator import cli

ROUND = """
title = "Bands"
purpose = "winter_support"
policy_digest = "{digest}"
councils = ["E08000009"]
minimum_councils = 1
rho = 0.5
delta = 1e-6
objective = "{objective}"
deadline_hours = 48

[[attributes]]
name = "band"
codes = ["none", "low", "medium", "high"]

[[marginals]]
attributes = []

[[marginals]]
attributes = ["band"]
"""

R = 0.5 * math.sqrt(5) / (math.sqrt(5) + 3)
D = 0.5 - R
SUM = {"total": 1 / (2 * R), "band": 1 / (32 * R) + 9 / (32 * D)}
MAXIMUM = {"total": 8 / 5, "band": 8 / 5}


@pytest.fixture
def planned(tmp_path):
    def plan(objective, *arguments):
        file = tmp_path / "round.toml"
        file.write_text(ROUND.format(digest="0" * 64, objective=objective))
        done = CliRunner().invoke(cli.app, ["round", "plan", str(file), "--json", *arguments])
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    return plan


@pytest.mark.parametrize(
    ("objective", "variances", "tolerance"), [("sum", SUM, 1e-6), ("maximum", MAXIMUM, 3e-3)]
)
def test_standard_errors_are_those_found_by_hand(planned, objective, variances, tolerance):
    found = {
        one["marginal"]: one["councils"]["E08000009"]["standard_error"] ** 2
        for one in planned(objective)["marginals"]
    }
    assert found == pytest.approx(variances, rel=tolerance)
    assert max(found.values()) <= 1.001 * max(variances.values())


def test_intervals_are_1_96_standard_errors_and_half_a_step(planned):
    """The total moves by 1 if its noise does; a band by at most 1/4, or by 1/4 of a difference."""
    total, band = planned("maximum")["marginals"]
    error = math.sqrt(8 / 5)
    assert total["region"]["half_width_95"] == pytest.approx(1.96 * error + 1 / 2, rel=1e-3)
    assert band["region"]["half_width_95"] == pytest.approx(1.96 * error + 1 / 8, rel=1e-3)


def test_a_count_is_usable_from_five_standard_errors_and_reliable_beyond_ten(planned):
    """Standard error 1.265: 6.3 and 12.6 households."""
    band = planned("maximum")["marginals"][1]["region"]
    assert (band["usable_from"], band["reliable_from"]) == (7, 13)


@pytest.mark.parametrize(
    ("households", "usable", "reliable"), [(24, 0, 0), (28, 1, 0), (48, 1, 0), (52, 1, 1)]
)
def test_equal_cells_are_all_usable_or_none(planned, households, usable, reliable):
    """Four bands of 6, 7, 12 and 13 households."""
    band = planned("maximum", "--households", str(households))["marginals"][1]["assumed"]
    assert band == {
        "average_households": households / 4,
        "usable_share": usable,
        "reliable_share": reliable,
    }


def test_four_times_the_loss_halves_the_error(planned):
    budgets = {one["factor"]: one for one in planned("maximum")["budgets"]}
    assert budgets[4]["rho"] == "2"
    assert budgets[1]["median_standard_error"] == pytest.approx(math.sqrt(8 / 5), rel=1e-3)
    assert budgets[4]["median_standard_error"] == pytest.approx(math.sqrt(8 / 5) / 2, rel=1e-3)
