"""No factor takes the unknown for nothing."""

import datetime

import numpy as np
import pytest

from folkmoot_plugin_household_factors import folkmoot_risk_factors
from folkmoot_sdk import ScoringContext, samples

TODAY = datetime.date(2026, 4, 1)
COUNT = 4000
FACTORS = folkmoot_risk_factors()
by_name = pytest.mark.parametrize("kind", FACTORS, ids=[kind.name for kind in FACTORS])


@by_name
def test_nothing_is_said_only_where_no_value_of_the_unknown_could_say_more(kind):
    """A 0 beside an unknown required input stays 0 whatever that input turns out to be."""
    context = ScoringContext(TODAY)
    factor = kind(kind.Parameters())
    drawn = samples.households(kind.inputs, TODAY, COUNT)
    for entry in kind.inputs:
        if not entry.required:
            drawn[entry.name] = samples.unknowns(entry, COUNT)
    for entry in kind.inputs:
        if not entry.required:
            continue
        blank = drawn | {entry.name: samples.unknowns(entry, COUNT)}
        nothing = factor.score(blank, context) == 0
        for shift in range(1, 40):
            filled = drawn | {entry.name: np.roll(drawn[entry.name], shift)}
            found = factor.score(filled, context)[nothing]
            assert (np.isnan(found) | (found == 0)).all(), entry.name


@by_name
def test_says_where_its_inputs_may_be_protected(kind):
    """The node's guard acts on what sources declare; the description says what to expect."""
    stating = {"oldest_age", "shielded", "care_package", "frailty_category", "young_carer"}
    stating |= {"child_status"}
    if stating & {entry.name for entry in kind.inputs}:
        assert "protected" in kind.description


def test_every_domain_of_need_is_covered_once():
    names = [kind.name for kind in FACTORS]
    assert len(names) == len(set(names)) >= 14
    assert {kind.domain for kind in FACTORS} == {
        "finance", "housing", "isolation", "health", "care", "safety", "family", "area",
    }  # fmt: skip
    assert all(kind.savvi_term and kind.evidence for kind in FACTORS)
