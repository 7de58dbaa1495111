"""What nearly equals an outcome is named; what merely foretells it is not."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import polars as pl
import pytest

from folkmoot_node.evaluation.leaks import FEWEST, SAMPLE, leaks, numbers
from folkmoot_node.evaluation.snapshot import Happened

DAY = np.datetime64("2026-03-01")
SIZE = 60_000


def happened(had):
    first = np.where(had, DAY, np.datetime64("NaT")).astype("datetime64[D]")
    never = np.full(len(had), np.datetime64("NaT"), dtype="datetime64[D]")
    before = np.zeros(len(had), dtype=np.bool_)
    return Happened("homeless", 6, datetime.date(2026, 6, 30), first, before, never, before)


@pytest.fixture
def had():
    return np.random.default_rng(1).random(SIZE) < 0.02


def found(had, values, kind="factor", before=None):
    one = happened(had)
    if before is not None:
        one = dataclasses.replace(one, before=before)
    named = [("tried", np.asarray(values, dtype=np.float64).__getitem__)]
    factors, inputs = (named, []) if kind == "factor" else ([], named)
    return leaks({"homeless": one}, factors, inputs)


def test_a_value_that_separates_almost_wholly_is_named(had):
    noise = np.random.default_rng(2).normal(0, 0.1, SIZE)
    for values in (had + noise, noise - had):
        (leak,) = found(had, values, "input")
        assert (leak.outcome, leak.kind, leak.name) == ("homeless", "input", "tried")
        assert "AUC" in leak.reason


def test_what_is_known_only_where_it_happened_is_named(had):
    some = had & (np.random.default_rng(3).random(SIZE) < 0.3)
    (leak,) = found(had, np.where(some, 5.0, np.nan))
    assert "it is known almost only where the event happened" in leak.reason


def test_what_is_out_of_the_usual_only_where_it_happened_is_named(had):
    some = had & (np.random.default_rng(3).random(SIZE) < 0.3)
    (leak,) = found(had, np.where(some, 5.0, 0.0))
    assert "out of the usual" in leak.reason


@pytest.mark.parametrize("effect", [0, 1, 2])
def test_what_foretells_is_no_leak(had, effect):
    noise = np.random.default_rng(4).normal(0, 1, SIZE)
    assert not found(had, noise + effect * had)
    assert not found(had, (noise + effect * had > 2).astype(float))
    assert not found(had, np.where(noise > 1, np.nan, noise))


def test_what_is_the_same_for_all_or_known_of_nobody_is_no_leak(had):
    assert not found(had, np.zeros(SIZE))
    assert not found(had, np.full(SIZE, np.nan))


def test_what_follows_from_an_event_is_found_beside_earlier_events(had):
    before = ~had & (np.random.default_rng(5).random(SIZE) < 0.05)
    assert not found(had, had | before)
    assert found(had, had | before, before=before)


def test_what_follows_from_an_earlier_event_is_no_leak_where_there_is_another(had):
    """Who had it before is left aside, also where it happens to them again."""
    before = np.random.default_rng(9).random(SIZE) < 0.2
    assert (had & before).sum() > 100
    assert found(had, np.where(before, 5.0, 0.0), before=before) == ()


def test_what_stands_out_for_few_others_is_no_leak(had):
    """A sample of the others may hold none of them: all are looked at."""
    values = np.zeros(SIZE)
    values[np.flatnonzero(had)[:12]] = 1
    assert found(had, values)
    values[np.flatnonzero(~had)[1:3]] = 1
    assert not found(had, values)


def test_of_few_events_nothing_is_said():
    had = np.zeros(1000, dtype=np.bool_)
    had[: FEWEST - 1] = True
    assert not found(had, had)
    had[:FEWEST] = True
    assert found(had, had)


def test_of_many_households_some_are_compared(had):
    assert SAMPLE < SIZE
    values = had + np.random.default_rng(2).normal(0, 0.1, SIZE)
    assert found(had, values) == found(had, values)


def test_inputs_are_compared_as_numbers():
    days = pl.Series([datetime.date(1970, 1, 3), None])
    for column, first in (
        (days, 2),
        (pl.Series([True, None]), 1),
        (pl.Series([7, None], dtype=pl.Int16), 7),
    ):
        values = numbers(column)
        assert values[0] == first
        assert np.isnan(values[1])
