"""Whom a series has counted: once each, frozen when released, counted anew when not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.series import SeriesRow
from folkmoot.workload import Marginal, Workload
from folkmoot_node.store.cells import classify
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_node.store.event_history import EventHistory, FoundHouseholds, forget, open_history
from folkmoot_operator.problems import ExitCode, Problem

LENGTH = 6
COUNCIL = GssCode("E08000009")
ASKED = Workload(
    (Attribute("tenure", ("own", "rent")), Attribute("age", ("y", "m", "o"))),
    (Marginal(("tenure", "age")),),
)
COUNTED_BY = [
    classify(ASKED, attribute, axis, COUNCIL)
    for attribute, axis in zip(ASKED.counted_by, ASKED.axes(COUNCIL), strict=True)
]
TABLES = ((1, 1), (1, 0), (0, 1), (0, 0))
DEFINITION = b"d" * 32
SNAPSHOT = st.dictionaries(
    st.integers(1, 30), st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=20
)


def found(snapshot: dict[int, tuple[int, int]]) -> FoundHouseholds:
    cells = np.array(list(snapshot.values()), dtype=np.int64).reshape(-1, 2)
    return FoundHouseholds(np.array(list(snapshot), dtype=np.int64), (cells[:, 0], cells[:, 1]))


def by_hand(row: SeriesRow, counted: dict[int, tuple[int, tuple[int, int]]]) -> list[list[int]]:
    table = np.zeros((2, 3), dtype=np.int64)
    for cohort, cell in counted.values():
        table[cell] += row.coefficient(cohort, LENGTH)
    return [
        table.ravel().tolist(),
        table.sum(axis=1).tolist(),
        table.sum(axis=0).tolist(),
        [int(table.sum())],
    ]


@pytest.mark.slow
@settings(deadline=None, max_examples=10)
@given(st.data())
def test_the_tables_are_those_counted_by_hand(tmp_path_factory, data):
    """Snapshots come and go, releases get lost, attempts fail before they are released."""
    folder = tmp_path_factory.mktemp("history")
    key, path = create_key(folder / "key"), folder / "s.duckdb"
    counted: dict[int, tuple[int, tuple[int, int]]] = {}
    released: list[str] = []
    cohort = 1
    for step in range(1, data.draw(st.integers(1, LENGTH)) + 1):
        row = SeriesRow(step, cohort)
        attempts = data.draw(st.lists(SNAPSHOT, min_size=1, max_size=3))
        for at, snapshot in enumerate(attempts):
            round_id = f"{step}-{at}"
            with open_history(path, key, DEFINITION, 2, threads=1) as history:
                history.count(row, round_id, released, found(snapshot))
                tables = history.tabulate(row, LENGTH, COUNTED_BY, TABLES)
            fresh = {uprn: (cohort, cell) for uprn, cell in snapshot.items() if uprn not in counted}
            assert [table.tolist() for table in tables] == by_hand(row, counted | fresh)
        counted |= fresh  # of the last attempt, which is released
        released.append(round_id)
        if data.draw(st.booleans()):
            cohort = step + 1


@pytest.fixture
def place(tmp_path):
    return tmp_path / "s.duckdb", create_key(tmp_path / "key")


def test_two_processes_do_not_count_at_once(place):
    path, key = place
    with (
        open_history(path, key, DEFINITION, 2, threads=1),
        pytest.raises(Problem, match="another process is counting"),
        open_history(path, key, DEFINITION, 2, threads=1),
    ):
        pass


def test_the_history_of_another_series_is_refused(place):
    path, key = place
    with open_history(path, key, DEFINITION, 2, threads=1):
        pass
    with (
        pytest.raises(Problem, match="another series") as raised,
        open_history(path, key, b"e" * 32, 2, threads=1),
    ):
        pass
    assert raised.value.exit_code is ExitCode.DATA


def test_another_key_does_not_open_it(place, tmp_path):
    path, key = place
    with open_history(path, key, DEFINITION, 2, threads=1):
        pass
    other = create_key(tmp_path / "other")
    with (
        pytest.raises(Problem, match="cannot be opened") as raised,
        open_history(path, other, DEFINITION, 2, threads=1),
    ):
        pass
    assert "folkmoot-node score" not in raised.value.remedy


@pytest.mark.parametrize("released", [["other"], ["a", "b", "c"], []])
def test_steps_that_are_not_those_released_change_nothing(place, released):
    path, key = place
    one = found({1: (0, 0)})
    with open_history(path, key, DEFINITION, 2, threads=1) as history:
        history.count(SeriesRow(1, 1), "a", [], one)
        history.count(SeriesRow(2, 2), "b", ["a"], one)
        before = steps(history)
        row = SeriesRow(len(released) + 1, len(released) + 1)
        with pytest.raises(Problem, match="not that of the answers"):
            history.count(row, "z", released, one)
        assert steps(history) == before


def steps(history: EventHistory) -> list[tuple[int, str]]:
    rows = history._connection.execute("SELECT step, round_id FROM store.steps ORDER BY step")
    return rows.fetchall()


def test_a_household_that_comes_twice_in_one_snapshot_stops_everything(place):
    path, key = place
    twice = FoundHouseholds(np.array([1, 1]), (np.array([0, 1]), np.array([0, 0])))
    with open_history(path, key, DEFINITION, 2, threads=1) as history:
        with pytest.raises(AssertionError, match="counted twice"):
            history.count(SeriesRow(1, 1), "a", [], twice)
        assert steps(history) == []


def test_what_is_found_is_not_shown():
    assert repr(found({77: (0, 0)})) == "FoundHouseholds(<redacted>)"


def test_forgetting_leaves_no_file(place):
    path, key = place
    with open_history(path, key, DEFINITION, 2, threads=1) as history:
        history.count(SeriesRow(1, 1), "a", [], found({1: (0, 0)}))
    forget(path)
    assert [one.name for one in path.parent.iterdir()] == ["key"]
