"""The postcodes of Trafford as properties of a gazetteer, placed by the published directory."""

from __future__ import annotations

import csv
import gzip

import pytest

from folkmoot_plugin_gazetteer.source import Gazetteer
from tests.accounts import read_source
from tests.unit.gazetteer.gazetteer_file import GazetteerFile, blpu, lpi

pytestmark = pytest.mark.realdata

FIRST = 100_012_000_000


def test_every_postcode_of_trafford_is_in_its_lsoa_and_ward(public_data, tmp_path):
    folder = public_data / "greater_manchester"
    with gzip.open(folder / "trafford_postcodes.csv.gz", "rt", newline="") as stream:
        published = list(csv.DictReader(stream))
    records = []
    for at, row in enumerate(published):
        records += [blpu(FIRST + at), lpi(FIRST + at, row["postcode"].lower())]
    GazetteerFile(tmp_path).write(*records)
    options = {
        "files": ["llpg.csv"],
        "folder": ".",
        "postcode_directory": {
            "folder": str(folder),
            "files": ["trafford_postcodes.csv.gz"],
            "lsoa": "lsoa_code",
            "ward": "ward_code",
            "district": "la_code",
        },
    }
    found = read_source(Gazetteer, tmp_path, options, ("lsoa", "ward", "district"))
    assert len(published) == 11_264
    assert found.rejections == []
    assert found.accounted == len(records)
    areas = found.frame.select("uprn", "lsoa", "ward", "district").rows()
    assert areas == [
        (FIRST + at, row["lsoa_code"], row["ward_code"], row["la_code"])
        for at, row in enumerate(published)
    ]
    with gzip.open(folder / "lookup_lsoa21_ward24_ltla24.csv.gz", "rt", newline="") as stream:
        lookup = {row["lsoa21_code"]: row["ltla24_code"] for row in csv.DictReader(stream)}
    assert {lookup[lsoa] for _, lsoa, _, _ in areas} == {"E08000009"}
