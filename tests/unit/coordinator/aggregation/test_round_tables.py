"""How the marginals of a round are presented, and the noise that is simulated for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Epsilon, Rho
from folkmoot.pure import plan_pure
from folkmoot.strategy import Plan, plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.consistent_tables.round_tables import Presentation
from folkmoot_coordinator.aggregation.consistent_tables.simulated_noise import SimulatedNoise
from folkmoot_coordinator.aggregation.reconstruct import Reconstruction, variances
from folkmoot_operator.problems import ExitCode, Problem
from tests.tables import measured
from tests.unit.coordinator.conftest import BOLTON, BURY, small_round

BANDS = Attribute("band", ("low", "middle", "high"))
FLAT = Workload((BANDS, Attribute("alone", ("yes", "no"))), (Marginal(("band", "alone")),))


def nested(councils: tuple[GssCode, ...] = (BOLTON, BURY)) -> Workload:
    """Two wards of three LSOAs and one in each council."""
    wards = {council: tuple(f"{council[-2:]}W{at}" for at in range(2)) for council in councils}
    lsoas = {council: tuple(f"{council[-2:]}L{at}" for at in range(4)) for council in councils}
    parents = {
        code: wards[council][at // 3]
        for council, codes in lsoas.items()
        for at, code in enumerate(codes)
    }
    return Workload(
        (
            Attribute("ward", by_council=wards),
            Attribute("lsoa", by_council=lsoas, within="ward", parents=parents),
            BANDS,
        ),
        (Marginal(("band", "lsoa")), Marginal(("ward",)), Marginal(())),
    )


@pytest.mark.parametrize(
    "planned",
    [
        plan(nested(), BOLTON, Rho.of("0.02")),
        plan(FLAT, BOLTON, Rho.of("0.02")),
        plan_pure(FLAT, BOLTON, Epsilon.of("0.3")),
    ],
    ids=["nested", "flat", "pure"],
)
def test_simulated_noise_has_the_variance_that_is_published(planned: Plan) -> None:
    """1500 draws: the variance of a cell has a standard error of 3.7 % if normal, and 5.8 % if
    Laplace; with 18 cells at most, 6 of them would be exceeded once in 10^4 runs or less."""
    depths = max((one.depths for one in planned.components), key=sum)
    noise = SimulatedNoise(planned)
    rng = np.random.default_rng(12)
    zeros = {depths: np.zeros([axis.size(d) for axis, d in zip(planned.axes, depths, strict=True)])}
    drawn = np.array([noise(rng, zeros)[depths] for _ in range(1500)])
    expected = variances(planned, depths)
    allowed = 6 * (0.058 if planned.is_pure else 0.037)
    np.testing.assert_allclose(drawn.var(axis=0), expected, rtol=allowed)
    assert (np.abs(drawn.mean(axis=0)) < 5 * np.sqrt(expected / 1500)).all()
    assert not np.allclose(drawn.var(axis=0) * 1.5, expected, rtol=allowed)


def test_tables_come_in_the_shape_of_their_marginals() -> None:
    round_ = replace(small_round(), workload=nested())
    truth = np.arange(24).reshape(4, 3, 2)[:, :, 0]  # by LSOA and band
    for council in (BOLTON, BURY):
        release = measured(round_.plan(council), truth)
        found = Presentation(round_).tables(council, Reconstruction(round_.plan(council), release))
        by_band, by_ward, total = (found[one] for one in round_.workload.marginals)
        np.testing.assert_array_equal(by_band, truth.T)
        assert by_ward.tolist() == [truth[:3].sum(), truth[3].sum()]
        assert total.shape == ()
        assert int(total) == truth.sum()


def test_bias_is_about_the_tables_that_were_given() -> None:
    """Whatever order a marginal's attributes have: band*lsoa here, LSOA and band in the plan."""
    round_ = replace(small_round(), workload=nested(), loss=Rho.of("1000"))
    presentation = Presentation(round_)
    truth = np.zeros((4, 3), dtype=np.int64)
    truth[0, 2], truth[3, 1] = 500, 5
    tables = {
        council: presentation.tables(
            council,
            Reconstruction(round_.plan(council), measured(round_.plan(council), truth)),
        )
        for council in (BOLTON, BURY)
    }
    report = presentation.bias(tables, bytes(32))
    rows = {
        (marginal.name, row.scope.value, row.least): row
        for marginal, rows in report.rows.items()
        for row in rows
    }
    assert rows["band*lsoa", "council", 0].cells == 20
    assert rows["band*lsoa", "council", 1].cells == 2
    assert rows["band*lsoa", "council", 100].cells == 2
    assert rows["band*lsoa", "all_areas", 10].cells == 1, "5 + 5, over all areas"
    assert max(abs(row.bias) for row in rows.values()) < 0.5, "hardly any noise at this loss"
    assert report == presentation.bias(tables, bytes(32))
    assert report != presentation.bias(tables, bytes([1] * 32))


def test_of_many_councils_some_are_simulated_and_all_are_in_the_region() -> None:
    councils = [GssCode(f"E08{at:06d}") for at in range(1, 31)]
    workload = Workload((Attribute("band", ("low", "high")),), (Marginal(("band",)),))
    presentation = Presentation(small_round(councils, workload=workload))
    tables = {one: {workload.marginals[0]: np.array([0, 50])} for one in councils}
    report = presentation.bias(tables, bytes(32))
    assert report.councils == 20
    [rows] = report.rows.values()
    by_scope = {(row.scope.value, row.least): row for row in rows}
    assert by_scope["council", 0].cells == 20
    assert by_scope["region", 100].cells == 1, "1,500 households"
    assert report == presentation.bias(dict(reversed(tables.items())), bytes(32))


def test_numbers_that_no_council_could_hold_are_a_problem() -> None:
    round_ = small_round()
    planned = round_.plan(BOLTON)
    release = measured(planned, [[2**33, 0], [0, 0]])
    with pytest.raises(Problem, match="households") as caught:
        Presentation(round_).tables(BOLTON, Reconstruction(planned, release))
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert BOLTON in caught.value.where
