"""Whatever a gazetteer holds, each record is accounted for, or the run stops."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_plugin_gazetteer.source import Gazetteer
from folkmoot_sdk import PluginError
from tests.accounts import read_source
from tests.unit.gazetteer.gazetteer_file import (
    STREET,
    GazetteerFile,
    blpu,
    classified,
    lpi,
)

UPRNS = st.sampled_from([1, 2, 3, 100012345678, 999_999_999_999, 1_234_567_890_123, 0, "", "12A"])
DATES = st.sampled_from(["", "2019-01-01", "2026-04-01", "2030-01-01", "2026-02-31", "31/02/2026"])
CLASSES = st.sampled_from(["RD02", "RD06", "RH01", "RH02", "RI01", "PP", "CR08", "X", "", "r"])
STATUSES = st.sampled_from([1, 5, 6, 7, 8, 9, 3, "", "x"])
POSTCODES = st.sampled_from(["EX1 1AA", "ex11ab", "", "EX1"])
RECORDS = st.one_of(
    st.builds(blpu, UPRNS, CLASSES, status=STATUSES, state=st.sampled_from([1, 2, 4, ""]),
              parent=UPRNS, start=DATES, end=DATES, change=st.sampled_from("IUDZ")),
    st.builds(lpi, UPRNS, POSTCODES, status=STATUSES, end=DATES),
    st.builds(classified, UPRNS, CLASSES, start=DATES, end=DATES,
              scheme=st.sampled_from(["AddressBase", "VOA", ""])),
    st.sampled_from([STREET, "", "99", "21", "21,", '24,"I"', "88,x", "\u00e9", ",,,", '"21"']),
)  # fmt: skip


def read(content):
    """The account of a read, or the error with which it stopped."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "llpg.csv").write_bytes(content)
        (folder / "onspd.csv").write_text("pcds,lsoa21\nEX1 1AA,E01000001\nEX1 1AB,E0100\n")
        options = {
            "files": ["llpg.csv"],
            "folder": ".",
            "postcode_directory": {"files": ["onspd.csv"]},
        }
        try:
            return read_source(Gazetteer, folder, options, ("property_type", "is_hmo", "lsoa"))
        except PluginError as error:
            return error


def content_of(records, stated=None):
    with tempfile.TemporaryDirectory() as made:
        written = sum(1 for record in records if record)
        GazetteerFile(Path(made)).write(*records, stated=written if stated is None else stated)
        return (Path(made) / "llpg.csv").read_bytes()


@given(records=st.lists(RECORDS, max_size=15))
@settings(max_examples=60)
def test_every_record_is_a_home_left_out_or_rejected(records):
    found = read(content_of(records))
    if isinstance(found, PluginError):
        assert "99" in records, found
        return
    found.rejections = [entry for entry in found.rejections if entry.file == "llpg.csv"]
    assert found.accounted == sum(1 for record in records if record)
    assert found.frame["uprn"].is_unique().all()


@given(data=st.data())
@settings(max_examples=60)
def test_damage_stops_the_run_or_is_rejected(data):
    content = content_of(data.draw(st.lists(RECORDS, max_size=6)))
    content = content.replace(b",", data.draw(st.sampled_from([b",", b";", b"\t"])))
    encoding = data.draw(st.sampled_from(["utf-8", "cp1252", "utf-16"]))
    content = content.decode().encode(encoding, errors="replace")
    at = data.draw(st.integers(0, len(content)))
    noise = data.draw(st.binary(max_size=3))
    content = (
        content[:at] + noise + content[data.draw(st.integers(at, min(len(content), at + 9))) :]
    )
    content = content[: data.draw(st.integers(0, len(content)))]
    found = read(content)
    if isinstance(found, PluginError):
        assert found.where
        assert found.remedy
    else:
        assert b"99" in content
