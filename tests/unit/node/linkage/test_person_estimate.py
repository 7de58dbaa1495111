"""Agreement estimated from a council's own records: what it allows, and what it does not."""

from __future__ import annotations

import datetime
import itertools
import random
from dataclasses import replace

import polars as pl
import pytest

from folkmoot_node.linkage.name_cleaning import comparable
from folkmoot_node.linkage.people import OUTCOME
from folkmoot_node.linkage.person_estimate import LEAST_RECORDS, estimated_model, relatives
from folkmoot_node.linkage.person_model import person_model
from folkmoot_node.linkage.person_rules import Allowed, Relatives, allowed_by
from folkmoot_node.settings.people import PersonRules
from tests.linked import link_people
from tests.rehearsed_people import COLUMNS, TODAY

KNOWN, DESCRIBED = 900, 450
RULES = PersonRules(reference_date=TODAY, estimate=True)
FORENAME, DOB = COLUMNS["forename"], COLUMNS["date_of_birth"]
SYLLABLES = ("ba", "ke", "mo", "ri", "su", "ta", "ve", "zo", "li", "no", "da", "pe")


def council(other_forename: float = 0.1, undated: float = 0.1, *, twins: bool = False):
    """Known people, one to a home, and records of half of them with errors at known rates."""
    rng = random.Random(4)
    words = ["".join(three) for three in itertools.product(SYLLABLES, repeat=3)]
    surnames = rng.sample(words, KNOWN)
    day = datetime.timedelta(days=1)
    rows = [
        {
            "uprn": 1000 + at,
            FORENAME: rng.choice(words),
            COLUMNS["surname"]: surname,
            DOB: datetime.date(1940, 1, 5) + rng.randrange(25_000) * day,
            COLUMNS["postcode"]: f"BL{at % 9 + 1} {at % 7}{rng.choice('ABDEF')}{rng.choice('XYZ')}",
            COLUMNS["nhs_number"]: None,
            "record_date": None,
            "source": 0,
        }
        for at, surname in enumerate(surnames)
    ]
    records = []
    for at, row in enumerate(rows[:DESCRIBED]):
        changed = {name: row[name] for name in COLUMNS.values()}
        if at < other_forename * DESCRIBED:
            changed[FORENAME] = "Xzx" + rng.choice(words)
        elif at < (other_forename + undated) * DESCRIBED:
            changed[DOB] = None
        records.append({"record": at, **changed})
    if twins:
        # Of people about whom the other system has no record.
        rows += [{**row, FORENAME: f"Qwu{row[FORENAME]}"} for row in rows[DESCRIBED:]]
    texts = dict.fromkeys(COLUMNS.values(), pl.String) | {DOB: pl.Date}
    known = {"uprn": pl.Int64, **texts, "record_date": pl.Date, "source": pl.Int32}
    return pl.DataFrame(rows, known), pl.DataFrame(records, {"record": pl.Int64, **texts})


def numbered(frame, name):
    people = comparable(frame).with_row_index(name)
    return people.cast({name: pl.Int64})


def linked(known, records, rules=RULES):
    links = link_people(records, known, rules)
    right = links.households.filter(pl.col("uprn") == pl.col("record") + 1000)
    return links, right.height, links.households.height - right.height


def test_the_share_of_errors_is_found():
    known, records = council(other_forename=0.2, undated=0.0)
    model = person_model(nhs_numbers=False)
    found = estimated_model(model, numbered(known, "persona"), numbered(records, "record"), 1)
    # 50 records' worth of the file's 0.04 stand beside 450 records.
    expected = (0.2 * DESCRIBED + 0.04 * 50) / (DESCRIBED + 50)
    assert found["forename"].levels[-1].m == pytest.approx(expected, abs=0.03)
    assert found["surname"].levels[0].m > model["surname"].levels[0].m
    for comparison, before in zip(found.comparisons, model.comparisons, strict=True):
        assert sum(level.m for level in comparison.levels) == pytest.approx(1, abs=2e-3)
        assert [level.u for level in comparison.levels] == [level.u for level in before.levels]


def test_few_records_say_nothing():
    known, records = council()
    model = person_model(nhs_numbers=False)
    few = numbered(records.head(LEAST_RECORDS - 1), "record")
    assert estimated_model(model, numbered(known, "persona"), few, 1) == model


def test_the_same_records_give_the_same_model():
    known, records = council()
    model = person_model(nhs_numbers=False)
    personas, people = numbered(known, "persona"), numbered(records, "record")
    first = estimated_model(model, personas, people, 2)
    assert estimated_model(model, personas, people.sample(fraction=1, shuffle=True, seed=1), 1) == (
        first
    )


def test_errors_that_are_common_here_link_where_relatives_are_not():
    known, records = council()
    _, right, wrong = linked(known, records)
    _, by_rule, none = linked(known, records, replace(RULES, estimate=False))
    assert (wrong, none) == (0, 0)
    assert by_rule <= 0.8 * DESCRIBED
    assert right >= 0.99 * DESCRIBED


def test_another_forename_is_left_to_a_person_where_twins_are_common():
    known, records = council(twins=True)
    links, _, wrong = linked(known, records)
    other = links.outcomes.filter(pl.col("record") < 0.1 * DESCRIBED)
    assert wrong == 0
    assert set(other[OUTCOME]) == {"ambiguous"}


def test_relatives_are_counted_within_one_source_at_one_home():
    known, _ = council(twins=True)
    seen = pl.DataFrame(
        {"persona": range(known.height), "uprn": known["uprn"], "source": known["source"]}
    ).cast({"persona": pl.Int64})
    found = relatives(numbered(known, "persona"), seen)
    pairs = 2 * (KNOWN - DESCRIBED)
    assert found.twins == pytest.approx((pairs + 1) / (known.height + 1))
    assert found.namesakes == pytest.approx(1 / (known.height + 1))
    apart = seen.with_columns(pl.int_range(pl.len()).cast(pl.Int64).alias("uprn"))
    assert relatives(numbered(known, "persona"), apart).twins == found.namesakes


@pytest.mark.parametrize(
    ("twins", "namesakes", "allowed"),
    [
        (0.0001, 0.0001, Allowed(other_forename=True, other_date=True, no_date=True)),
        (0.03, 0.0001, Allowed(other_forename=False, other_date=True, no_date=True)),
        (0.0001, 0.01, Allowed(other_forename=True, other_date=False, no_date=True)),
        (0.03, 0.1, Allowed()),
    ],
)
def test_what_is_allowed_depends_on_how_common_relatives_are(twins, namesakes, allowed):
    model = person_model(nhs_numbers=False)
    assert allowed_by(model, Relatives(twins, namesakes), 0.99) == allowed
