"""The spread of scores: every household in one interval, bars in proportion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from folkmoot_kit.writing.picture import bar, lines, spread

SCORES = st.one_of(st.floats(0, 1), st.just(float("nan")))


@given(arrays(np.float64, st.integers(0, 200), elements=SCORES), st.integers(1, 20))
def test_every_household_is_counted_once(scores, intervals):
    found = spread(scores, intervals)
    assert sum(found.counts) + found.unknown == len(scores)
    assert found.unknown == np.isnan(scores).sum()
    assert len(found.counts) == intervals == len(found.edges) - 1
    for low, high, count in zip(found.edges, found.edges[1:], found.counts, strict=False):
        last = high == 1
        inside = (scores >= low - 1e-9) & ((scores <= high) if last else (scores < high + 1e-9))
        assert count <= inside.sum()


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 60))
def test_a_bar_fits_and_something_is_never_nothing(count, largest, width):
    count = min(count, largest)
    drawn = bar(count, largest, width)
    assert len(drawn) <= width
    assert bool(drawn) == bool(count)
    assert bar(largest, largest, width) == "█" * width


def test_lines_are_narrow_and_say_what_is_unknown():
    scores = np.array([0.0, 0.05, 0.55, 1.0, 1.0, 1.0, np.nan, np.nan])
    drawn = lines(spread(scores))
    assert drawn[0].startswith("0.0 to 0.1  2  ")
    assert drawn[9] == "0.9 to 1.0  3  " + "█" * 40
    assert drawn[-1].split() == ["unknown", "2", "█" * 26 + "▋"]
    assert max(map(len, drawn)) < 80


@pytest.mark.parametrize("scores", [np.array([]), np.full(3, np.nan)])
def test_nothing_known_is_drawn_too(scores):
    assert all(count == 0 for count in spread(scores).counts)
    assert lines(spread(scores))
