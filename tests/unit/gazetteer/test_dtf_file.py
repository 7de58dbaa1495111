"""A DTF file is whole, or the run stops."""

import gzip

import pytest

from folkmoot_plugin_gazetteer.dtf_file import Columns, read_dtf
from folkmoot_plugin_gazetteer.source import Gazetteer
from folkmoot_sdk import PluginError, ReadContext
from tests.accounts import DATE, read_source
from tests.unit.gazetteer.gazetteer_file import (
    HEADER,
    METADATA,
    STREET,
    GazetteerFile,
    blpu,
    classified,
)


@pytest.fixture
def gazetteer(tmp_path):
    return GazetteerFile(tmp_path)


def read(gazetteer, **options):
    given = {"files": ["llpg.csv"], "folder": ".", **options}
    return read_source(Gazetteer, gazetteer.folder, given, ("property_type",))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trailer": False}, "has no trailer"),
        ({"stated": 5}, "says that there are 5 records, but the file has 1"),
        ({"stated": 0}, "says that there are 0 records"),
        ({"stated": '"x"'}, "is a trailer without a record count"),
        ({"header": HEADER.replace('"F"', '"C"')}, "holds changes only"),
        ({"header": HEADER.replace("7.3", "8.1")}, "not the header of a DTF 7.3 file"),
        ({"header": "10,"}, "not the header of a DTF 7.3 file"),
        ({"header": '"UPRN","CLASS"'}, "is not the header of a DTF file"),
    ],
)
def test_a_file_that_is_not_a_whole_gazetteer_stops_the_run(gazetteer, given, message):
    gazetteer.write(blpu(1), **given)
    with pytest.raises(PluginError, match=message):
        read(gazetteer)


def test_a_quote_that_is_not_closed_is_named_with_a_remedy_that_a_gazetteer_has(gazetteer):
    broken = blpu(2).replace('"00BUXX"', '"00BUXX')
    gazetteer.write(blpu(1), broken, blpu(3))
    with pytest.raises(PluginError) as caught:
        read(gazetteer)
    assert "llpg.csv: line " in caught.value.where
    assert "quoted field that is never closed" in caught.value.problem
    assert "has no closing quote" in caught.value.remedy
    assert "quote =" not in caught.value.remedy


def test_suppliers_count_with_or_without_header_and_trailer(gazetteer):
    for stated in (2, 5):
        gazetteer.write(blpu(1), STREET, stated=stated)
        assert read(gazetteer).frame.height == 1


def test_records_after_the_trailer_stop_the_run(gazetteer):
    trailer = "99,0,1,2026-03-31,06:00:00"
    gazetteer.write(blpu(1), trailer, blpu(2))
    with pytest.raises(PluginError, match="line 5: stands after the trailer"):
        read(gazetteer)


def test_every_truncation_stops_the_run(gazetteer):
    gazetteer.write(blpu(1), classified(1, "RD06"), STREET)
    path = gazetteer.folder / "llpg.csv"
    whole = path.read_bytes()
    trailer = whole.index(b"\n99,") + 5
    for size in range(0, trailer, 7):
        path.write_bytes(whole[:size])
        with pytest.raises(PluginError):
            read(gazetteer)


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
def test_chunks_may_end_anywhere(gazetteer, chunk):
    records = [blpu(uprn, organisation='A "B", C\nD') for uprn in range(1, 20)]
    records = [record.replace('A "B"', 'A ""B""') for record in records]
    gazetteer.write(*records, '"21"' + blpu(20)[2:])
    context = ReadContext((), DATE, lambda found: pytest.fail(str(found)))
    wanted = {21: Columns(23, {"UPRN": 3, "ORGANISATION": 17, "LOGICAL_STATUS": 4})}
    path = gazetteer.folder / "llpg.csv"
    found = [t.batch for t in read_dtf(path, wanted, "utf-8", context, chunk)]
    frames = [batch.frame.select("UPRN", "ORGANISATION", "LOGICAL_STATUS") for batch in found]
    values = [row for frame in frames for row in frame.rows()]
    expected = [(str(uprn), 'A "B", C\nD', "1") for uprn in range(1, 20)]
    assert values == [*expected, ("20", "", "1")]
    rows = [row for batch in found for row in batch.numbers().tolist()]
    assert rows == [*range(3, 41, 2), 41]


def test_windows_line_ends_encodings_and_gzip_are_read(gazetteer):
    gazetteer.write(blpu(1, organisation="CAF\u00c9"), end="\r\n")
    path = gazetteer.folder / "llpg.csv"
    text = path.read_bytes().decode()
    path.write_bytes(text.encode("cp1252"))
    with pytest.raises(PluginError, match=r"line 3, byte \d+: is not UTF-8"):
        read(gazetteer)
    assert read(gazetteer, encoding="cp1252").frame.height == 1
    (gazetteer.folder / "llpg.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert read(gazetteer, files=["llpg.csv.gz"]).frame.height == 1


def test_several_volumes_are_one_gazetteer(gazetteer):
    gazetteer.write(blpu(2, parent=1), blpu(1, "PP"), name="v1.csv")
    gazetteer.write(blpu(3), classified(2, "RD06"), blpu(2), name="v2.csv")
    found = read(gazetteer, files=["v*.csv"])
    assert found.rows == [("v1.csv", 3), ("v2.csv", 3)]
    assert found.frame["property_type"].to_list() == ["flat", "detached"]
    assert found.rejected == {("v2.csv", 5)}
    assert found.origins == ["v1.csv", "v2.csv"]


def test_an_empty_gazetteer_gives_no_home(gazetteer):
    gazetteer.write()
    assert read(gazetteer).frame.height == 0
    assert METADATA in (gazetteer.folder / "llpg.csv").read_text()
