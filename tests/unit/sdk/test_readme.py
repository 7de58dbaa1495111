"""The code in the SDK's README runs and conforms."""

import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from folkmoot_sdk import (
    Category,
    Combine,
    FieldType,
    Identifier,
    PluginError,
    ProtectedCharacteristic,
    RecordLevel,
)
from folkmoot_sdk.conformance import check_factor as conforms
from folkmoot_sdk.conformance import check_source
from folkmoot_sdk.parameters import build

TEXT = (Path(__file__).parents[3] / "plugins" / "sdk" / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture
def names():
    found = {"__name__": "readme"}
    code = blocks("python")
    assert len(code) == 4
    for block in code:
        # Dataclasses look their annotations up in the module of the class.
        exec(compile(block, "README.md", "exec"), found)
    return found


def test_the_factor_conforms(names):
    conforms(names["EnergyDebt"])
    assert names["folkmoot_risk_factors"]() == [names["EnergyDebt"]]


def test_the_tests_pass(names, check_factor, households, batches, scoring_context):
    names["test_conforms"](check_factor)
    names["test_batches_change_nothing"](households, batches, scoring_context)


def test_the_options_refuse_what_the_text_says(names, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("correct-horse", "utf-8")
    secret.chmod(0o600)
    given = {"base": str(tmp_path), "region": "north", "tariff": "economy_7", "key_file": "key"}
    options = build(names["FeedOptions"], given, "options")
    assert options.tariff.value == "economy_7"
    assert repr(options.key_file) == "Secret(hidden)"
    assert options.key_file.reveal() == "correct-horse"
    for changed, problem in (
        ({"region": "south-east"}, "region: 'south-east' is not valid"),
        ({"tariff": "economy"}, "tariff: 'economy' is not valid"),
        ({"ceiling": 150.0}, "ceiling: is not a whole number of hundreds"),
        ({"floor": 6000}, "`floor` is above `ceiling`"),
    ):
        with pytest.raises(PluginError, match=problem):
            build(names["FeedOptions"], given | changed, "options")


@pytest.mark.parametrize(
    "enumeration",
    [RecordLevel, FieldType, Combine, Category, ProtectedCharacteristic, Identifier],
    ids=lambda enumeration: enumeration.__name__,
)
def test_every_member_of_an_enumeration_is_listed(enumeration):
    (row,) = re.findall(rf"^\| `{enumeration.__name__}`: .*", TEXT, re.M)
    listed = re.findall(r"`([A-Z_0-9]+)`", row.split(" | ")[1])
    assert sorted(set(listed)) == sorted(enumeration.__members__)


def test_the_source_conforms_and_rejects_what_it_says(names, tmp_path):
    data = pl.DataFrame({"uprn": [1, 2, 3], "energy_arrears": [1.0, -1.0, None]})
    data.write_parquet(tmp_path / "readings.parquet")
    options = {"base": tmp_path, "file": "readings.parquet"}
    check_source(names["MeterReadings"], options)
    assert names["folkmoot_data_sources"]() == [names["MeterReadings"]]
    assert f'check_source(MeterReadings, {{"base": folder, "file": "{options["file"]}"}})' in TEXT


def test_the_entry_point_is_of_the_group_that_is_loaded():
    (block,) = blocks("toml")
    assert list(tomllib.loads(block)["project"]["entry-points"]) == ["folkmoot"]
