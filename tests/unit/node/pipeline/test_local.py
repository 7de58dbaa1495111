"""The whole path, from records to a scored store, through the plugin API."""

from __future__ import annotations

import datetime
import threading
from dataclasses import replace

import pytest

from folkmoot_node.pipeline import stages
from folkmoot_node.pipeline.own_run import begin
from folkmoot_node.pipeline.run import ScoringRun
from folkmoot_operator.problems import ExitCode, Problem
from tests.tables import count
from tests.unit.node.conftest import TODAY, tax_rows


def test_households_are_scored_banded_and_stored(node):
    summary = node.score()
    rows = {row["uprn"]: row for row in node.rows().to_dicts()}
    assert set(rows) == {1, 2, 3}
    assert rows[1]["points_arrears"] == 15_000
    assert rows[1]["points_alone"] == 0
    assert rows[1]["points_renting"] == 0
    assert rows[1]["score"] == 15_000
    assert rows[1]["band"] == 1
    assert rows[2]["points_arrears"] == 60_000
    assert rows[2]["points_alone"] == 30_000
    assert rows[2]["points_renting"] == 10_000
    assert rows[2]["band"] == 2
    assert rows[3]["points_arrears"] is None
    assert rows[3]["points_alone"] is None
    assert rows[3]["points_renting"] is None
    assert rows[3]["score"] == 0
    assert summary.bands == {"none": 1, "low": 1, "high": 1}
    assert summary.incomplete == 1
    assert summary.policy_digest == node.policy.digest


def test_the_linkage_report_counts_what_did_not_link(node):
    summary = node.score()
    tax, people = summary.sources
    assert (tax.records, tax.linked, tax.no_uprn, tax.not_in_frame) == (5, 4, 1, 0)
    assert (people.records, people.linked, people.no_uprn, people.not_in_frame) == (5, 3, 1, 1)
    assert tax.latest_record == datetime.date(2026, 12, 1)


def test_counts_are_exact_and_follow_the_code_lists(node):
    node.score()
    codes = {
        "band": ("none", "low", "high"),
        "lsoa": ("E01000002", "E01000001", "E01000009"),
        "tenure": ("rented", "owned", "unknown"),
        "age_group": ("65_74", "75_over", "unknown", "under_16"),
    }
    with node.open() as store:
        assert store.attributes == {
            "band": ("none", "low", "high"),
            "tenure": ("owned", "rented", "unknown"),
            "age_group": ("under_16", "16_24", "25_64", "65_74", "75_over", "unknown"),
            "lsoa": None,
        }
        total, band, cross, tenure, ages = count(
            store, codes, [(), ("band",), ("band", "lsoa"), ("tenure",), ("age_group",)]
        )
        fewer = {"band": codes["band"], "lsoa": ("E01000001",)}
        in_one_area = count(store, fewer, [(), ("band",)])
        with_others = count(store, fewer, [(), ("band", "lsoa")], others=True)
    assert total.tolist() == [3]
    assert band.tolist() == [1, 1, 1]
    assert cross.reshape(3, 3).tolist() == [[0, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert tenure.tolist() == [1, 1, 1]
    assert ages.tolist() == [1, 1, 1, 0]
    assert str(cross.dtype) == "int64"
    # A household whose area is not listed is in no table, unless others have a cell.
    assert [table.tolist() for table in in_one_area] == [[2], [1, 1, 0]]
    assert with_others[0].tolist() == [3]
    assert with_others[1].reshape(4, 2).tolist() == [[1, 0], [1, 0], [0, 1], [0, 0]]


def test_an_attribute_that_is_not_stored_is_refused(node):
    node.score()
    with node.open() as store, pytest.raises(Problem) as raised:
        count(store, {"religion": ("a",)}, [("religion",)])
    assert raised.value.exit_code is ExitCode.REFUSED


def test_the_date_of_each_households_latest_record_is_kept_by_source(node):
    node.tax.batches = [
        tax_rows(
            [1, 1, 2, 3],
            [100.0, 200.0, 10.0, None],
            ["owned"] * 4,
            ["E01000001"] * 4,
            [datetime.date(2026, 3, 1), datetime.date(2026, 2, 1), None, TODAY],
        )
    ]
    node.score()
    rows = node.rows()
    assert rows["date@tax"].to_list() == [datetime.date(2026, 3, 1), None, TODAY]
    assert "date@people" not in rows.columns  # the source has no dates


def test_a_partition_without_households_is_no_fault(node):
    text = (node.home / "node.toml").read_text()
    node.write_node(text.replace('frame = "tax"', 'frame = "tax"\npartitions = 50'))
    summary = node.score()
    assert summary.households == 3
    assert node.rows()["uprn"].to_list() == [1, 2, 3]


def test_nothing_is_left_of_a_run(node):
    text = (node.home / "node.toml").read_text()
    node.write_node(text.replace('frame = "tax"', 'frame = "tax"\nmemory_mib = 0'))
    stale = node.config.runs_folder / "abandoned"
    stale.mkdir(parents=True)
    (stale / "tax.spool").write_bytes(b"x")
    node.score()
    assert list(node.config.runs_folder.iterdir()) == []


def test_stages_run_in_other_processes_and_may_be_repeated(node, monkeypatch):
    """As workers do: each stage by a run that was opened from its id."""
    node.score()
    expected = node.rows()
    monkeypatch.setattr("folkmoot_node.pipeline.run.load_plugins", lambda _: node.loaded)
    with begin(node.config, node.plugins, node.policy, today=TODAY, shared=True) as run:

        def worker():
            return ScoringRun.open(node.home, run.plan.run_id)

        worker().read_frame()
        assert worker().partitions == 1
        for _ in range(2):
            for source in run.sources:
                worker().read(source)
        worker().score(0)
        worker().score(0)
        run.create()
        run.finish()
    assert run.summary.households == expected.height
    assert node.rows().equals(expected)
    with pytest.raises(Problem, match="has ended"):
        ScoringRun.open(node.home, run.plan.run_id)


def test_a_worker_ends_its_processes_with_the_run(node, monkeypatch):
    """Nobody tells a worker that a run is over: it sees that what the run wrote has gone."""
    ended = threading.Event()

    class Process:
        has_ended = False

        def close(self):
            ended.set()

    loaded = replace(node.loaded, processes=(Process(),))
    monkeypatch.setattr("folkmoot_node.pipeline.run.load_plugins", lambda _: loaded)
    monkeypatch.setattr(stages, "LOOK_SECONDS", 0.01)
    with begin(node.config, node.plugins, node.policy, today=TODAY, shared=True) as run:
        stages.read_frame(str(node.home), run.plan.run_id)
        assert not ended.wait(0.2)
    assert ended.wait(60)
