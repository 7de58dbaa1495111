"""Which properties are homes on the reference date, and what is told of the others."""

import datetime

import pytest

from folkmoot_plugin_gazetteer.source import Gazetteer
from tests.accounts import DATE, read_source
from tests.unit.gazetteer.gazetteer_file import (
    STREET,
    GazetteerFile,
    blpu,
    classified,
    lpi,
)

FIELDS = ("property_type", "is_hmo", "is_communal")


@pytest.fixture
def gazetteer(tmp_path):
    return GazetteerFile(tmp_path)


def read(gazetteer, *records, date=DATE, fields=FIELDS, **options):
    written = gazetteer.write(*records)
    found = read_source(Gazetteer, gazetteer.folder, {**written, **options}, fields, date)
    assert found.accounted == len(records)
    return found


def homes(found):
    return found.frame["uprn"].to_list()


@pytest.mark.parametrize(
    ("code", "kind", "hmo", "communal"),
    [
        ("RD01", "caravan", False, False),
        ("RD02", "detached", False, False),
        ("RD03", "semi_detached", False, False),
        ("RD04", "terraced", False, False),
        ("RD06", "flat", False, False),
        ("RD07", "houseboat", False, False),
        ("RD08", "sheltered", False, False),
        ("RD10", "holiday", False, False),
        ("RD", "other_dwelling", False, False),
        ("R", "other_dwelling", False, False),
        ("RH01", "hmo", True, False),
        ("RH03", "hmo", True, False),
        ("RI01", "communal_establishment", False, True),
        ("RI02NC", "communal_establishment", False, True),
    ],
)
def test_a_class_says_what_sort_of_home_it_is(gazetteer, code, kind, hmo, communal):
    found = read(gazetteer, blpu(100012345678, code))
    assert found.frame.rows() == [(100012345678, datetime.date(2020, 2, 2), kind, hmo, communal)]
    assert found.rows == [("llpg.csv", 3)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (blpu(2, "CR08"), "no residential class"),
        (blpu(2, "X"), "no residential class"),
        (blpu(2, "U"), "no residential class"),
        (blpu(2, "PP"), "parent shell, such as a block of flats"),
        (blpu(2, "PS"), "no residential class"),
        (blpu(2, "RG02"), "ancillary building, parking space or garage"),
        (blpu(2, "RC"), "ancillary building, parking space or garage"),
        (blpu(2, "RB"), "ancillary building, parking space or garage"),
        (blpu(2, status=8, end="2019-05-05"), "retired property"),
        (blpu(2, status=8), "retired property"),
        (blpu(2, end="2026-04-01"), "retired property"),
        (blpu(2, status=6), "candidate or provisional property"),
        (blpu(2, status=5), "candidate or provisional property"),
        (blpu(2, status=9), "rejected property"),
        (blpu(2, start="2026-04-02"), "property of a later date"),
        (blpu(2, state=4), "not built, or no longer existing"),
        (blpu(2, state=1), "not built, or no longer existing"),
        (blpu(2, change="D"), "deleted in the gazetteer"),
        (STREET, "record of type 15, street descriptor"),
        (lpi(2, "EX1 1AA"), "record of type 24, address (LPI)"),
        (classified(1, "RD06"), "record of type 32, classification"),
    ],
)
def test_what_is_no_home_is_left_out_for_a_reason(gazetteer, record, reason):
    found = read(gazetteer, blpu(1), record)
    assert homes(found) == [1]
    assert found.left_out == {reason: 1}
    assert found.rejections == []


@pytest.mark.parametrize(
    ("record", "live"),
    [
        (blpu(1, status=8, end="2026-04-02"), True),
        (blpu(1, end="2026-04-02"), True),
        (blpu(1, start="2026-04-01"), True),
        (blpu(1, state=""), True),
        (blpu(1, state=3), True),
        (blpu(1, status=8, end="2026-04-01"), False),
    ],
)
def test_the_reference_date_decides(gazetteer, record, live):
    assert homes(read(gazetteer, record)) == ([1] if live else [])


def test_the_same_gazetteer_gives_another_frame_on_another_date(gazetteer):
    records = [blpu(1, status=8, end="2024-06-30"), blpu(2, start="2024-07-01")]
    assert homes(read(gazetteer, *records, date=datetime.date(2024, 6, 1))) == [1]
    assert homes(read(gazetteer, *records, date=datetime.date(2024, 8, 1))) == [2]


def test_a_block_of_flats_is_its_flats(gazetteer):
    flats = [blpu(uprn, "RD06", parent=10) for uprn in (11, 12)]
    found = read(gazetteer, blpu(10, "PP"), *flats, blpu(20, "PP"))
    assert homes(found) == [11, 12]
    assert found.left_out == {"parent shell, such as a block of flats": 2}


def test_a_house_with_an_annexe_is_a_home_beside_it(gazetteer):
    assert homes(read(gazetteer, blpu(1, "RD02"), blpu(2, "RD06", parent=1))) == [1, 2]


def test_a_house_in_multiple_occupation_is_its_rooms_where_they_are_listed(gazetteer):
    rooms = [blpu(uprn, "RH02", parent=1) for uprn in (2, 3)]
    found = read(gazetteer, blpu(1, "RH01"), *rooms, blpu(4, "RH01"), blpu(5, "RH01"),
                 blpu(6, "RH02", parent=5, status=8, end="2019-01-01"))  # fmt: skip
    assert homes(found) == [2, 3, 4, 5]
    assert found.left_out == {
        "house in multiple occupation whose parts are listed": 1,
        "retired property": 1,
    }


def test_communal_establishments_can_be_left_out(gazetteer):
    records = [blpu(1), blpu(2, "RI01")]
    assert homes(read(gazetteer, *records)) == [1, 2]
    found = read(gazetteer, *records, communal=False)
    assert homes(found) == [1]
    assert found.left_out == {"communal establishment": 1}


def test_the_class_in_force_is_that_of_the_classification_records(gazetteer):
    found = read(
        gazetteer,
        blpu(1, "CR08"),
        classified(1, "RD06"),
        blpu(2, ""),
        classified(2, "RD04", start="2010-01-01"),
        classified(2, "RD03", start="2015-01-01"),
        classified(2, "RD02", start="2026-05-01"),
        blpu(3, "RD02"),
        classified(3, "CR08", end="2015-01-01"),
        classified(3, "CS", scheme="VOA Special Category"),
    )
    assert dict(found.frame.select("uprn", "property_type").rows()) == {
        1: "flat", 2: "semi_detached", 3: "detached",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("record", "column", "reason"),
    [
        (blpu(1234567890123), "UPRN", "is not a UPRN (1 to 12 digits)"),
        (blpu("12A"), "UPRN", "is not a UPRN"),
        (blpu(""), "UPRN", "is empty"),
        (blpu(2, parent=1234567890123), "PARENT_UPRN", "is not a UPRN"),
        (blpu(2, end="2026-02-31"), "END_DATE", "is not a date (YYYY-MM-DD"),
        (blpu(2, start="01/02/2026"), "START_DATE", "is not a date"),
        (blpu(2, status=4), "LOGICAL_STATUS", "4 is not in the code list"),
        (blpu(2, status=""), "LOGICAL_STATUS", "is empty"),
        (blpu(2, "R!"), "BLPU_CLASS", "R! is not a classification code"),
        (blpu(2, ""), "BLPU_CLASS", "the property has no class"),
        (blpu(1), "UPRN", "the UPRN has a record before this one"),
        (blpu(2, change="Z"), "CHANGE_TYPE", "Z is not in the code list"),
        (blpu(2) + ',"more"', "", "has 24 fields, a record of type 21 has 23"),
        (blpu(2).replace("RD02", 'R"D"02'), "", "has a quote that is neither"),
        (classified(1, ""), "CLASSIFICATION_CODE", "is empty"),
        ('88,"I",1,2', "", "has a record type that DTF 7.3 does not have"),
        ("hello", "", "has a record type that DTF 7.3 does not have"),
    ],
)  # fmt: skip
def test_a_malformed_record_is_rejected(gazetteer, record, column, reason):
    found = read(gazetteer, blpu(1), record, blpu(3))
    assert homes(found) == [1, 3]
    assert {(entry.file, entry.row, entry.field) for entry in found.rejections} == {
        ("llpg.csv", 4, column)
    }
    assert reason in found.rejections[0].reason


def test_only_wanted_fields_are_handed_over(gazetteer):
    found = read(gazetteer, blpu(1), fields=("is_hmo",))
    assert found.frame.columns == ["uprn", "record_date", "is_hmo"]
