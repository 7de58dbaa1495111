"""Tables of segments, by postcode and by area; bought data says that it is."""

import pytest

from folkmoot_plugin_open_areas.classification import OutputAreaClassification
from folkmoot_plugin_open_areas.segmentation import AreaSegmentation
from folkmoot_sdk import PluginError, RecordLevel
from folkmoot_sdk.parameters import build
from tests.accounts import read_source

FIELDS = {
    "segment": {
        "column": "Type", "type": "category", "combine": "first", "category": "segmentation",
        "codes": ["A", "B"],
    },
    "stress": {"column": "Stress", "type": "number", "combine": "max", "category": "segmentation",
               "minimum": 0, "maximum": 100},
}  # fmt: skip
BY_POSTCODE = {
    "name": "segments", "file": "segments.csv", "key": "postcode", "key_column": "PC",
    "fields": FIELDS, "addresses": {"files": ["uprns*.csv"]},
}  # fmt: skip
BY_AREA = {
    "name": "segments", "file": "segments.csv", "key": "area", "key_column": "LSOA",
    "fields": FIELDS, "area_type": "lsoa21",
}  # fmt: skip


def write(folder, segments, addresses=""):
    (folder / "segments.csv").write_text(segments)
    (folder / "uprns.csv").write_text("UPRN,PCDS\n" + addresses)


def test_a_postcode_table_is_joined_to_properties(folder):
    write(
        folder,
        "PC,Type,Stress\nM32 0TH,A,10\nm320tj,B,\n",
        "1,M320TH\n2,M32 0TJ\n3,M32 9ZZ\n4,\n5,M32 0TH\n",
    )
    found = read_source(AreaSegmentation, folder, BY_POSTCODE)
    assert found.frame.rows() == [(1, "A", 10.0), (2, "B", None), (5, "A", 10.0)]
    assert found.rows == [("uprns.csv", 2), ("uprns.csv", 3), ("uprns.csv", 6)]
    assert found.left_out == {
        "joined to the addresses of its postcode": 2,
        "an address whose postcode has no segment": 2,
    }
    assert found.origins == ["segments.csv", "uprns.csv"]


@pytest.mark.parametrize(
    ("segments", "addresses", "row", "reason"),
    [
        ("X,A,1", "", ("segments.csv", 3), "X is not a postcode"),
        (",A,1", "", ("segments.csv", 3), "has no postcode"),
        ("M32 0TH,B,1", "", ("segments.csv", 3), "stands in the file before"),
        ("M32 0TJ,C,1", "", ("segments.csv", 3), "C is not in the code list"),
        ("M32 0TJ,A,101", "", ("segments.csv", 3), "above the largest valid value"),
        ("M32 0TJ,A,1", "1234567890123,M32 0TH", ("uprns.csv", 3), "is not a UPRN"),
        ("M32 0TJ,A,1", "7,M32", ("uprns.csv", 3), "is not a postcode"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected(folder, segments, addresses, row, reason):
    write(folder, f"PC,Type,Stress\nM32 0TH,A,10\n{segments}\n", f"1,M32 0TH\n{addresses}\n")
    found = read_source(AreaSegmentation, folder, BY_POSTCODE)
    assert found.frame.rows() == [(1, "A", 10.0)]
    assert found.rejected == {row}
    assert reason in found.rejections[0].reason


def test_a_table_of_areas_is_one_record_an_area(folder):
    write(folder, "LSOA,Type,Stress\nE01000001,A,1\n,A,1\nE01000001,B,2\nE01000002,B,\n")
    found = read_source(AreaSegmentation, folder, BY_AREA)
    assert found.frame.rows() == [("E01000001", "A", 1.0), ("E01000002", "B", None)]
    assert found.rejected == {("segments.csv", 3), ("segments.csv", 4)}


def test_a_table_of_tabs_needs_no_delimiter(folder):
    (folder / "segments.tsv").write_text("LSOA\tType\tStress\nE01000001\tA\t1\n")
    for more in ({}, {"delimiter": "\t"}):
        found = read_source(AreaSegmentation, folder, {**BY_AREA, "file": "segments.tsv", **more})
        assert found.frame.rows() == [("E01000001", "A", 1.0)]


def test_fields_are_consumer_data_unless_the_table_is_open(folder):
    for options, level in ((BY_POSTCODE, RecordLevel.PROPERTY), (BY_AREA, RecordLevel.AREA)):
        schema = AreaSegmentation(build(AreaSegmentation.Options, options, "o")).schema
        assert all(field.consumer_data for field in schema.fields)
        assert schema.level is level
    given = {**BY_AREA, "consumer_data": False}
    open_ = AreaSegmentation(build(AreaSegmentation.Options, given, "o")).schema
    assert not any(field.consumer_data for field in open_.fields)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({**BY_AREA, "area_type": ""}, "`area_type` is for rows about areas"),
        ({**BY_AREA, "key": "postcode"}, "`addresses` is for rows about postcodes"),
        ({**BY_POSTCODE, "key": "area"}, "`addresses` is for rows about postcodes"),
        ({**BY_AREA, "fields": {}}, "`fields` is empty"),
        ({**BY_AREA, "encoding": "utf8"}, "Did you mean 'utf-8'"),
        ({**BY_AREA, "delimiter": ",,"}, "not one ASCII character"),
        ({**BY_AREA, "fields": {"x": {**FIELDS["stress"], "colum": "y"}}}, "colum"),
    ],
)
def test_wrong_options_are_refused(folder, options, message):
    with pytest.raises(PluginError, match=message):
        read_source(AreaSegmentation, folder, options)


def test_the_output_area_classification_reads_capital_letters(folder):
    (folder / "oac.csv").write_text(
        "oa21cd,supergroup,group,subgroup\nE00000001,1,1A,1A1\nE00000002,8,8d,8d4\n"
        "E00000003,9,1a,1a1\nE00000002,1,1a,1a1\n"
    )
    found = read_source(OutputAreaClassification, folder, {"file": "oac.csv"})
    assert found.frame.rows() == [
        ("E00000001", "1", "1a", "1a1"),
        ("E00000002", "8", "8d", "8d4"),
    ]
    assert [entry.row for entry in found.rejections] == [4, 5]
