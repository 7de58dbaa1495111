"""The equality audit: figures by hand, small groups, and what it keeps to itself."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from folkmoot_node.cli import app
from folkmoot_node.equality.report import audit_equality
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.home import open_home
from folkmoot_node.operations.export_households import write_households
from folkmoot_node.scoring.explain import explain
from folkmoot_node.small_groups import pooled
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import (
    Category,
    Combine,
    Field,
    FieldType,
    Input,
    ProtectedCharacteristic,
    RecordLevel,
    RiskFactor,
    Schema,
)
from tests.unit.node.conftest import NODE, POLICY, Book, tax_rows

GROUPS = ("heron", "kite", "wren", "rook")
"""Codes that occur nowhere else, so that they can be looked for."""
MONITORING = Schema(
    name="monitoring",
    level=RecordLevel.PERSON,
    supplier="Customer services",
    fields=(
        Field(
            "ethnic_group",
            FieldType.CATEGORY,
            Combine.FIRST,
            Category.DEMOGRAPHY,
            protected=ProtectedCharacteristic.RACE,
            codes=GROUPS,
        ),
    ),
)
EQUALITY = '[[equality]]\nfield = "ethnic_group"\n'


def council(node, group: list[str | None], arrears: list[float], tenure: list[str | None]):
    """Gives the node a household for each entry, and a source that holds the group."""
    with StateDatabase(node.config.state_path, create=True):
        pass
    uprns = list(range(1, len(group) + 1))
    node.tax.batches = [tax_rows(uprns, arrears, tenure, ["E01000001"] * len(uprns))]
    node.people.batches = []
    rows = {"uprn": uprns, "person": [f"p{uprn}" for uprn in uprns], "ethnic_group": group}
    schema = {"uprn": pl.Int64, "person": pl.String, "ethnic_group": pl.String}
    node.extra["monitoring_book"] = Book(MONITORING, [pl.DataFrame(rows, schema=schema)])
    node.write_node(NODE + '[[sources]]\nname = "monitoring"\nkind = "monitoring_book"\n')
    node.write_policy(POLICY + EQUALITY)


def audit(node, **options):
    with node.open() as store:
        return audit_equality(store, progress=lambda *_: None, **options)


@pytest.fixture
def small(node):
    """20 herons of whom 5 owe GBP 2,000, 30 kites of whom 3 do, 4 wrens, 12 not known."""
    owing = [True] * 5 + [False] * 15 + [True] * 3 + [False] * 27 + [True] * 4 + [False] * 12
    group = ["heron"] * 20 + ["kite"] * 30 + ["wren"] * 4 + [None] * 12
    council(node, group, [2000.0 if one else 0.0 for one in owing], ["owned"] * len(group))
    node.score()
    return node


def test_figures_are_those_computed_by_hand(small):
    report = audit(small, smallest=3)
    [figures] = report.figures
    assert [group.group for group in figures.groups] == ["heron", "kite", "wren", "not known"]
    heron, kite, wren, unknown = figures.groups
    assert (heron.households, kite.households, wren.households) == (20, 30, 4)
    # 60 points for GBP 2,000; nobody is known to be alone, nobody rents.
    assert heron.mean_score == pytest.approx(5 * 60 / 20)
    others = 7 * 60 / 34
    assert heron.difference == pytest.approx(15 - others)
    assert heron.ratio == pytest.approx(15 / others)
    none, low, high = heron.bands
    assert (none.share, low.share, high.share) == (0.75, 0, 0.25)
    assert high.difference == pytest.approx(5 / 20 - 7 / 34)
    assert high.ratio == pytest.approx((5 / 20) / (7 / 34))
    # Wilson (1927) for 5 of 20, as in Newcombe (1998a), and Newcombe's interval by its formula.
    assert (high.interval.low, high.interval.high) == pytest.approx((0.1119, 0.4687), abs=1e-4)
    low2, high2 = 0.1035, 0.3681  # Wilson for 7 of 34
    assert high.difference_interval.low == pytest.approx(
        high.difference - np.hypot(0.25 - 0.1119, high2 - 7 / 34), abs=2e-4
    )
    assert high.difference_interval.high == pytest.approx(
        high.difference + np.hypot(0.4687 - 0.25, 7 / 34 - low2), abs=2e-4
    )
    arrears, alone, renting = heron.factors
    assert (arrears.mean, renting.mean) == (15, 0)
    assert (alone.mean, alone.unknown) == (None, 1)
    assert (unknown.households, unknown.mean_score) == (12, 0)
    assert unknown.difference == pytest.approx(-12 * 60 / 54)
    # Chi-squared of {5, 15}, {3, 27}, {4, 0} by hand.
    table = np.array([[15, 5], [27, 3], [0, 4]])
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    statistic = ((table - expected) ** 2 / expected).sum()
    assert figures.test.statistic == pytest.approx(statistic)
    assert figures.test.degrees == 2
    assert figures.test.cramers_v == pytest.approx(np.sqrt(statistic / 54))
    assert not figures.test.approximate


def test_a_small_group_is_shown_with_the_next_larger_one(small):
    [figures] = audit(small).figures
    assert [(group.group, group.households) for group in figures.groups] == [
        ("heron + wren", 24),
        ("kite", 30),
        ("not known", 12),
    ]
    assert figures.together == ("heron + wren",)
    assert figures.suppressed == ()
    both, kite, _ = figures.groups
    assert both.bands[2].share == 9 / 24
    assert both.mean_score == pytest.approx(9 * 60 / 24)
    assert both.difference == pytest.approx(9 * 60 / 24 - kite.mean_score)


def test_few_households_without_a_known_group_are_not_shown(small):
    [figures] = audit(small, smallest=13).figures
    assert figures.suppressed == ("not known",)
    assert [group.group for group in figures.groups] == ["heron + wren", "kite"]


def test_too_few_households_altogether_are_not_shown(small):
    [figures] = audit(small, smallest=100).figures
    assert figures.groups == ()
    assert figures.suppressed == ("heron + kite + wren", "not known")


@given(st.lists(st.integers(0, 60), min_size=1, max_size=9), st.integers(3, 20))
def test_every_group_is_shown_once_among_enough_households(counts, smallest):
    count = np.array(counts)
    pools = pooled(count, smallest)
    assert sorted(at for pool in pools for at in pool) == np.flatnonzero(count).tolist()
    sizes = [count[list(pool)].sum() for pool in pools]
    assert len(pools) == 1 or all(size >= smallest for size in sizes)
    # No group that is large enough is taken together with more than the small ones need.
    for pool in pools:
        if len(pool) > 1 and count[list(pool)].sum() >= smallest:
            largest = max(count[list(pool)])
            assert largest < smallest or count[list(pool)].sum() - largest < smallest


def test_codes_are_taken_together_as_the_policy_says(small):
    small.write_policy(POLICY + EQUALITY + 'groups = { birds_of_prey = ["heron", "kite"] }\n')
    small.score()
    [figures] = audit(small, smallest=3).figures
    assert figures.audit.groups == ("birds_of_prey", "wren", "rook")
    assert [group.households for group in figures.groups] == [50, 4, 12]


@pytest.mark.parametrize(
    "table,message",
    [
        ('[[equality]]\nfield = "tenure"\n', "not marked with a protected characteristic"),
        (EQUALITY + 'groups = { a = ["hern"] }\n', "Did you mean 'heron'"),
        (EQUALITY + 'groups = { a = ["heron"], b = ["heron"] }\n', "is in two groups"),
        (EQUALITY + "breaks = [1]\n", "has no breaks"),
        (EQUALITY + EQUALITY, "named twice"),
        ('[[equality]]\nfield = "oldest_age"\n', "needs breaks"),
        ('[[equality]]\nfeild = "ethnic_group"\n', "did you mean 'field'"),
    ],
)
def test_what_cannot_be_audited_is_refused_by_name(small, table, message):
    small.write_policy(POLICY + table)
    with pytest.raises(Problem) as raised:
        small.score()
    assert raised.value.exit_code is ExitCode.SETTINGS
    assert message in f"{raised.value.problem} {raised.value.remedy}"


def test_a_field_that_the_council_does_not_hold_is_said_not_to_be_audited(small):
    small.write_policy(POLICY + EQUALITY + '[[equality]]\nfield = "religion"\n')
    assert small.score().not_held == ("religion",)
    assert audit(small).not_held == ("religion",)


def test_without_fields_to_audit_it_says_what_to_add(small):
    small.write_policy(POLICY)
    small.score()
    with pytest.raises(Problem, match="names no field to audit") as raised:
        audit(small)
    assert "[[equality]]" in raised.value.remedy


class ByGroup(RiskFactor):
    name = "by_group"
    title = "By group"
    description = "Scores a protected characteristic, which is refused."
    domain = "test"
    inputs = (Input("ethnic_group", FieldType.CATEGORY, codes=GROUPS),)

    def score(self, inputs, context):
        return np.zeros(len(inputs["ethnic_group"]))

    def explain(self, values, score, context):
        return ""


def test_an_audited_field_is_refused_as_an_input(small):
    small.factors["by_group"] = ByGroup
    small.write_policy((POLICY + EQUALITY).replace('"renting"', '"by_group"'))
    with pytest.raises(Problem, match="protected characteristic 'race'"):
        small.score()


def test_it_is_no_input_no_attribute_and_in_no_explanation(small, tmp_path):
    with small.open() as store:
        assert set(store.attributes) == {"band", "tenure", "age_group", "lsoa"}
        for details in store.details():
            assert not [name for name in details.columns if "ethnic" in name]
        write_households(store, tmp_path / "all.csv", [])
    assert "ethnic" not in (tmp_path / "all.csv").read_text()
    found = explain(small.config, small.plugins, small.policy, 1)
    assert not [word for word in GROUPS if word in json.dumps(found.as_json()) + found.as_text()]


def test_without_the_policy_it_is_neither_read_nor_stored(small):
    assert small.extra["monitoring_book"].asked == ("ethnic_group",)
    assert "audit_ethnic_group" in small.rows().columns
    small.extra["monitoring_book"].asked = ()
    small.write_policy(POLICY)
    small.score()
    assert small.extra["monitoring_book"].asked == ()
    assert not [name for name in small.rows().columns if "ethnic" in name]


def run(node, *arguments):
    return CliRunner().invoke(app, ["equality", *arguments, "--home", str(node.home)])


def test_the_command_records_the_look_and_nothing_of_what_was_seen(small):
    done = run(small, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["figures"][0]["field"] == "ethnic_group"
    with open_home(small.home) as home:
        assert [entry.body["action"] for entry in home.audit.entries()] == ["equality audited"]
        assert not list(home.egress.departures())
    for path in small.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in GROUPS if word.encode() in content], path


def test_it_is_said_in_words_how_a_household_gets_its_group(small):
    text = " ".join(run(small).stdout.split())
    assert "the first known value among its records (one record a person)" in text
    assert "A difference is not in itself unfair" in text
    assert "heron + wren" in text


@pytest.mark.parametrize("suffix", [".svg", ".html", ".png"])
def test_a_plot_is_written_for_this_account_alone(small, tmp_path, suffix):
    path = tmp_path / f"plot{suffix}"
    assert run(small, "--plot", str(path)).exit_code == 0
    assert path.stat().st_mode & 0o077 == 0
    content = path.read_bytes()
    assert len(content) > 1000
    if suffix != ".png":
        assert b"kite" in content
        assert b"heron + wren" in content


def test_another_kind_of_plot_is_refused(small, tmp_path):
    done = run(small, "--plot", str(tmp_path / "plot.pdf"))
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.USAGE


def test_there_is_no_plot_of_nothing(small, tmp_path):
    done = run(small, "--smallest", "100", "--plot", str(tmp_path / "plot.svg"))
    assert isinstance(done.exception, Problem)
    assert "no group has enough households" in done.exception.problem
    assert run(small, "--smallest", "100").exit_code == 0
