"""Whose record is it? Worked examples with a gazetteer and an extract of adult social care.

Example Street has a house (7), a house made into flats (9: A and B), a house let by the room
(11), a care home (The Limes), and number 13, which was pulled down.
"""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path

import polars as pl
import pytest

from folkmoot_node.operations.initialise import initialise
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.acceptance import Acceptance
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.sources.connect import load_plugins
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_node.store.source_summary import SourceSummary
from tests.unit.gazetteer.gazetteer_file import HEADER, METADATA, blpu, lpi, street

pytestmark = pytest.mark.slow

HOUSE, FLAT_A, FLAT_B, ROOM_1, ROOM_2, CARE_HOME, GONE = 7, 91, 92, 111, 112, 50, 13
NUMBER_11 = 110
"""The house that is let by the room, as a whole."""


def at(number: int, unit: str = "", name: str = "") -> dict[str, tuple[object, ...]]:
    """Secondary and primary object of an address."""
    return {"sao": ("", "", "", "", unit), "pao": (number or "", "", "", "", name)}


GAZETTEER = [
    street(10001234, "EXAMPLE STREET", "", "EXAMPLETON"),
    blpu(HOUSE),
    lpi(HOUSE, "EX1 1AA", **at(7)),
    blpu(FLAT_A, "RD06"),
    lpi(FLAT_A, "EX1 1AA", **at(9, "FLAT A")),
    blpu(FLAT_B, "RD06"),
    lpi(FLAT_B, "EX1 1AA", **at(9, "FLAT B")),
    blpu(NUMBER_11, "RH01"),
    lpi(NUMBER_11, "EX1 1AB", **at(11)),
    blpu(ROOM_1, "RH02", parent=NUMBER_11),
    lpi(ROOM_1, "EX1 1AB", **at(11, "ROOM 1")),
    blpu(ROOM_2, "RH02", parent=NUMBER_11),
    lpi(ROOM_2, "EX1 1AB", **at(11, "ROOM 2")),
    blpu(CARE_HOME, "RI01"),
    lpi(CARE_HOME, "EX1 1AC", **at(0, name="THE LIMES")),
    blpu(GONE, status=8, end="2020-01-01"),
    lpi(GONE, "EX1 1AB", **at(13)),
]
PEOPLE = [
    # Columns: person, UPRN, address, postcode, hours of care that they give
    ("by UPRN", HOUSE, "99 Wrong Road", "EX9 9ZZ", 1),
    ("by address", "", "7 Example St", "ex11aa", 2),
    ("flat otherwise", "", "9b Example Street, Exampleton", "EX1 1AA", 4),
    ("house only", "", "9 Example Street", "EX1 1AA", 8),
    ("room", "", "Rm 2, 11 Example Street", "EX1 1AB", 16),
    ("shared house only", "", "11 Example Street", "EX1 1AB", 32),
    ("care home", "", "The Limes, Example Street", "EX1 1AC", 64),
    ("retired UPRN", GONE, "13 Example Street", "EX1 1AB", 3),
    ("pulled down", "", "13 Example Street", "EX1 1AB", 5),
    ("elsewhere", "", "7 Example Street, Truro", "TR1 1AA", 6),
    ("no address", "", "", "", 7),
]
SETTINGS = """
[linkage.addresses]

[[sources]]
name = "homes"
kind = "gazetteer"
[sources.options]
files = ["llpg.csv"]

[[sources]]
name = "care"
kind = "adult_social_care"
[sources.options]
without = ["forename", "surname", "date_of_birth", "nhs_number"]
"""
POLICY = """
schema = 1
name = "Carers"
purpose = "carers"
legal_basis = "Care Act 2014, section 10"
owner = "Head of Adult Social Care"
sunset = 2099-12-31
[[factors]]
factor = "unpaid_care"
weight = 100
[[protected]]
characteristic = "disability"
reason = "Carers look after disabled people"
[[bands]]
name = "none"
from = 0
action = "Nothing"
"""


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("council")
    initialise(home, "E08000009", "Trafford", None, None, None)
    settings = (home / "node.toml").read_text()
    (home / "node.toml").write_text(settings.replace('"council_tax" ', '"homes" ') + SETTINGS)
    (home / "risk-policy.toml").write_text(POLICY)
    lines = [HEADER, METADATA, *GAZETTEER, f"99,0,{len(GAZETTEER)},2026-03-31,06:00:00"]
    (home / "extracts" / "llpg.csv").write_text("\n".join(lines) + "\n")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["PersonID", "UPRN", "Package", "SupportReason", "Carer", "CareHours",
                     "LastReview", "Safeguarding", "Address1", "Address2", "Postcode"])  # fmt: skip
    for person, uprn, address, postcode, hours in PEOPLE:
        writer.writerow([person, uprn, "N", "", "Y", hours, "", "N", address, "", postcode])
    (home / "extracts" / "adult_social_care.csv").write_text(out.getvalue())
    config = load_config(home)
    today = datetime.date(2026, 4, 1)
    # Most of these eleven records are there because they find no home.
    accepted = Acceptance(source="care", reason="worked examples", until=today, by="tests")
    judged = Judged(accepted={"care": accepted})
    score(config, load_plugins(config), load_policy(config.risk_policy), today=today, judged=judged)
    return home


def hours_of_care(council: Path) -> dict[int, float | None]:
    """What was scored: the hours of each household's busiest carer."""
    config = load_config(council)
    with open_store(config.store_path, read_key(config.key_file)) as store:
        details = pl.concat(store.details(), how="vertical_relaxed")
    return dict(details.select("uprn", "field_unpaid_care_hours").iter_rows())


def summary(council: Path) -> SourceSummary:
    config = load_config(council)
    with open_store(config.store_path, read_key(config.key_file)) as store:
        (found,) = [one for one in store.run.sources if one.name == "care"]
    return found


def test_a_uprn_decides_whatever_the_address_says(council):
    """The person with the UPRN of number 7 gives one hour; their address is a wrong one."""
    assert summary(council).by_uprn == 1


def test_an_address_finds_its_home(council):
    """7 Example St, ex11aa is number 7: two hours."""
    assert hours_of_care(council)[HOUSE] == 2


def test_a_flat_may_be_written_in_another_way(council):
    """9b is flat B; flat A has nobody."""
    assert hours_of_care(council)[FLAT_B] == 4
    assert hours_of_care(council)[FLAT_A] is None


def test_rooms_are_the_homes_of_a_shared_house(council):
    """Room 2 is found, and the house as a whole is no home."""
    assert hours_of_care(council)[ROOM_2] == 16
    assert NUMBER_11 not in hours_of_care(council)


def test_who_gives_only_the_house_is_given_to_no_flat_of_it(council):
    """9 Example Street may be either flat, 11 either room: a person is asked."""
    assert hours_of_care(council)[ROOM_1] is None
    with (council / "review" / "care.csv").open(encoding="utf-8-sig", newline="") as stream:
        asked = [(row["as_typed"], int(row["uprn"])) for row in csv.DictReader(stream)]
    assert {uprn for text, uprn in asked if text == "9 Example Street"} >= {FLAT_A, FLAT_B}
    assert {uprn for text, uprn in asked if text == "11 Example Street"} >= {ROOM_1, ROOM_2}


def test_a_care_home_is_found_and_is_no_household(council):
    assert summary(council).communal == 1
    assert CARE_HOME not in hours_of_care(council)


def test_a_property_that_has_gone_is_no_household_any_more(council):
    """With its UPRN the record is not in the frame; its address is nobody's now."""
    assert summary(council).not_in_frame == 1
    assert GONE not in hours_of_care(council)
    assert 3 not in hours_of_care(council).values()
    assert 5 not in hours_of_care(council).values()


def test_the_same_house_in_another_town_is_another_house(council):
    assert 6 not in hours_of_care(council).values()


def test_every_record_is_accounted_for(council):
    found = summary(council)
    assert (found.records, found.no_uprn) == (len(PEOPLE), 9)
    assert (found.linked, found.by_address) == (4, 3)
    # 9, 11, the house in Truro, which looks like number 7, are for a person to look at.
    assert found.linked + found.communal + found.not_in_frame == 6
    assert found.ambiguous + found.unlinked == 5
    assert found.ambiguous >= 2
