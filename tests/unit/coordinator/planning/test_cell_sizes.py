"""Assumptions about the households in cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.planning.cell_sizes import EarlierRound, EqualCells
from folkmoot_operator.problems import ExitCode, Problem

BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")

WORKLOAD = Workload(
    (
        Attribute("band", ("low", "high")),
        Attribute("tenure", ("owned", "rented", "other")),
        Attribute("msoa", by_council={BOLTON: ("M1", "M2"), BURY: ("M3",)}, others=True),
        Attribute(
            "lsoa",
            by_council={BOLTON: ("A1", "A2", "A3"), BURY: ("A4",)},
            others=True,
            within="msoa",
            parents={"A1": "M1", "A2": "M1", "A3": "M2", "A4": "M3"},
        ),
    ),
    (Marginal(("band", "lsoa")), Marginal(("msoa",)), Marginal(("tenure",))),
)
EARLIER = """\
level,place,place_name,coverage,marginal,band,lsoa,value,standard_error
council,E08000001,,,band*lsoa,low,A1,10,1
council,E08000001,,,band*lsoa,high,A1,30,1
council,E08000001,,,band*lsoa,low,A2,20,1
council,E08000001,,,band*lsoa,high,A2,-4,1
council,E08000001,,,band*lsoa,low,A9,5,1
council,E08000001,,,band*lsoa,high,A9,7,1
council,E08000001,,,lsoa,,A1,40,1
council,E08000001,,,lsoa,,A2,16,1
council,E08000001,,,lsoa,,A9,12,1
council,E08000002,,,band*lsoa,low,A4,100,1
council,E08000002,,,band*lsoa,high,A4,300,1
council,E08000002,,,lsoa,,A4,400,1
region,North,,2 of 2 councils,lsoa,,A1,9999,1
"""


@pytest.fixture
def earlier(tmp_path: Path) -> EarlierRound:
    file = tmp_path / "earlier.csv"
    file.write_text(EARLIER)
    return EarlierRound(WORKLOAD, file)


def test_equal_cells_share_the_households_of_their_council() -> None:
    sizes = EqualCells(WORKLOAD, {BOLTON: 240.0, BURY: 60.0})
    assert sizes.households(("band",), BOLTON).tolist() == [120, 120]
    assert sizes.households(("band", "lsoa"), BURY).tolist() == [15] * 4  # with (other)
    assert sizes.households((), BURY).tolist() == [60]
    assert "300 households" in sizes.assumption


def test_a_marginal_of_the_earlier_round_is_as_it_was(earlier: EarlierRound) -> None:
    found = earlier.households(("band", "lsoa"), BOLTON)
    assert sorted(found) == [0, 5, 7, 10, 20, 30]  # an estimate below zero is an empty cell
    assert sorted(earlier.households(("lsoa", "band"), BOLTON)) == sorted(found)


def test_other_marginals_are_summed_from_finer_ones(earlier: EarlierRound) -> None:
    assert earlier.households((), BOLTON).tolist() == [68]
    assert earlier.households(("band",), BOLTON).tolist() == [35, 33]
    assert earlier.households(("msoa",), BOLTON).tolist() == [56, 12]  # A9 is not listed now
    assert earlier.households(("msoa", "band"), BURY).tolist() == [100, 300]


def test_what_the_earlier_round_does_not_say_is_independent(earlier: EarlierRound) -> None:
    assert earlier.households(("tenure",), BURY).tolist() == pytest.approx([400 / 3] * 3)
    crossed = earlier.households(("band", "tenure"), BURY)
    assert crossed.tolist() == pytest.approx([100 / 3] * 3 + [100] * 3)


def test_a_council_without_figures_is_like_all_that_have_some(earlier: EarlierRound) -> None:
    assert earlier.households(("band",), TRAFFORD).tolist() == [35, 33, 100, 300]
    assert np.all(earlier.households(("tenure", "band"), TRAFFORD) > 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("", "cannot be read"),
        ("level,place,marginal\n", "has no column value"),
        ("level,place,marginal,value\nregion,North,total,3\n", "has no rows of councils"),
        ("level,place,marginal,value\ncouncil,E08000001,total,many\n", "not a number"),
        ("level,place,marginal,value\ncouncil,E08000001,total,inf\n", "not a number"),
    ],
)
def test_another_file_is_refused_with_a_remedy(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "other.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Problem, match=says) as caught:
        EarlierRound(WORKLOAD, file)
    assert caught.value.exit_code is ExitCode.DATA
    assert "export" in caught.value.remedy


def test_a_file_with_holes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "holes.csv"
    file.write_text(
        "level,place,marginal,band,value\n"
        "council,E08000001,total,,5\ncouncil,E08000002,band,low,5\n"
    )
    sizes = EarlierRound(WORKLOAD, file)
    with pytest.raises(Problem, match="not the same marginals for E08000001"):
        sizes.households(("tenure",), BOLTON)
