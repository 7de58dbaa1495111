"""Nodes alone, through the command that people use."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from folkmoot_rehearsal.alone import make_nodes
from folkmoot_rehearsal.councils import named
from folkmoot_rehearsal.layout import Layout
from folkmoot_rehearsal.processes import children
from folkmoot_rehearsal.synthesis import Recipe
from tests.borough import BOROUGH, cohort_of, scored_of, truth_of
from tests.orderly import keep_records_in_order

COMMAND = Path(sys.executable).with_name("folkmoot-rehearse")
NODE = Path(sys.executable).with_name("folkmoot-node")


def rehearse(out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), "--out", str(out), *words], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder and the JSON of a node alone."""
    out = tmp_path_factory.mktemp("alone") / "borough"
    done = rehearse(
        out, "--councils", BOROUGH, "--households", "3000", "--seed", "7", "--date", "2026-11-23",
        "--node-alone", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


@pytest.mark.slow
def test_one_command_makes_a_scored_node_without_a_region(made):
    out, result = made
    assert result["state"] == "finished"
    assert result["homes"] == {BOROUGH: str(out / "councils" / BOROUGH)}
    assert 2950 < result["households"] <= 3000
    assert sum(result["bands"].values()) == result["households"]
    assert not (out / "coordinator").exists()
    assert not (out / "rounds").exists()
    assert json.loads((out / "rehearsal.json").read_text("utf-8")) == result
    assert result["debt_older_alone"] == {BOROUGH: truth_of(out)["debt_older_alone"].sum()}


@pytest.mark.slow
def test_commands_of_the_node_use_its_home(made):
    out, _ = made
    shown = scored_of(out).sort("uprn")
    uprn = str(shown["uprn"][0])
    done = subprocess.run(
        [str(NODE), "explain", uprn, "--json", "--home", str(out / "councils" / BOROUGH)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["score"] == pytest.approx(shown["score"][0])


@pytest.mark.slow
def test_its_readme_names_what_is_there(made):
    out, _ = made
    readme = (out / "README.txt").read_text("utf-8")
    assert "@" not in readme
    assert "Barking and Dagenham" in readme
    for line in readme.splitlines():
        name = line.split()[0] if line.startswith("  ") and line.split() else ""
        if name.endswith("/"):
            assert (out / name.split("<")[0]).is_dir(), name


@pytest.mark.slow
def test_reported_deaths_reach_the_nodes_attribute(made):
    out, _ = made
    reported = set(scored_of(out).filter(pl.col("death_reported") == "yes")["uprn"])
    scored = set(scored_of(out)["uprn"])
    died = set(truth_of(out).filter(pl.col("deaths") > 0)["uprn"]) & scored
    assert died
    assert reported == died


@pytest.mark.slow
def test_found_is_true_where_records_are_right(tmp_path, monkeypatch):
    """Linked by UPRN, the cohort of the store is that of the truth, but for deaths."""
    keep_records_in_order(monkeypatch)
    layout = Layout(tmp_path / "borough")
    layout.prepare(replace=False)
    recipe = Recipe(households=20_000, seed=7, today=datetime.date(2026, 11, 23))
    with children(layout.logs) as kept:
        nodes = make_nodes(named(BOROUGH), recipe, layout, kept, lambda *_: None)
    assert nodes.scores[BOROUGH]["households"] == 20_000
    no_death = truth_of(layout.root).filter(pl.col("deaths") == 0)
    true = set(no_death.filter("debt_older_alone")["uprn"])
    found = set(cohort_of(layout.root)["uprn"]) & set(no_death["uprn"])
    assert len(true) > 40
    assert found == true


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--councils", "E07000008"), "E07000008 is no metropolitan district"),
        (("--councils", "41"), "1 to 40"),
        (("--census-size",), "needs the tables of the census"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_before_anything_is_made(tmp_path, words, says):
    done = rehearse(tmp_path / "out", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


def test_two_sizes_are_refused(tmp_path):
    done = rehearse(
        tmp_path / "out", "--census-size", "--households", "100", "--marginals", str(tmp_path)
    )
    assert done.returncode == 2
    assert "so does --households" in done.stderr
    assert not (tmp_path / "out").exists()
