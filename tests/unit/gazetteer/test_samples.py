"""The sample that the README names conforms, and shows each rule."""

import tomllib
from pathlib import Path

from folkmoot_plugin_gazetteer.classes import PROPERTY_TYPES
from folkmoot_plugin_gazetteer.source import Gazetteer
from folkmoot_sdk.conformance import check_source
from tests.accounts import read_source

PLUGIN = Path(__file__).parents[3] / "plugins" / "gazetteer"
SAMPLES = PLUGIN / "folkmoot_plugin_gazetteer" / "samples"
OPTIONS = tomllib.loads((SAMPLES / "gazetteer.toml").read_text())


def test_the_sample_conforms():
    check_source(Gazetteer, {**OPTIONS, "base": SAMPLES})


def test_the_sample_has_nine_homes_and_no_fault():
    found = read_source(Gazetteer, SAMPLES, OPTIONS)
    assert found.rejections == []
    kinds = dict(found.frame["property_type"].value_counts().iter_rows())
    assert kinds == {
        "detached": 1, "semi_detached": 1, "flat": 4, "hmo": 2, "communal_establishment": 1,
    }  # fmt: skip
    assert found.frame["lsoa"].null_count() == 0
    assert found.left_out["parent shell, such as a block of flats"] == 1
    assert found.left_out["house in multiple occupation whose parts are listed"] == 1
    records = (SAMPLES / "exampleton_llpg.csv").read_text().splitlines()
    assert found.accounted == len(records) - 3


def test_the_readme_names_every_field_and_property_type():
    text = (PLUGIN / "README.md").read_text()
    for name in [*PROPERTY_TYPES, "is_hmo", "is_communal", "oa", "lsoa", "ward", "district"]:
        assert f"`{name}`" in text
