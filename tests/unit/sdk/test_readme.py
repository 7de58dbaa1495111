"""The code in the SDK's README runs and conforms."""

import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from folkmoot_sdk.conformance import check_factor, check_source

TEXT = (Path(__file__).parents[3] / "plugins" / "sdk" / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture
def names():
    found = {"__name__": "readme"}
    code = blocks("python")
    assert len(code) == 3
    for block in code:
        # Dataclasses look their annotations up in the module of the class.
        exec(compile(block, "README.md", "exec"), found)
    return found


def test_the_factor_conforms(names):
    check_factor(names["EnergyDebt"])
    names["test_conforms"]()
    assert names["folkmoot_risk_factors"]() == [names["EnergyDebt"]]


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
