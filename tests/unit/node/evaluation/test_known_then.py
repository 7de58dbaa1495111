"""A back-test scores what was known on a date, and judges by what happened then."""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from folkmoot_node.corrections.decisions import Decision
from folkmoot_node.corrections.sealed_file import open_corrections
from folkmoot_node.evaluation.draft import draft
from folkmoot_node.pipeline.local import score
from folkmoot_node.sources.outcomes import Outcome, outcomes_mapping, write_outcomes
from folkmoot_node.store.extracts_read import last_judged, last_read
from folkmoot_operator.problems import Problem
from tests.evaluation_snapshots import in_points
from tests.unit.node.conftest import TODAY
from tests.unit.node.evaluation.dated_council import FILES, HOMES, HOUSING, NODE, TAX

DAY = datetime.date
ROOT = Path(__file__).parents[4]


def files(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


def days(found):
    return [None if np.isnat(day) else str(day) for day in found]


def test_households_are_scored_by_what_was_known_on_each_date(council):
    february, march = council.evaluate()
    assert february.uprn.tolist() == march.uprn.tolist() == [1, 2, 3, 4]
    assert february.score.tolist() == [6, 40, 10, 0]
    assert march.score.tolist() == [60, 40, 10, 0]
    assert (february.bands, february.band_from.tolist()) == (("none", "high"), [0, 30])
    assert february.band.tolist() == [0, 1, 0, 0]
    assert (february.factors, february.weights.tolist()) == (("arrears", "renting"), [60, 10])
    assert in_points(february).tolist() == [[6, 0], [30, 10], [0, 10], [0, 0]]


def test_what_happened_after_each_date_is_kept_whenever_it_was_recorded(council):
    february, march = council.evaluate()
    found = february.happened["homelessness"]
    assert (found.months, found.until) == (3, DAY(2026, 5, 28))
    assert days(found.first) == ["2026-03-02", None, None, None]
    assert found.before.tolist() == [False, False, True, False]
    found = march.happened["homelessness"]
    assert days(found.first) == ["2026-05-01", None, None, None]
    assert found.before.tolist() == [True, False, True, False]


def test_who_has_left_has_no_later_events(council):
    february, march = council.evaluate()
    for snapshot in (february, march):
        found = snapshot.happened["homelessness"]
        assert days(found.ended) == [None, "2026-04-15", None, None]
        assert days(found.first)[1] is None


def test_every_record_is_accounted_for(council):
    february, march = council.evaluate()
    assert (february.left_out, march.left_out) == ({"tax": 2}, {"tax": 1})
    assert february.without_date == march.without_date == {"tax": 1, "housing": 1}
    assert february.not_in_frame == march.not_in_frame == {"housing": 1}
    assert february.undated == march.undated == ("homes",)


def test_baselines_are_known_as_on_the_date_too(council):
    february, march = council.evaluate()
    assert february.ranks["council_tax_arrears"].tolist() == [100, 500, 0, 0]
    assert march.ranks["council_tax_arrears"].tolist() == [1000, 500, 0, 0]
    assert february.ranks["deprivation"].tolist()[:3] == [5, 1, 2]
    assert np.isnan(february.ranks["deprivation"][3])


def test_nothing_stays_on_disk_and_one_date_at_a_time_is_scored(council):
    score(council.config, council.plugins, council.policy, today=TODAY)
    store = council.config.store_path
    before, beside = store.read_bytes(), set(council.home.rglob("*"))
    found = council.begin()
    assert set(council.home.rglob("*")) == beside
    next(found)
    assert set(council.home.rglob("*")) == beside
    found.close()
    assert store.read_bytes() == before


def test_a_back_test_that_is_broken_off_leaves_nothing(council):
    council.write(
        tax_csv="UPRN,Date,Arrears\n" + "".join(f"{uprn},2026-01-10,many\n" for uprn in range(50))
    )
    beside = files(council.home)
    with pytest.raises(Problem) as caught:
        council.evaluate()
    assert caught.value.problem.endswith("(as known on 2026-02-28)")
    assert str(council.home) not in caught.value.remedy
    assert files(council.home) == beside


def test_a_back_test_prolongs_how_long_files_of_outcomes_alone_are_kept_and_no_others(council):
    """Extracts are deleted some time after a run last read them."""
    council.evaluate()
    assert set(last_read(council.config).values()) == {None}
    assert {path.name: day for path, day in last_judged(council.config).items()} == {
        "housing.csv": TODAY
    }
    score(council.config, council.plugins, council.policy, today=TODAY)
    unread = {path.name for path, day in last_read(council.config).items() if day is None}
    assert unread == {"housing.csv"}  # which no run of today reads


def test_a_back_test_that_is_not_looked_at_to_its_end_prolongs_nothing(council):
    found = council.begin()
    next(found)
    found.close()
    assert last_judged(council.config) == {}


def test_needs_that_caseworkers_found_can_be_an_outcome(council):
    """As docs/sources.md says."""
    text = (ROOT / "docs" / "sources.md").read_text("utf-8")
    [block] = re.findall(r"```text\n(where = .*?)```", text, re.DOTALL)
    own, _, _ = outcomes_mapping().partition("[fields.need_found]")
    where, _, field = block.partition("\n")
    council.write(
        housing=own.replace("[record_date]", where + "\n[record_date]") + field,
    )
    found = [Outcome(1, DAY(2026, 7, 1), True), Outcome(2, DAY(2026, 4, 20), False),
             Outcome(3, DAY(2026, 4, 20), True)]  # fmt: skip
    write_outcomes(council.home / "extracts" / "outcomes.csv", found)
    change = {"outcomes": {"need": {"events": ["need_found_on"], "months": 3}}}
    february, march = council.evaluate(**change)
    assert days(february.happened["need"].first) == [None, None, "2026-04-20", None]
    assert days(march.happened["need"].first) == [None, None, "2026-04-20", None]


def test_it_is_the_same_each_time_and_however_households_are_divided(council):
    first = council.evaluate()
    for node in (NODE, NODE.replace("[quarantine]", "partitions = 3\n[quarantine]")):
        council.write(node=node)
        for one, other in zip(first, council.evaluate(), strict=True):
            for name in ("uprn", "score", "band", "points"):
                assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
            assert repr(one.happened) == repr(other.happened)
            assert repr(one.ranks) == repr(other.ranks)


def test_a_source_of_outcomes_and_inputs_is_divided_by_its_dates(council):
    row = '[fields.council_tax_arrears]\ncolumn = "Owes"\ntype = "number"\nunit = "GBP"\n'
    row += 'combine = "latest"\ncategory = "finance"\nabsent = 0\n'
    council.write(
        housing=HOUSING + row,
        housing_csv="UPRN,Recorded,Event,Left,Owes\n1,2026-02-01,,,300\n"
        "1,2026-07-01,2026-03-10,,900\n2,2026-07-01,2026-03-11,,900\n",
        tax=TAX.replace("council_tax_arrears", "arrears_of_tax"),
    )
    february, march = council.evaluate()
    assert all(in_points(one)[:, 0].tolist() == [18, 0, 0, 0] for one in (february, march))
    assert days(february.happened["homelessness"].first)[:2] == ["2026-03-10", "2026-03-11"]


def test_an_event_still_to_come_is_rejected_and_no_event(council):
    council.write(
        housing_csv=FILES["housing"] + "4,2026-06-01,2062-05-01,\n3,2026-06-01,,2062-06-01\n"
    )
    february, _ = council.evaluate()
    assert days(february.happened["homelessness"].first)[3] is None
    assert days(february.happened["homelessness"].ended)[2] is None


def test_whoever_was_born_later_is_no_fault_of_the_extract(council):
    """An age below 0 is rejected on each date; only records known on it can stop a back-test."""
    born = """
[fields.youngest_age]
column = "Born"
type = "integer"
transform = "age"
unit = "years"
minimum = 0
combine = "min"
category = "demography"
"""
    rows = "UPRN,Date,Arrears,Born\n1,2026-01-10,100,1980-01-01\n2,2026-02-01,500,1990-01-01\n"
    later = "3,2026-03-20,0,2026-03-20\n4,2026-03-21,0,2026-03-21\n"
    strict = NODE.replace("maximum_share = 0.9", "maximum_share = 0.1")
    asked = {"baselines": {"oldest_first": ["youngest_age"]}}
    council.write(node=strict, tax=TAX + born, tax_csv=rows + later)
    february, march = council.evaluate(**asked)
    assert february.ranks["youngest_age"].tolist()[:2] == [46, 36]
    assert march.ranks["youngest_age"].tolist() == [46, 36, 0, 0]
    council.write(tax_csv=rows + later.replace("3,2026-03-20", "3,2026-02-10"))
    with pytest.raises(Problem, match=r"10\.0% of the records were rejected"):
        council.evaluate(**asked)


# When households began.


def test_a_home_is_a_household_from_its_first_record_in_a_frame_with_dates(council):
    council.write(
        homes=HOMES.replace('uprn = "UPRN"', 'uprn = "UPRN"\nrecord_date = { column = "Opened" }'),
        homes_csv="UPRN,Tenure,Rank,Opened\n1,owned,5,2026-03-04\n2,rented,1,2025-01-01\n"
        "3,rented,2,2026-02-01\n4,owned,,2020-01-01\n",
    )
    february, march = council.evaluate(undated=[])
    assert (february.uprn.tolist(), march.uprn.tolist()) == ([2, 3, 4], [1, 2, 3, 4])
    assert february.happened["homelessness"].before.tolist() == [False, False, False]
    found = march.happened["homelessness"]
    assert found.before.tolist() == [False, False, False, False]
    assert days(found.first)[0] == "2026-05-01"
    # In March: two records of one event before household 1, one before 3, and home 9.
    assert (february.not_in_frame, march.not_in_frame) == ({"housing": 5}, {"housing": 4})
    assert february.undated == ()


def test_records_without_a_uprn_find_their_household(council):
    council.write(
        node=NODE.replace("[quarantine]", "[linkage.addresses]\n[quarantine]"),
        homes=HOMES + '[identifiers]\naddress = "Address"\npostcode = "Postcode"\n',
        homes_csv="UPRN,Tenure,Rank,Address,Postcode\n1,owned,5,1 High Street,M1 1AA\n"
        "2,rented,1,2 High Street,M1 1AA\n",
        housing=HOUSING + '[identifiers]\naddress = "Address"\npostcode = "Postcode"\n',
        housing_csv="UPRN,Recorded,Event,Left,Address,Postcode\n"
        ",2026-07-01,2026-03-03,,2 High Street,M1 1AA\n",
    )
    february, march = council.evaluate()
    assert days(february.happened["homelessness"].first) == [None, "2026-03-03"]
    assert march.happened["homelessness"].before.tolist() == [False, True]


def test_a_household_whose_objection_was_upheld_is_not_judged(council):
    decision = Decision(objection="o1", decided_on=DAY(2026, 7, 1), withhold=True)
    open_corrections(council.config).add(2, decision, {})
    february, _ = council.evaluate()
    assert (february.uprn.tolist(), february.withheld) == ([1, 3, 4], 1)


def test_a_date_before_all_dated_records_is_refused(council):
    with pytest.raises(Problem, match="nothing that is scored was known on 2019-10-01"):
        council.evaluate(dates=["2019-10-01", "2026-02-28"])


def test_a_file_that_is_drafted_begins_after_that(council):
    """The frame has no dates: its homes seem known however early the date is."""
    council.write(tax_csv=FILES["tax"].replace("2026-01-10", "2025-07-10"))
    text = draft(council.config, council.plugins, council.policy, today=TODAY)
    asked = tomllib.loads(text)
    assert list(map(str, asked["dates"])) == ["2025-09-30", "2025-12-31"]
    assert len(council.evaluate(**asked)) == 2


def test_a_draft_says_what_it_takes_the_only_event_for(council):
    council.write(housing=HOUSING.replace("homeless]", "care_leaver]"))
    with pytest.raises(Problem, match="care_leaver: by its name, it says that a household") as got:
        draft(council.config, council.plugins, council.policy, today=TODAY)
    assert "docs/evaluation.md" in got.value.remedy
