"""Scores that a run keeps in memory are those that it would have stored."""

from __future__ import annotations

import polars as pl
import pytest

from folkmoot_node.pipeline.kept_scores import KeptScores
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.store.schema import WITHHELD_COLUMN
from folkmoot_operator.problems import Problem
from tests.unit.node.conftest import NODE, TODAY


def kept_by(node):
    kept = KeptScores()
    run = score(
        node.config, node.plugins, node.policy, today=TODAY, judged=Judged(stops=False), kept=kept
    )
    return run, kept


@pytest.mark.parametrize("partitions", [1, 3])
def test_they_are_those_of_the_store_and_the_store_stays(node, partitions):
    node.write_node(NODE.replace("[[sources]]", f"partitions = {partitions}\n[[sources]]", 1))
    stored = node.score()
    before = node.config.store_path.read_bytes()
    run, kept = kept_by(node)
    assert node.config.store_path.read_bytes() == before
    assert (run.households, run.bands) == (stored.households, stored.bands)
    found = kept.taken().sort("uprn")
    assert found["uprn"].to_list() == [1, 2, 3]
    assert WITHHELD_COLUMN in found.columns
    rows = node.rows()
    points = pl.col("^points_.*$").replace(-1, None)
    names = [name for name in rows.columns if name in found.columns]
    assert set(found.columns) - set(names) <= {"part"}
    assert found.with_columns(points).select(names).rows() == rows.select(names).rows()


def test_they_are_taken_once_and_a_run_that_begins_again_begins_anew(node):
    _, kept = kept_by(node)
    kept.create({})
    with pytest.raises(ValueError, match="cannot concat empty list"):
        kept.taken()


def test_a_run_that_fails_says_so(node):
    node.tax.batches = []
    with pytest.raises(Problem):
        kept_by(node)
