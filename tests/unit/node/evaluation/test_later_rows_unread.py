"""Rows that extracts leave out before they read them: each date is as if all had been read."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_node.pipeline.local import score
from folkmoot_node.sources.known_on import KnownRecords
from folkmoot_plugin_extracts.source import ExtractsSource
from tests.unit.node.conftest import TODAY
from tests.unit.node.evaluation.dated_council import HOUSING, TAX

DAYS = st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 7, 31)).map(str) | st.sampled_from(
    ["", "soon"]
)
UPRNS = st.sampled_from(["1", "2", "3", "4", "9", ""])
ROWS = st.lists(
    st.tuples(UPRNS, DAYS, st.sampled_from(["", "0", "100", "900", "much"]), DAYS),
    max_size=8,
    unique=True,
)
EVENTS = st.lists(st.tuples(UPRNS, DAYS, DAYS, DAYS), max_size=5, unique=True)
BORN = """
[fields.youngest_age]
column = "Born"
type = "integer"
transform = "age"
unit = "years"
minimum = 0
combine = "min"
category = "demography"
"""
ASKED = {"baselines": {"oldest_first": ["council_tax_arrears", "youngest_age"]}}


def same(one, other):
    """Whether two snapshots are equal, arrays element by element."""
    if dataclasses.is_dataclass(one):
        names = [entry.name for entry in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, np.ndarray):
        is_number = one.dtype.kind in "fM"
        alike = np.array_equal(one, other, equal_nan=is_number)
        return one.dtype == other.dtype and alike
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def told(rows):
    return "".join(",".join(row) + "\n" for row in rows)


def both(council, monkeypatch):
    """The snapshots, where later rows are left out by the reader of files, and by the node."""
    quick = council.evaluate(**ASKED)
    with monkeypatch.context() as patch:
        patch.setattr(KnownRecords, "read_until", None)
        slow = council.evaluate(**ASKED)
    return quick, slow


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, events=EVENTS)
def test_each_date_is_the_same(council, rows, events):
    council.write(
        tax=TAX + BORN,
        tax_csv="UPRN,Date,Arrears,Born\n" + told([*rows, ("1", "2026-01-02", "5", "1990-01-01")]),
        # The source of outcomes reaches to the end of the last horizon.
        housing_csv="UPRN,Recorded,Event,Left\n" + told([*events, ("2", *["2026-07-30"] * 3)]),
    )
    with pytest.MonkeyPatch.context() as monkeypatch:
        quick, slow = both(council, monkeypatch)
    assert len(quick) == 2
    assert same(tuple(quick), tuple(slow))


def asked_of(council, monkeypatch, **texts):
    """Until when each source was asked to read, on the first date."""
    council.write(**texts)
    asked = {}
    original = ExtractsSource.read

    def read(source, context):
        asked.setdefault(source.schema.name, context.known_on)
        return original(source, context)

    monkeypatch.setattr(ExtractsSource, "read", read)
    council.evaluate()
    return asked


def test_only_dated_sources_without_outcomes_are_asked(council, monkeypatch):
    first = datetime.date(2026, 2, 28)
    asked = asked_of(council, monkeypatch)
    assert asked == {"homes": None, "tax": first, "housing": None}


def test_a_source_of_inputs_and_outcomes_is_read_whole(council, monkeypatch):
    owes = '[fields.council_tax_arrears]\ncolumn = "Owes"\ntype = "number"\nunit = "GBP"\n'
    asked = asked_of(
        council,
        monkeypatch,
        housing=HOUSING + owes + 'combine = "latest"\ncategory = "finance"\nabsent = 0\n',
        housing_csv="UPRN,Recorded,Event,Left,Owes\n1,2026-02-01,,,300\n2,2026-07-01,2026-07-01,,1\n",
        tax=TAX.replace("council_tax_arrears", "arrears_of_tax"),
    )
    assert asked["housing"] is None


def test_a_run_of_today_reads_everything(council, monkeypatch):
    """`known_on` is for back-tests alone."""
    asked = []
    original = ExtractsSource.read
    monkeypatch.setattr(
        ExtractsSource,
        "read",
        lambda source, context: asked.append(context.known_on) or original(source, context),
    )
    score(council.config, council.plugins, council.policy, today=TODAY)
    assert set(asked) == {None}
