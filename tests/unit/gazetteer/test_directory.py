"""Areas from the ONS UPRN Directory, or by postcode where it lacks a property."""

import pytest

from folkmoot_plugin_gazetteer.source import Gazetteer
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build
from tests.accounts import read_source
from tests.unit.gazetteer.gazetteer_file import GazetteerFile, blpu, lpi

AREAS = ("oa", "lsoa", "ward", "district")
ONSUD = "UPRN,PCDS,LAD24CD,LAD25CD,WD25CD,LSOA11CD,LSOA21CD,OA21CD"
ONSPD = "pcd,pcds,oslaua,osward,lsoa11,lsoa21,oa11,oa21"


@pytest.fixture
def folder(tmp_path):
    GazetteerFile(tmp_path).write(
        blpu(1), blpu(2), blpu(3), blpu(4),
        lpi(1, "EX1 1AA"), lpi(2, "EX1 9ZZ", status=3), lpi(2, "ex12bb"), lpi(3, ""),
        lpi(2, "EX1 8ZZ", status=8, end="2019-01-01"),
    )  # fmt: skip
    return tmp_path


def read(folder, fields=AREAS, **options):
    return read_source(Gazetteer, folder, {"files": ["llpg.csv"], "folder": ".", **options}, fields)


def areas(found):
    return {row[0]: row[2:] for row in found.frame.rows()}


def onsud(folder, *rows, header=ONSUD, name="onsud.csv"):
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return {"files": [name]}


def onspd(folder, *rows, header=ONSPD):
    return onsud(folder, *rows, header=header, name="onspd.csv")


FIRST = "1,EX1 1AA,E08000008,E08000009,E05000001,E01000001,E01000011,E00000001"
FOUND = ("E00000001", "E01000011", "E05000001", "E08000009")


def test_the_uprn_directory_gives_the_latest_ward_and_district(folder):
    found = read(folder, uprn_directory=onsud(folder, FIRST))
    assert areas(found) == {1: FOUND, 2: (None,) * 4, 3: (None,) * 4, 4: (None,) * 4}
    assert found.accounted == 9


def test_areas_of_2011_are_given_if_they_are_asked_for(folder):
    options = {"uprn_directory": onsud(folder, FIRST), "census": 2011}
    found = read(folder, ("lsoa",), **options)
    assert areas(found)[1] == ("E01000001",)
    given = {"files": ["llpg.csv"], **options}
    schema = Gazetteer(build(Gazetteer.Options, given, "options")).schema
    assert (schema["lsoa"].area_type, schema["oa"].area_type) == ("lsoa11", "oa11")


def test_the_postcode_directory_gives_what_the_uprn_directory_lacks(folder):
    found = read(
        folder,
        uprn_directory=onsud(folder, FIRST),
        postcode_directory=onspd(
            folder,
            "EX1 1AA,EX1 1AA,E08000099,E05000099,E01000099,E01000099,E00000099,E00000099",
            "EX1 2BB,EX1 2BB,E08000002,E05000002,E01000002,E01000012,E00000012,E00000002",
        ),
    )
    assert areas(found) == {
        1: FOUND,
        2: ("E00000002", "E01000012", "E05000002", "E08000002"),
        3: (None,) * 4,
        4: (None,) * 4,
    }
    assert found.left_out["record of type 24, address (LPI)"] == 5


def test_pseudo_codes_mean_no_such_area(folder):
    row = FIRST.replace("E05000001", "E99999999")
    assert areas(read(folder, ("ward",), uprn_directory=onsud(folder, row))) == {
        1: (None,), 2: (None,), 3: (None,), 4: (None,),
    }  # fmt: skip


def test_columns_can_be_named(folder):
    row = "1,E01000011"
    given = {**onsud(folder, row, header="ref,area"), "key": "ref", "lsoa": "area"}
    assert areas(read(folder, ("lsoa",), uprn_directory=given))[1] == ("E01000011",)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("UPRN,LSOA11CD", "no column that is known to hold the lsoa of 2021"),
        ("REF,LSOA21CD", "no column that is known to hold the uprn"),
    ],
)
def test_a_directory_without_the_areas_is_refused(folder, header, message):
    given = onsud(folder, "1,E01000001", header=header)
    with pytest.raises(PluginError, match=message):
        read(folder, ("lsoa",), uprn_directory=given)


def test_a_malformed_row_is_rejected_if_it_is_about_one_of_our_properties(folder):
    ours, theirs = FIRST.replace("E01000011", "E0100"), FIRST.replace("1,EX1", "999,EX1", 1)
    rows = [theirs.replace("E01000011", "E0100"), ours, "2,EX1 1AA", "1234567890123" + FIRST[1:]]
    found = read(folder, uprn_directory=onsud(folder, *rows))
    assert [(entry.file, entry.row) for entry in found.rejections] == [
        ("onsud.csv", 4),
        ("onsud.csv", 3),
    ]
    assert areas(found)[1] == (None,) * 4


def test_addresses_are_read_only_for_areas_by_postcode(folder):
    found = read(folder, ("lsoa",), uprn_directory=onsud(folder, FIRST))
    assert found.left_out == {"record of type 24, address (LPI)": 5}
    (folder / "llpg.csv").write_text((folder / "llpg.csv").read_text().replace("ex12bb", "?"))
    assert read(folder, ("property_type",)).rejections == []
    by_postcode = {"postcode_directory": onspd(folder)}
    assert [e.reason for e in read(folder, ("lsoa",), **by_postcode).rejections] == [
        "? is not a postcode"
    ]


def test_without_a_directory_there_are_no_areas(folder):
    given = {"files": ["llpg.csv"]}
    schema = Gazetteer(build(Gazetteer.Options, given, "options")).schema
    assert [field.name for field in schema.fields] == ["property_type", "is_hmo", "is_communal"]


def test_homes_in_another_district_are_left_out_if_asked(folder):
    """Of four homes one is in no directory, two in the council's district, one in the next."""
    rows = [FIRST, FIRST.replace("1,", "2,", 1), FIRST.replace("1,", "3,", 1)]
    own = areas(read(folder, ("district",), uprn_directory=onsud(folder, FIRST)))[1][0]
    other = f"{own[:-1]}{(int(own[-1]) + 1) % 10}"
    given = {"uprn_directory": onsud(folder, *rows[:2], rows[2].replace(own, other))}
    everyone = read(folder, ("district",), **given)
    assert sorted(areas(everyone)) == [1, 2, 3, 4]
    assert areas(everyone)[3] == (other,)
    for fields in (("district",), ("property_type",), ("lsoa",)):
        found = read(folder, fields, **given, within=own)
        assert sorted(found.frame["uprn"]) == [1, 2, 4]
        assert found.left_out["property in another district"] == 1
        assert "district" not in set(found.frame.columns) - set(fields)
    neighbour = read(folder, ("district",), **given, within=other)
    assert sorted(neighbour.frame["uprn"]) == [3, 4]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"within": "E08000009"}, "needs a directory"),
        ({"within": "Trafford", "uprn_directory": {"files": ["x.csv"]}}, "is not the GSS code"),
    ],
)
def test_a_district_that_cannot_be_compared_is_refused(given, says):
    with pytest.raises(Exception, match=says):
        build(Gazetteer.Options, {"files": ["llpg.csv"], **given}, "options")
