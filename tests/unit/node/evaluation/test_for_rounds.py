"""Households as they were known on a past date, kept for rounds: what is in them, and what is not.

The council is so small that each row can be told by hand.
"""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from folkmoot_node.corrections.decisions import Decision
from folkmoot_node.corrections.sealed_file import open_corrections
from folkmoot_node.evaluation.for_rounds import keep_for_rounds
from folkmoot_node.evaluation.measures.observed import observed
from folkmoot_node.operations.retention import _leftovers
from folkmoot_node.pipeline.kept_scores import KeptScores
from folkmoot_node.pipeline.local import score
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_node.store.use import open_snapshot
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_plugin_extracts.source import ExtractsSource
from tests.unit.node.conftest import TODAY
from tests.unit.node.evaluation.dated_council import FILES, HOMES, POLICY, Council

DATE = datetime.date(2026, 2, 28)
ATTRIBUTES = """
[attributes.tenure]
field = "tenure"
[attributes.arrears]
factor = "arrears"
breaks = [0.1, 0.5]
levels = ["no", "some", "much"]
[attributes.homeless]
outcome = "homeless"
months = 3
moved_away = "moved_away"
[attributes.homeless_in_a_month]
outcome = "homeless"
months = 1
"""


@pytest.fixture
def council(council):
    """The council of the other tests, whose policy lets rounds ask what happened."""
    council.write(policy=POLICY + ATTRIBUTES)
    return council


def keep(council, date=DATE, undated=("homes",)):
    return keep_for_rounds(
        council.config,
        council.plugins,
        council.policy,
        date=date,
        undated=undated,
        today=TODAY,
    )


def rows(council) -> dict[int, tuple[str, ...]]:
    """By UPRN the code of each attribute, as rounds count it, in the order of the policy."""
    config = council.config
    with open_store(config.snapshot_path, read_key(config.key_file)) as store:
        table = store._connection.sql("SELECT * FROM store.households").pl()
        codes = {
            name: pl.col(one.counted).replace_strict(
                range(len(one.stored_codes)), one.stored_codes, return_dtype=pl.String
            )
            for name, one in store.run.stored.items()
        }
    return {row[0]: row[1:] for row in table.select("uprn", **codes).sort("uprn").iter_rows()}


def test_bands_levels_and_groups_are_of_the_date_and_outcomes_of_the_horizon(council):
    kept = keep(council)
    assert rows(council) == {
        1: ("none", "owned", "some", "yes", "yes"),  # owed more later, and applied on 2 March
        2: ("high", "rented", "much", "unknown", "no"),  # left in April
        3: ("none", "rented", "no", "no", "no"),  # applied before the date
        4: ("none", "owned", "no", "no", "no"),
    }
    assert (kept.run.known_on, kept.run.reference_date) == (DATE, DATE)
    assert kept.outcomes == {
        "homeless": datetime.date(2026, 5, 28),
        "homeless_in_a_month": datetime.date(2026, 3, 28),
    }
    assert kept.undated == ("homes",)


def test_it_agrees_with_what_a_back_test_judges(council):
    """Two ways to the same: where they differed, a region would judge something else."""
    for date in ("2026-02-28", "2026-03-31"):
        keep(council, datetime.date.fromisoformat(date))
        [snapshot] = council.evaluate(dates=[date])
        happened = snapshot.happened["homelessness"]
        had = ~np.isnat(happened.first)
        lost = ~np.isnat(happened.ended) & ~had
        codes = np.where(had, "yes", np.where(lost, "unknown", "no"))
        found = rows(council)
        assert [one[3] for one in found.values()] == codes.tolist()
        assert [one[0] for one in found.values()] == [snapshot.bands[at] for at in snapshot.band]


def test_a_household_that_had_left_before_the_date_is_unknown(council):
    """Nobody knows what happened. Where the frame has a later record, somebody lives there."""
    council.write(
        homes=HOMES.replace('uprn = "UPRN"', 'uprn = "UPRN"\nrecord_date = { column = "Opened" }'),
        homes_csv="UPRN,Tenure,Rank,Opened\n1,owned,5,2020-01-01\n2,rented,1,2020-01-01\n"
        "3,rented,2,2020-01-01\n3,rented,2,2026-02-20\n4,owned,,2020-01-01\n",
        housing_csv="UPRN,Recorded,Event,Left\n1,2026-03-05,2026-03-02,2026-02-15\n"
        "2,2026-02-15,,2026-02-14\n3,2026-02-15,,2026-02-14\n4,2026-06-30,2026-03-02,\n",
    )
    keep(council, undated=())
    assert {uprn: one[3] for uprn, one in rows(council).items()} == {
        1: "unknown", 2: "unknown", 3: "no", 4: "yes"
    }  # fmt: skip
    [snapshot] = council.evaluate(dates=["2026-02-28"], undated=[])
    assert snapshot.happened["homelessness"].gone.tolist() == [True, True, False, False]
    seen = observed(snapshot.happened["homelessness"], repeated=True)
    assert (seen.excluded.tolist(), seen.events.tolist()) == ([0, 1], [3])


def test_a_score_at_a_break_is_in_the_level_that_begins_there(council):
    """Weights at which a thousandth of a score is no whole number of units."""
    for weight in (60, 33.33, 0.07):
        council.write(policy=(POLICY + ATTRIBUTES).replace("weight = 60", f"weight = {weight}", 1))
        policy = council.home / "risk-policy.toml"
        policy.write_text(policy.read_text().replace("from = 30", "from = 5"))
        keep(council)
        assert [one[2] for one in rows(council).values()] == ["some", "much", "no", "no"]


def test_nothing_else_of_a_household_is_kept(council):
    keep(council)
    config = council.config
    with open_store(config.snapshot_path, read_key(config.key_file)) as store:
        columns = store._connection.sql("DESCRIBE store.households").fetchall()
        details = store._connection.sql("SELECT count(*) FROM store.details").fetchone()
        assert {name for name, *_ in columns} == {
            "uprn", "withheld", *(one.column for one in store.run.stored.values()),
        }  # fmt: skip
        assert all(store._details(part).height == 0 for part in range(details[0]))
        assert (store.run.fields, store.run.audited) == ({}, {})
    assert config.snapshot_path.stat().st_mode & 0o777 == 0o600
    beside = {path.name.removesuffix(".lock") for path in config.snapshot_path.parent.iterdir()}
    # The last holds which files were read, and when.
    assert beside <= {config.snapshot_path.name, "households.duckdb", "outcomes-read.json"}


def test_a_run_of_today_has_levels_and_knows_nothing_of_outcomes(council):
    kept = KeptScores()
    run = score(council.config, council.plugins, council.policy, today=TODAY, kept=kept)
    assert [*run.stored] == ["band", "tenure", "arrears"]
    assert kept.taken()["attribute_arrears"].to_list() == [2, 2, 2, 0]
    assert run.known_on is None


def test_scores_of_today_in_the_place_of_what_was_kept_are_not_counted(council):
    """A round would be refused for good, since they hold no outcome."""
    score(council.config, council.plugins, council.policy, today=TODAY)
    shutil.copy(council.config.store_path, council.config.snapshot_path)
    with pytest.raises(Problem, match="as they are known today") as caught:  # noqa: SIM117
        with open_snapshot(council.config):
            pytest.fail("they were opened")
    assert caught.value.exit_code is ExitCode.DATA


def test_an_unknown_factor_has_an_unknown_level(council):
    council.write(tax=(council.home / "tax.toml").read_text().replace("absent = 0\n", ""))
    keep(council)
    assert [one[2] for one in rows(council).values()] == ["some", "much", "unknown", "unknown"]


def test_what_was_kept_before_is_gone_when_the_next_is_refused(council):
    """Else the record that stopped it would have chosen what rounds count."""
    keep(council)
    with pytest.raises(Problem) as caught:
        keep(council, datetime.date(2026, 5, 31))
    assert caught.value.exit_code is ExitCode.DATA
    assert "The last date that can be judged over 3 months is 2026-03-3" in caught.value.remedy
    assert caught.value.where.endswith("attributes.homeless")
    assert not council.config.snapshot_path.exists()


def test_a_date_that_is_not_over_is_refused_and_what_was_kept_stays(council):
    keep(council)
    with pytest.raises(Problem, match="is not over") as caught:
        keep(council, TODAY)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert council.config.snapshot_path.exists()


@pytest.mark.parametrize(
    ("undated", "problem"),
    [
        ((), "do not say when their records were known: homes"),
        (("homes", "taxes"), "no source is called 'taxes'"),
    ],
)
def test_what_does_not_fit_the_sources_is_refused_and_nothing_is_kept(council, undated, problem):
    """What a source says of itself is a plugin's word, which may follow from a record."""
    keep(council)
    with pytest.raises(Problem, match=problem) as caught:
        keep(council, undated=undated)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert not council.config.snapshot_path.exists()


def test_a_source_that_fails_at_a_record_as_soon_as_it_is_made_leaves_nothing_to_count(council):
    """Else it would choose, by one record, which of two dates rounds are counted from."""

    class FailsAtARecord(ExtractsSource):
        def __init__(self, options) -> None:
            if "\n3," in (council.home / "extracts" / "tax.csv").read_text():
                raise RuntimeError
            super().__init__(options)

    keep(council)
    hostile = dataclasses.replace(council.plugins, sources={"extracts": FailsAtARecord})
    with pytest.raises(Problem):
        keep_for_rounds(
            council.config,
            hostile,
            council.policy,
            date=DATE,
            undated=("homes",),
            today=TODAY,
        )
    assert not council.config.snapshot_path.exists()


def test_a_policy_without_an_outcome_has_nothing_to_keep(council):
    council.write(policy=POLICY)
    with pytest.raises(Problem, match="no attribute that is an outcome") as caught:
        keep(council)
    assert 'outcome = "EVENT"' in caught.value.remedy


def test_who_is_withheld_is_in_no_count(council):
    decision = Decision(objection="o1", decided_on=datetime.date(2026, 7, 1), withhold=True)
    open_corrections(council.config).add(2, decision, {})
    keep(council)
    config = council.config
    with open_store(config.snapshot_path, read_key(config.key_file)) as store:
        table = store._connection.sql("SELECT uprn FROM store.households WHERE withheld")
        assert table.fetchall() == [(2,)]


def without(council: Council, uprn: int, folder: Path) -> Council:
    """The same council whose extracts have no record of a household."""
    other = Council(folder)
    (folder / "keys").mkdir(exist_ok=True)
    other.write(policy=(council.home / "risk-policy.toml").read_text())
    for name in FILES:
        lines = (council.home / "extracts" / f"{name}.csv").read_text().splitlines()
        kept = [line for line in lines if line.split(",")[0] != str(uprn)]
        other.write(**{f"{name}_csv": "\n".join(kept) + "\n"})
    return other


REACHES = "8,2026-06-30,2026-06-30,\n"
"""An event of nobody's, so that no household is the one that the source reaches by."""


def test_one_household_changes_its_own_row_alone(council, tmp_path):
    """Also 9, which has events and was no household then."""
    council.write(housing_csv=FILES["housing"] + REACHES)
    keep(council)
    before = rows(council)
    for uprn in (1, 2, 3, 4, 9):
        other = without(council, uprn, tmp_path / str(uprn))
        keep(other)
        assert rows(other) == {one: row for one, row in before.items() if one != uprn}


def test_a_household_that_moves_within_the_horizon_changes_two_rows_and_no_more(council, tmp_path):
    """As docs/guarantee.md has it: its own, and that of who was known where it moved to."""
    moved = "4,2026-04-10,2026-04-10,\n"  # the household of 1 on the date, which has moved to 4
    council.write(housing_csv=FILES["housing"] + REACHES + moved)
    keep(council)
    before = rows(council)
    assert before[4][3] == "yes"
    other = without(council, 1, tmp_path / "other")
    other.write(
        housing_csv=(other.home / "extracts" / "housing.csv").read_text().replace(moved, "")
    )
    keep(other)
    after = rows(other)
    assert after == {2: before[2], 3: before[3], 4: (*before[4][:3], "no", "no")}
    # Where it is recorded that those of 4 have left, the event is not theirs.
    left = "4,2026-04-01,,2026-03-30\n"
    council.write(housing_csv=FILES["housing"] + REACHES + moved + left)
    keep(council)
    assert rows(council)[4][3] == "unknown"


@pytest.mark.parametrize(
    ("old", "new", "problem", "remedy"),
    [
        ('outcome = "homeless"', 'outcome = "homeles"', "no source provides the field", "homeless"),
        ('outcome = "homeless"', 'outcome = "deprivation"', "does not declare", "outcome = true"),
        (
            'outcome = "homeless"', 'outcome = "council_tax_arrears"',
            "cannot be the outcome by which", "outcome = true",
        ),
        ('outcome = "homeless"', 'outcome = "tenure"', "cannot be the outcome", "outcome = true"),
        ('"moved_away"', '"moved"', "no source provides the field 'moved'", ""),
    ],
)  # fmt: skip
def test_an_outcome_is_an_event_that_a_source_declares_and_nothing_that_is_scored(
    council, old, new, problem, remedy
):
    council.write(policy=(POLICY + ATTRIBUTES).replace(old, new))
    for step in (lambda: keep(council), lambda: today(council)):
        with pytest.raises(Problem) as caught:
            step()
        assert caught.value.exit_code is ExitCode.SETTINGS
        assert problem in caught.value.problem
        assert remedy in caught.value.remedy
    assert "attributes.homeless" in caught.value.where


def today(council):
    return score(council.config, council.plugins, council.policy, today=TODAY, kept=KeptScores())


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("months = 3\n", "", "an outcome needs months"),
        ("months = 3\n", "months = 61\n", "months"),
        ("months = 3\n", "months = 0\n", "months"),
        ("months = 3\n", "months = 3\nbreaks = [1]\n", "has the codes no, yes and unknown"),
        ('"moved_away"', '"homeless"', "cannot be the event and end"),
        ('outcome = "homeless"\nmonths = 1', 'field = "tenure"\nmonths = 1', "belong to an out"),
        ('field = "tenure"', 'field = "tenure"\nlevels = ["a"]', "levels belong to a factor"),
        ('field = "tenure"', 'field = "tenure"\noutcome = "homeless"', "give one of"),
        ('factor = "arrears"\nb', 'factor = "arears"\nb', "did you mean 'arrears'?"),
        ("breaks = [0.1, 0.5]", "breaks = [0.1]", "one more of levels"),
        ("breaks = [0.1, 0.5]", "breaks = [0.5, 0.1]", "must ascend"),
        ("breaks = [0.1, 0.5]", "breaks = [0, 0.5]", "above 0 and at most 1"),
        ("breaks = [0.1, 0.5]", "breaks = [0.1, 1.5]", "above 0 and at most 1"),
        ('"some", "much"', '"some", "some"', "two levels have the same name"),
        ('"some", "much"', '"some", "unknown"', "cannot be a code"),
        ('"some", "much"', '"some", "very much"', "cannot be a code"),
    ],
)
def test_a_table_that_says_too_little_or_too_much_is_refused(council, old, new, problem):
    text = POLICY + ATTRIBUTES
    assert old in text
    council.write(policy=text.replace(old, new))
    with pytest.raises(Problem) as caught:
        _ = council.policy
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert problem in caught.value.problem


def test_a_purge_does_not_take_a_run_in_progress_for_what_a_killed_one_has_left(
    council, monkeypatch
):
    seen = []
    append = KeptScores.append

    def look(self, *words):
        seen.append(list(_leftovers(council.config)))
        append(self, *words)

    monkeypatch.setattr(KeptScores, "append", look)
    keep(council)
    assert seen == [[]]
