"""Shares moved to what is known of a council."""

import numpy as np
import pytest

from folkmoot_rehearsal import shares
from folkmoot_rehearsal.codes import Composition
from folkmoot_rehearsal.nearby_shares import ages, composition, sizes

PEOPLE = np.arange(1, 9)
TYPED_MEAN = float(np.array(shares.SIZE) @ PEOPLE / sum(shares.SIZE))


@pytest.mark.parametrize("mean", [1.2, 2.1, 2.96, 4.5, 7.5])
def test_sizes_have_the_mean_asked_for(mean):
    found = sizes(mean)
    assert found.sum() == pytest.approx(1)
    assert found @ PEOPLE == pytest.approx(mean)
    assert (found > 0).all()


def test_sizes_stay_as_typed_if_the_mean_does():
    typed = np.array(shares.SIZE) / sum(shares.SIZE)
    assert sizes(TYPED_MEAN) == pytest.approx(typed)


def test_larger_households_are_more_where_the_mean_is_larger():
    ratio = sizes(2.96) / sizes(TYPED_MEAN)
    assert (np.diff(ratio) > 0).all()


@pytest.mark.parametrize("mean", [0, 1, 8, 9, float("nan")])
def test_a_mean_that_cannot_be_is_refused(mean):
    with pytest.raises(ValueError, match="cannot have"):
        sizes(mean)


def test_ages_have_the_groups_asked_for():
    found = ages((0.261, 0.652, 0.087))
    assert found.sum() == pytest.approx(1)
    first = np.array(shares.AGE_BANDS)
    assert found[first >= 65].sum() == pytest.approx(0.087)
    # A fifth of those of 15 to 19 are 15, as far as bands say.
    before = np.array(shares.AGE) / sum(shares.AGE)
    young = before[first < 15].sum() + before[3] / 5
    assert found[0] / found[1] == pytest.approx(before[0] / before[1])
    assert found[first < 15].sum() == pytest.approx(0.261 * before[first < 15].sum() / young)


def test_ages_stay_as_typed_where_nothing_is_known():
    assert ages(None) == pytest.approx(np.array(shares.AGE) / sum(shares.AGE))


def test_a_young_borough_of_large_households_has_fewer_older_people_alone():
    size, age = sizes(2.96), ages((0.261, 0.652, 0.087))
    found = composition(size, age)[0]
    typed = composition(sizes(TYPED_MEAN), ages(None))[0]
    assert found.sum() == pytest.approx(1)
    assert found[Composition.ONE_66_OVER] < 0.75 * typed[Composition.ONE_66_OVER]
    assert found[Composition.MARRIED_DEPENDENT] > 1.2 * typed[Composition.MARRIED_DEPENDENT]
    one = found[[Composition.ONE_66_OVER, Composition.ONE_OTHER]].sum()
    assert one == pytest.approx(size[0], abs=1e-6)
