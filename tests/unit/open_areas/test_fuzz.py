"""Whatever the files hold, each row is accounted for, or the run stops with a message."""

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_plugin_open_areas.classification import OutputAreaClassification
from folkmoot_plugin_open_areas.crime import PoliceCrime
from folkmoot_plugin_open_areas.indices import IndicesOfDeprivation
from folkmoot_plugin_open_areas.segmentation import AreaSegmentation
from folkmoot_sdk import PluginError
from tests.accounts import read_source
from tests.unit.open_areas.conftest import LOOKUP
from tests.unit.open_areas.test_segmentation import BY_POSTCODE

CODES = ["E01000001", "E01000002", "E01000003", "E01099999", "E0100", "", "W01000001", "S\u00f6"]
MONTHS = ["2026-01", "2026-02", "2026-13", "31/02/2026", "", "2026-1", "99999-01"]
TYPES = ["Burglary", "Drugs", "Piracy", "", " Drugs "]
NUMBERS = ["1", "8.0", "10", "11", "0", "-1", "x", "", "nan", "1e400", "1.5"]
GROUPS = ["1", "8", "9", "1a", "1A1", "8d4", "", "1a9"]


def rows(*columns):
    sound = st.tuples(*map(st.sampled_from, columns)).map(",".join)
    odd = st.sampled_from(["", "a", "a,b", ",,,,,,,,", 'a,"b,c', '"x"y,1,2,3', "\t", "\u00e9,,,"])
    return st.lists(sound | odd, max_size=12)


CRIME = ("Month,LSOA code,Crime type", rows(MONTHS, CODES, TYPES))
INDICES = ("lsoa21_code,IMD_decile,IMD_rank", rows(CODES, NUMBERS, NUMBERS))
OAC = ("oa21cd,supergroup,group,subgroup", rows(CODES, GROUPS, GROUPS, GROUPS))
POSTCODES = ("PC,Type,Stress", rows(["M32 0TH", "m320tj", "X", ""], ["A", "C", ""], NUMBERS))
COUNTED = {"folder": ".", "files": ["table*"], "lookup": {"file": "lookup.csv"}}
SOURCES = {
    "crime": (PoliceCrime, CRIME, COUNTED, ["crime_all"]),
    "indices": (IndicesOfDeprivation, INDICES, {"file": "table.csv"}, ["imd_decile", "imd_rank"]),
    "classification": (OutputAreaClassification, OAC, {"file": "table.csv"}, None),
    "segmentation": (AreaSegmentation, POSTCODES, {**BY_POSTCODE, "file": "table.csv"}, None),
}


def read(kind, content, name="table.csv", **changes):
    """The account of a read, or the error with which it stopped."""
    source, _, options, fields = SOURCES[kind]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / name).write_bytes(content)
        (folder / "lookup.csv").write_text(LOOKUP)
        (folder / "uprns.csv").write_text("UPRN,PCDS\n1,M32 0TH\n")
        try:
            return read_source(source, folder, options | changes, fields)
        except PluginError as error:
            return error


MAPPED = ("indices", "classification")


@pytest.mark.parametrize("kind", SOURCES)
@given(data=st.data())
@settings(max_examples=60)
def test_every_row_is_a_record_left_out_or_rejected(kind, data):
    header, drawn = SOURCES[kind][1]
    lines = [line for line in data.draw(drawn) if '"' not in line]
    text = "\n".join([header, *lines]) + "\n"
    found = read(kind, text.encode())
    if isinstance(found, PluginError):
        assert found.problem
        assert found.remedy
        return
    # Rows without a value are skipped as empty lines are, where a mapping says how to read.
    written = sum(1 for line in lines if (line.strip(", \t") if kind in MAPPED else line))
    if kind == "crime":
        found.rows.clear()  # areas, not rows
    if kind == "segmentation":
        written += 1  # the address
    assert found.accounted == written, (lines, found)


@pytest.mark.parametrize("kind", SOURCES)
@given(data=st.data())
@settings(max_examples=60)
def test_damage_stops_the_run_with_a_message_or_is_accounted_for(kind, data):
    header, drawn = SOURCES[kind][1]
    text = "\n".join([header, *data.draw(drawn)]) + "\n"
    delimiter = data.draw(st.sampled_from([",", ";", "\t", "|"]))
    encoding = data.draw(st.sampled_from(["utf-8", "cp1252", "utf-16", "utf-8-sig"]))
    content = text.replace(",", delimiter).encode(encoding, errors="replace")
    content = content[: data.draw(st.integers(0, len(content)))]
    if kind != "crime" and data.draw(st.booleans()):
        squeezed = gzip.compress(content)
        cut = data.draw(st.integers(0, len(squeezed)))
        found = read(kind, squeezed[:cut], "table.csv.gz", file="table.csv.gz")
    else:
        found = read(kind, content)
    if isinstance(found, PluginError):
        assert found.where
        assert found.remedy
    else:
        assert len(found.rejected) <= content.count(b"\n") + 2
