"""Sources that cannot be believed stop a run until a person accepts them."""

from __future__ import annotations

import datetime
from dataclasses import replace

import polars as pl
import pytest

from folkmoot_node.pipeline.own_run import Judged, last_run
from folkmoot_node.store.source_summary import share_in_words
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.conftest import TODAY, people_rows, tax_rows


def with_absent(node, value=0):
    schema = node.people.schema
    count = replace(schema["people"], absent=value)
    node.people.schema = replace(schema, fields=(count, schema["oldest_age"]))


def homes(count, arrears=10.0):
    numbers = list(range(1, count + 1))
    return tax_rows(numbers, [arrears] * count, ["owned"] * count, ["E01000001"] * count)


def people_of(uprns):
    return people_rows(uprns, [f"p{at}" for at in range(len(uprns))], [40] * len(uprns))


def stopped(node, **options):
    with pytest.raises(Problem) as raised:
        node.score(**{"accepting": (), **options})
    assert raised.value.exit_code is ExitCode.DATA
    return raised.value


def test_few_linked_records_stop_a_run_that_would_read_absence_as_no(node):
    with_absent(node)
    node.tax.batches = [homes(100)]
    node.people.batches = [people_of([*range(1, 61), *[None] * 40])]
    problem = stopped(node)
    assert "source people" in str(problem)
    assert "minimum_share 0.95" in problem.problem
    assert "sources accept people" in problem.remedy
    # The figure is for the terminal alone.
    assert "60" not in f"{problem} {problem.remedy}".replace("0.95", "")
    assert problem.for_operator == (
        "people: 60.0% of 100 records have found a household (40 came without a UPRN, 0 have one "
        "that is not in the frame, 0 could not be read)",
    )
    summary = node.score(accepting=("people",))
    assert summary.sources[1].accepted.reason == "a test"
    assert summary.sources[1].doubts == tuple(
        line.removeprefix("people: ") for line in problem.for_operator
    )


def test_the_share_that_is_enough_is_set_for_each_source_or_for_all(node):
    with_absent(node)
    node.tax.batches = [homes(100)]
    node.people.batches = [people_of([*range(1, 91), *[None] * 10])]
    text = (node.home / "node.toml").read_text()
    stopped(node)
    node.write_node(text + "[sources.linkage]\nminimum_share = 0.9\n")
    node.score(accepting=())
    node.write_node(text + "[linkage]\nminimum_share = 0.9\n")
    node.score(accepting=())


def test_without_an_absent_value_few_links_are_no_reason_to_stop(node):
    node.tax.batches = [homes(100)]
    node.people.batches = [people_of([*range(1, 61), *[None] * 40])]
    assert node.score(accepting=()).sources[1].share_linked == 0.6


@pytest.mark.parametrize(
    ("uprns", "words"),
    [
        ([901, 902], "none of its records is in the frame; is the UPRN in the right column?"),
        ([None, None], "none of its records has a UPRN, or has found a household without one"),
    ],
)
def test_a_source_without_one_linked_record_stops(node, uprns, words):
    node.people.batches = [people_of(uprns)]
    problem = stopped(node)
    assert words in str(problem)
    assert "none of 2 records" in "".join(problem.for_operator)


def test_a_partition_without_a_record_of_a_source_is_no_fault(node):
    """Number, sum and absent: 0.0 did not fit into the integers of an empty sum."""
    tax = node.tax.schema
    amount = replace(tax["council_tax_arrears"], name="rent_arrears", absent=0.0)
    node.people.schema = replace(node.people.schema, fields=(*node.people.schema.fields, amount))
    node.write_policy(
        (node.home / "risk-policy.toml").read_text()
        + '[attributes.rent]\nfield = "rent_arrears"\nbreaks = [1, 100]\n'
    )
    node.tax.batches = [homes(50)]
    node.people.batches = [people_of([1, 2]).with_columns(rent_arrears=pl.Series([5.0, 6.0]))]
    text = (node.home / "node.toml").read_text()
    node.write_node(text.replace('frame = "tax"', 'frame = "tax"\npartitions = 16'))
    assert node.score(accepting=("people",)).households == 50


def test_one_uprn_with_most_records_stops(node):
    node.tax.batches = [homes(3), tax_rows([100] * 97, [1.0] * 97, ["owned"] * 97, [None] * 97)]
    node.people.batches = [people_of([1, 2, 3])]
    problem = stopped(node)
    assert "one UPRN has a large part of its records" in str(problem)
    assert "tax: one UPRN has 97 of 100 records (97%)" in problem.for_operator


def test_many_identical_records_stop(node):
    from folkmoot_sdk.source import REPEATED

    node.tax.batches = [homes(80)]
    node.people.batches = [people_of([1, 2, 3])]
    node.tax.before_batch = lambda context: context.leave_out(f"{REPEATED} of other.csv", 20)
    problem = stopped(node)
    assert "are identical to an earlier one" in problem.problem
    node.tax.before_batch = lambda context: context.leave_out(f"{REPEATED} of other.csv", 5)
    node.score(accepting=())


def test_uprns_that_a_spreadsheet_has_rounded_stop(node):
    rounded = [100_000_000 * at for at in range(1, 6)]
    node.tax.batches = [homes(95), homes(5).with_columns(uprn=pl.Series(rounded))]
    node.people.batches = [people_of([1, 2, 3])]
    problem = stopped(node)
    assert "UPRNs end in 00000" in str(problem)
    node.tax.batches = [homes(95), homes(1).with_columns(uprn=pl.Series([100_000_000]))]
    node.score(accepting=())


def test_a_few_rounded_uprns_among_many_or_in_a_short_file_stop(node):
    rounded = [100_000_000 * at for at in range(1, 6)]
    node.tax.batches = [homes(995), homes(5).with_columns(uprn=pl.Series(rounded))]
    node.people.batches = [people_of([1, 2, 3])]
    assert "UPRNs end in 00000" in str(stopped(node))
    node.tax.batches = [homes(6), homes(5).with_columns(uprn=pl.Series(rounded))]
    assert "UPRNs end in 00000" in str(stopped(node))


def test_homes_rounded_to_one_uprn_stop_though_identical_rows_were_left_out(node):
    from folkmoot_sdk.source import REPEATED

    node.tax.batches = [homes(95), homes(1).with_columns(uprn=pl.Series([100_000_000]))]
    node.people.batches = [people_of([1, 2, 3])]
    node.tax.before_batch = lambda context: context.leave_out(f"{REPEATED} of other.csv", 2)
    problem = stopped(node)
    assert "UPRNs end in 00000" in problem.problem
    assert problem.for_operator == (
        "tax: 1 of 96 records have a UPRN that ends in 00000; 4 more are identical to an earlier "
        "record",
    )


def test_one_home_that_ends_in_00000_among_thousands_does_not_stop(node):
    from folkmoot_sdk.source import REPEATED

    node.tax.batches = [homes(1_999), homes(1).with_columns(uprn=pl.Series([100_000_000]))]
    node.people.batches = [people_of([1, 2, 3])]
    node.tax.before_batch = lambda context: context.leave_out(f"{REPEATED} of other.csv", 20)
    node.score(accepting=())


@pytest.mark.parametrize(
    "change,words",
    [
        (lambda node: node.tax.batches.append(homes(130)[100:]), "number of its records"),
        (lambda node: node.tax.batches.__setitem__(0, homes(100, 14.0)), "'council_tax_arrears'"),
        (lambda node: node.people.batches.append(people_of([900] * 8)), "share of its records"),
    ],
)
def test_a_change_since_the_last_run_stops_until_it_is_accepted(node, change, words):
    node.tax.batches = [homes(100)]
    node.people.batches = [people_of([*range(1, 101)])]
    node.score(accepting=())
    change(node)
    problem = stopped(node)
    assert words in problem.problem
    node.score(accepting=("tax", "people"))
    node.score(accepting=())  # what was accepted is what the next run is compared with


def test_a_small_change_is_no_reason_to_stop(node):
    node.tax.batches = [homes(100)]
    node.people.batches = [people_of([*range(1, 101)])]
    node.score(accepting=())
    node.tax.batches = [homes(100, 12.9)]
    node.people.batches = [people_of([*range(1, 101), *[900] * 4])]
    node.score(accepting=())


def test_limits_of_change_can_be_set(node):
    node.write_node((node.home / "node.toml").read_text() + "[sources.change]\nrecords = 5\n")
    node.tax.batches = [homes(100)]
    node.people.batches = [people_of([*range(1, 101)])]
    node.score(accepting=())
    node.people.batches = [people_of([*range(1, 51)])]
    node.score(accepting=())


def test_an_acceptance_of_another_source_does_not_help(node):
    node.people.batches = []
    stopped(node, accepting=("tax",))


def test_a_trial_finds_the_same_and_does_not_stop(node):
    node.people.batches = []
    summary = node.score(judged=Judged(last_run(node.config), {}, stops=False))
    assert summary.sources[1].doubts == ("no record; 0 could not be read, 0 were left out",)


def test_homes_without_an_area_are_named(node):
    node.tax.batches = [homes(40).with_columns(lsoa=pl.lit(None, pl.String))]
    node.people.batches = [people_of([1, 2, 3])]
    problem = stopped(node)
    assert "homes have no area 'lsoa'" in problem.problem
    assert "tax: areas 'lsoa' were found for 0 of 40 homes" in problem.for_operator
    node.tax.batches = [homes(30), homes(40)[30:].with_columns(lsoa=pl.lit(None, pl.String))]
    doubts = node.score(accepting=()).sources[0].doubts
    assert doubts == ("areas 'lsoa' were found for 30 of 40 homes",)


def test_areas_of_another_country_are_hinted_at(node):
    mixed = homes(40).with_columns(
        lsoa=pl.when(pl.col("uprn") < 3).then(pl.lit("W01000123")).otherwise(pl.col("lsoa"))
    )
    node.tax.batches = [mixed]
    doubts = node.score(accepting=()).sources[0].doubts
    assert doubts == (
        "some areas 'lsoa' are in Wales, such as W01000123; the council is in England",
    )
    node.tax.batches = [homes(40)]
    assert node.score(accepting=()).sources[0].doubts == ()


def test_a_rejected_record_keeps_its_home_and_says_so(node):
    node.write_node((node.home / "node.toml").read_text() + "[quarantine]\nmaximum_share = 0.5\n")
    node.tax.batches = [
        tax_rows([1, 2, 3], [500.0, -1.0, 0.0], ["owned", "rented", None], ["E01000001"] * 3)
    ]
    node.score(accepting=())
    rows = node.rows()
    assert rows["uprn"].to_list() == [1, 2, 3]
    assert rows["field_council_tax_arrears"].to_list() == [500.0, None, 0.0]
    assert rows["field_tenure"].to_list() == [0, 1, None]
    with node.open() as store:
        found = {row["uprn"]: row for row in store.households(store.run.band_names).to_dicts()}
        assert store.household(2)["rejected@council_tax_arrears"]
    assert found[2]["rejected_inputs"] == "council_tax_arrears"
    assert found[1]["rejected_inputs"] == ""
    assert found[2]["completeness"] < found[1]["completeness"]


@pytest.mark.parametrize(
    "share,words", [(0.0, "0 %"), (0.001, "under 1 %"), (0.9999, "over 99 %"), (0.37, "37 %")]
)
def test_a_share_in_words_is_never_rounded_to_all_or_nothing(share, words):
    assert share_in_words(share) == words


def test_an_acceptance_ends(node):
    from folkmoot_node.evidence.acceptances import WITHDRAWN, body_of, in_force
    from folkmoot_node.evidence.database import StateDatabase
    from folkmoot_node.policies.acceptance import Acceptance

    accepted = Acceptance(source="people", reason="r", until=TODAY, by="b")
    path = node.home / "state.sqlite"
    with StateDatabase(path, create=True) as state:
        with state.transaction() as connection:
            state.chain("audit").append(connection, 1, {"action": "household explained"})
            state.chain("audit").append(connection, 1, body_of(accepted))
        assert in_force(path, TODAY) == {"people": accepted}
        assert in_force(path, TODAY + datetime.timedelta(days=1)) == {}
        with state.transaction() as connection:
            body = {"action": WITHDRAWN, "source": "people", "by": "b"}
            state.chain("audit").append(connection, 2, body)
    assert in_force(path, TODAY) == {}
