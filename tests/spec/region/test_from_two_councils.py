"""From two councils to a region: values add, and so do the variances of their noise.

Bolton and Bury each release how many households are in the bands low and high, at a loss of 0.5 (zCDP
rho). The coordinator knows what the noise of each was drawn from, and nothing else: errors follow from
the question, not from the answers.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.aggregate import aggregate
from tests.spec.worked import rows
from tests.tables import measured
from tests.unit.coordinator.conftest import small_round

CODES = {"Bolton": GssCode("E08000001"), "Bury": GssCode("E08000002")}
QUESTION = Workload((Attribute("band", ("low", "high")),), (Marginal(("band",)),))


def released(table):
    """Regional statistics of what councils released; without noise, so that sums can be seen."""
    given = {}
    for row in rows(table):
        given[CODES[row["council"]]] = np.array([int(row["low"]), int(row["high"])])
    round_ = small_round(workload=QUESTION)
    releases = {council: measured(round_.plan(council), one) for council, one in given.items()}
    return {one.place: one for one in aggregate(round_, "Region", releases)}


BOTH = """
| council | low | high |
|---------|-----|------|
| Bolton  | 40  | 60   |
| Bury    | 5   | 7    |
"""
"""What the councils released:"""


def published(found, table):
    for row in rows(table):
        one = found[CODES.get(row["place"], row["place"])]
        at = one.codes[0].tolist().index(row["band"])
        assert one.value[at] == pytest.approx(float(row["estimate"]))
        assert one.standard_error[at] == pytest.approx(float(row["standard error"]), abs=5e-4)
        assert one.reliability[at] == row["reliability"], row


def test_the_region_is_the_sum():
    """Each council's error is 1 household, so the region's is the root of 1 + 1."""
    published(released(BOTH), """
    | place  | band | estimate | standard error | reliability      |
    |--------|------|----------|----------------|------------------|
    | Bolton | low  | 40       | 1              | reliable         |
    | Bolton | high | 60       | 1              | reliable         |
    | Bury   | low  | 5        | 1              | use with caution |
    | Bury   | high | 7        | 1              | use with caution |
    | Region | low  | 45       | 1.4142         | reliable         |
    | Region | high | 67       | 1.4142         | reliable         |
    """)  # fmt: skip


def test_a_council_that_did_not_answer_is_not_in_the_region():
    """It does not count as zero: the region is then that of the councils that answered."""
    only = released("""
    | council | low | high |
    |---------|-----|------|
    | Bury    | 5   | 7    |
    """)  # fmt: skip
    published(only, """
    | place  | band | estimate | standard error | reliability      |
    |--------|------|----------|----------------|------------------|
    | Region | low  | 5        | 1              | use with caution |
    | Region | high | 7        | 1              | use with caution |
    """)  # fmt: skip


def test_an_interval_is_1_96_standard_errors_and_half_a_step():
    """A band moves by half a household if a whole number of its noise does, so the step is 1/2."""
    region = released(BOTH)["Region"]
    width = 1.96 * math.sqrt(2) + 1 / 4
    assert region.upper - region.value == pytest.approx(width, abs=1e-3)
    assert region.value - region.lower == pytest.approx(width, abs=1e-3)


@pytest.mark.parametrize(
    ("councils", "standard_error"), [(1, "1.0000"), (2, "1.4142"), (4, "2.0000"), (10, "3.1623")]
)
def test_more_councils_add_more_noise_but_less_than_they_add_households(councils, standard_error):
    """The error grows with the root of their number; relative to the sum it shrinks."""
    codes = [GssCode(f"E080000{number:02}") for number in range(1, councils + 1)]
    round_ = small_round(codes, workload=QUESTION)
    releases = {one: measured(round_.plan(one), np.array([10, 10])) for one in codes}
    region = aggregate(round_, "Region", releases)[-1]
    assert region.place == "Region"
    assert region.value == pytest.approx([10 * councils, 10 * councils])
    assert region.standard_error == pytest.approx(float(standard_error), abs=5e-5)
