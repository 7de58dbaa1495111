"""What one household more in the extracts changes where records are linked by person.

Linkage by person lets a household move others' rows, and its tests show how many. Rounds leave
it out, so that their tables differ in that household's own row alone.
"""

from __future__ import annotations

import datetime
from dataclasses import replace

import polars as pl
import pytest

from folkmoot_node.settings.people import PersonRules
from folkmoot_operator.problems import ExitCode, Problem
from tests.linked import link_people
from tests.rehearsed_people import COLUMNS, TODAY, rehearse
from tests.tables import count
from tests.unit.node.linkage.test_link import HOMES, homes
from tests.unit.node.linkage.test_people_stage import (  # noqa: F401
    DEBTS,
    KNOWN,
    NEW,
    OLD,
    arrears,
    debts,
    linked,
    people,
)

MEMBERS = 10
HOUSEHOLD = 50
"""A home to which ten known people have moved, each from another home."""
NAMES = (
    "Abel", "Bruno", "Clive", "Desmond", "Edgar", "Fabian", "Gilbert", "Horace", "Ivor", "Jasper",
)  # fmt: skip
SURNAMES = (
    "Quill", "Rudge", "Sorrel", "Tansy", "Umber", "Vane", "Wick", "Yarrow", "Zeal", "Oakum",
)  # fmt: skip
MOVERS = [
    (name, surname, datetime.date(1950 + at, 3, 4 + at), "M33 1AA", None)
    for at, (name, surname) in enumerate(zip(NAMES, SURNAMES, strict=True))
]
LEFT = range(100, 100 + MEMBERS)
CODES = {"band": ["none", "high"], "lsoa": ["E01000001", "E01000002"]}


def the_extracts(node, *, household: bool):
    """With, and without every record that names the household."""
    rows = [(uprn, "E01000002", False, f"{uprn} MILL LANE, SALE", "M33 1AC") for uprn in LEFT]
    known = [*KNOWN, *((uprn, OLD, *who) for uprn, who in zip(LEFT, MOVERS, strict=True))]
    if household:
        rows.append((HOUSEHOLD, "E01000001", False, "50 MILL LANE, SALE", "M33 1AC"))
        known += [(HOUSEHOLD, NEW, *who) for who in MOVERS]
    node.extra["homes_book"].batches = [homes([*HOMES, *rows])]
    node.people.batches = [people(known)]
    node.tax.batches = [debts([(None, 600.0, None, *who) for who in MOVERS])]


def seen(node, *, household: bool):
    """What caseworkers see of each household, and what rounds count of all."""
    the_extracts(node, household=household)
    node.score()
    with node.open() as store:
        tables = count(store, CODES, [["band", "lsoa"], ["band"], ["lsoa"]])
    return arrears(node), tables


def test_one_household_changes_one_row_of_what_rounds_count(linked):  # noqa: F811
    owes, tables = seen(linked, household=True)
    owed_before, before = seen(linked, household=False)
    assert owes[HOUSEHOLD] == 600.0 * MEMBERS
    moved = [uprn for uprn in owed_before if owed_before[uprn] != owes[uprn]]
    assert moved == list(LEFT)
    for table, other in zip(tables, before, strict=True):
        assert abs(table - other).sum() == 1


def test_rounds_do_not_count_what_is_linked_by_person(linked):  # noqa: F811
    the_extracts(linked, household=False)
    linked.score()
    stored = linked.rows()
    high = stored.filter(pl.col("uprn").is_in(list(LEFT)))
    assert high["band"].to_list() == [1] * MEMBERS
    assert high["released@band"].to_list() == [0] * MEMBERS
    assert stored["attribute_lsoa"].equals(stored["released@lsoa"])


@pytest.mark.parametrize("partitions", [1, 7])
def test_partitions_make_no_difference_to_what_rounds_count(linked, partitions):  # noqa: F811
    settings = (linked.home / "node.toml").read_text()
    linked.write_node(settings.replace("[scoring]", f"[scoring]\npartitions = {partitions}"))
    _, (both, _, _) = seen(linked, household=True)
    assert both.tolist() == [3, 12, 0, 0]


def test_without_the_table_rounds_count_what_caseworkers_see(linked):  # noqa: F811
    settings = (linked.home / "node.toml").read_text()
    linked.write_node(settings.replace('[linkage.people]\nsources = ["people"]\n', ""))
    linked.score()
    assert not [name for name in linked.rows().columns if name.startswith("released@")]


def test_scores_of_an_earlier_version_are_not_counted(linked):  # noqa: F811
    """They hold what was linked by person in the columns that were counted then."""
    run = linked.score()
    stored = {name: one.model_copy(update={"released": ""}) for name, one in run.stored.items()}
    with pytest.raises(Problem) as caught:
        run.model_copy(update={"stored": stored}).check_counted()
    assert caught.value.exit_code is ExitCode.DATA
    assert "score" in caught.value.remedy
    run.check_counted()


def test_a_source_linked_by_person_does_not_read_as_without_need_in_rounds(linked):  # noqa: F811
    """Rounds would take `absent` for households whose records they leave out."""
    fields = tuple(replace(field, absent=0) for field in DEBTS.fields)
    linked.tax.schema = replace(DEBTS, fields=fields)
    the_extracts(linked, household=False)
    with pytest.raises(Problem) as caught:
        linked.score(accepting=())
    assert caught.value.exit_code is ExitCode.DATA
    assert "rounds do not count" in caught.value.problem
    assert caught.value.for_operator == (
        "tax: 0.0% of 10 records have found a household otherwise than by person (10 by person)",
    )
    linked.score(accepting=("tax",))
    stored = linked.rows().filter(pl.col("uprn").is_in(list(LEFT)))
    assert (stored["band"] - stored["released@band"]).to_list() == [1] * MEMBERS


@pytest.fixture(scope="module")
def council():
    return rehearse(500, 5)


def test_another_household_changes_how_no_other_record_is_weighed(council):
    """Neither how many people are known nor their names enter a weight."""
    largest = council.known["uprn"].value_counts(sort=True)["uprn"][0]
    rules = PersonRules(reference_date=TODAY)
    with_it = link_people(council.records, council.known, rules)
    others = council.known.filter(pl.col("uprn") != largest)
    without = link_people(council.records, others, rules)
    candidates = [with_it.households, with_it.candidates.select("record", "uprn")]
    theirs = pl.concat(candidates).filter(pl.col("uprn") == largest)["record"]
    names = council.known.filter(pl.col("uprn") == largest)
    shared = council.records.join(names, on=COLUMNS["surname"], how="semi")["record"]
    own = set(theirs) | set(shared)
    both = with_it.outcomes.join(without.outcomes, on="record", suffix="_without")
    changed = both.filter(
        (pl.col("outcome") != pl.col("outcome_without"))
        | pl.col("probability").ne_missing(pl.col("probability_without"))
    )
    print(names.height, len(own), changed.height)
    assert set(changed["record"]) <= own
    assert changed.height <= 2 * names.height
    assert with_it.outcomes["probability"].count() > 100


def test_a_household_moves_as_many_records_as_its_people_are_candidates_of(council):
    """What is not bounded by its size, which is why rounds leave such links out."""
    columns = {"forename": 0, "surname": 1, "date_of_birth": 2, "postcode": 3}
    movers = pl.DataFrame(
        {COLUMNS[name]: [who[at] for who in MOVERS] for name, at in columns.items()}
    ).with_columns(pl.lit(None, pl.String).alias(COLUMNS["nhs_number"]), source=pl.lit(0))
    old = movers.with_columns(uprn=pl.Series(LEFT, dtype=pl.Int64), record_date=pl.lit(OLD))
    new = movers.with_columns(uprn=pl.lit(HOUSEHOLD, pl.Int64), record_date=pl.lit(NEW))
    records = pl.concat([movers.drop("source")] * 3).with_row_index("record")
    records = records.cast({"record": pl.Int64})
    rules = PersonRules(reference_date=TODAY)
    others = council.known.select(old.columns)
    before = link_people(records, pl.concat([others, old]), rules).households
    after = link_people(records, pl.concat([others, old, new]), rules).households
    assert before["uprn"].to_list() == [*LEFT] * 3
    assert set(after["uprn"]) == {HOUSEHOLD}
