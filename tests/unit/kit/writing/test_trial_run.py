"""What `run` finds out of a factor and of a source, wherever their code runs."""

from pathlib import Path

import pytest

from folkmoot_kit.writing.trial_run import BATCH_ROWS, named_paths, try_factor, try_source
from folkmoot_plugin_extracts import folkmoot_data_sources
from folkmoot_plugin_household_factors import folkmoot_risk_factors
from folkmoot_sdk import PluginError

FACTORS = {factor.name: factor for factor in folkmoot_risk_factors()}
(EXTRACTS,) = folkmoot_data_sources()
MAPPING = """schema = 1
name = "x"
level = "household"
files = ["x.csv"]
uprn = "U"
[fields.owed]
column = "O"
type = "number"
combine = "sum"
category = "finance"
unit = "GBP"
[fields.tenure]
column = "T"
type = "category"
codes = ["owned", "rented"]
combine = "first"
category = "housing"
"""


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_every_shipped_factor_can_be_tried(name):
    found = try_factor(FACTORS[name], {}, "parameters", None, count=200, rows=4)
    assert (found.name, found.households, len(found.shown)) == (name, 200, 4)
    assert sum(found.spread.counts) + found.spread.unknown == 200
    for household in found.shown:
        assert set(household.values) == {entry.name for entry in FACTORS[name].inputs}
        assert household.score is None or 0 <= household.score <= 1
        assert household.explanation
    assert list(found.milliseconds) == [
        "make", "score 200 households", f"score {BATCH_ROWS:,} made-up", "explain one household",
    ]  # fmt: skip
    assert all(took > 0 for took in found.milliseconds.values())


def test_parameters_are_the_plugins_to_refuse():
    factor = FACTORS["financial_hardship"]
    with pytest.raises(PluginError, match=r"p\.toml\.arears_full: is an unknown key"):
        try_factor(factor, {"arears_full": 1}, "p.toml", None, count=5, rows=0)
    assert try_factor(factor, {"arrears_full": 1}, "p.toml", None, count=5, rows=0).shown == ()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "m.toml").write_text(MAPPING)
    rows = ["U,O,T", "1,2.50,owned", "2,,rented", "3,much,rented", "4,7,palace"]
    (tmp_path / "x.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_source_is_read_and_described(folder):
    options = {"mapping": "m.toml", "folder": "."}
    found = try_source(EXTRACTS, options, "o.toml", folder, rows=2)
    assert (found.kind, found.level, found.records) == ("extracts", "household", 4)
    owed, tenure = found.columns
    assert (owed.name, owed.type, owed.known, owed.unread) == ("owed", "number, GBP", 2, 1)
    assert (owed.smallest, owed.largest) == (2.5, 7.0)
    assert tenure.codes == {"rented": 2, "owned": 1}
    assert [(entry.row, entry.field) for entry in found.rejections] == [(4, "O"), (5, "T")]
    assert [record["uprn"] for record in found.shown] == [1, 2]
    assert found.shown[1]["owed"] is None


def test_a_source_without_a_record_is_described_too(folder):
    (folder / "x.csv").write_text("U,O,T\n")
    found = try_source(EXTRACTS, {"mapping": "m.toml", "folder": "."}, "o", folder, rows=2)
    assert found.records == 0
    assert found.shown == ()


def test_what_a_source_may_read_is_what_its_options_name(folder):
    (folder / "a").mkdir()
    options = {
        "mapping": "m.toml",
        "folder": "a",
        "url": "sqlite:///m.toml",
        "name": "x",
        "deep": {"list": ["x.csv", 3, "\0"]},
        "empty": "",
    }
    found = {path.relative_to(folder.resolve()) for path in named_paths(options, folder)}
    assert found == {Path("m.toml"), Path("a"), Path("x.csv")}
