"""What overcrowding concludes from numbers alone agrees with the bedroom standard itself."""

import datetime
import itertools

import numpy as np
import pytest

from folkmoot_plugin_household_factors import Overcrowding
from folkmoot_sdk import ScoringContext

PEOPLE = 6
ONE, TWO = 0.5, 1.0


def needed(couples, adults, men, women, boys, girls):
    """Bedrooms by the standard: `men` and `women` are of 10 to 20, `boys` and `girls` below.

    Source: Census 2021 dictionary, occupancy rating for bedrooms.
    """
    rooms = couples + adults
    for young, small in ((men, boys), (women, girls)):
        rooms += young // 2
        if young % 2:
            rooms += 1
            if small and (young, small) == (men, boys):
                boys -= 1
            elif small:
                girls -= 1
    return rooms + -(-(boys + girls) // 2)


@pytest.fixture(scope="module")
def homes():
    """Every composition of up to six people, in homes of one to seven bedrooms."""
    found = []
    for counts in itertools.product(range(4), *[range(PEOPLE + 1)] * 5):
        people = 2 * counts[0] + sum(counts[1:])
        if 1 <= people <= PEOPLE:
            found += [(people, rooms, rooms - needed(*counts)) for rooms in range(1, 8)]
    return np.array(found, dtype=np.float64)


@pytest.fixture(scope="module")
def scores(homes):
    people, bedrooms, _ = homes.T
    factor = Overcrowding(Overcrowding.Parameters(one_short=ONE, two_short=TWO))
    inputs = {"occupancy_rating": np.full(len(homes), np.nan)}
    inputs |= {"people": people.copy(), "bedrooms": bedrooms.copy()}
    return factor.score(inputs, ScoringContext(datetime.date(2026, 4, 1)))


@pytest.mark.parametrize(
    ("counts", "rooms"),
    [
        ((1, 0, 0, 0, 0, 0), 1),
        ((1, 1, 0, 0, 0, 0), 2),
        ((1, 0, 1, 1, 0, 0), 3),
        ((1, 0, 2, 0, 1, 0), 3),
        ((1, 0, 1, 0, 1, 0), 2),
        ((1, 0, 0, 1, 1, 0), 3),
        ((0, 1, 0, 0, 1, 2), 3),
        ((0, 1, 1, 1, 1, 1), 3),
    ],
)
def test_the_standard_as_written_here(counts, rooms):
    assert needed(*counts) == rooms


def test_no_composition_contradicts_what_is_concluded(homes, scores):
    rating = homes[:, 2]
    assert (rating[scores == 0] >= 0).all()
    assert (rating[scores == ONE] <= -1).all()
    assert (rating[scores == TWO] <= -2).all()
    assert {0.0, ONE, TWO} <= set(scores[~np.isnan(scores)])


def test_it_is_unknown_only_where_the_composition_decides(homes, scores):
    for people, bedrooms in {(p, b) for p, b, _ in homes[np.isnan(scores)]}:
        here = (homes[:, 0] == people) & (homes[:, 1] == bedrooms)
        assert np.isnan(scores[here]).all()
        rating = homes[here, 2]
        assert rating.min() < 0 <= rating.max()
