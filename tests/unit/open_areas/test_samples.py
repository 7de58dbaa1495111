"""The samples that the README names conform, and nothing of them is lost."""

import tomllib

import pytest

from folkmoot_plugin_open_areas import folkmoot_data_sources
from folkmoot_sdk.conformance import check_source
from tests.accounts import read_source
from tests.unit.open_areas.conftest import SAMPLES

KINDS = {source.kind: source for source in folkmoot_data_sources()}
OPTIONS = sorted(SAMPLES.glob("*.toml"))


def source_of(path):
    return KINDS[path.stem.removesuffix("_through_lookup")]


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
def test_a_sample_conforms_and_has_no_fault(path):
    options = tomllib.loads(path.read_text())
    check_source(source_of(path), {**options, "base": SAMPLES})
    found = read_source(source_of(path), SAMPLES, options)
    assert found.frame.height > 0
    assert found.rejections == []


def test_every_kind_has_a_sample():
    assert {source_of(path) for path in OPTIONS} == set(KINDS.values())


def test_the_readme_names_every_kind_field_and_sample_of_crime():
    text = (SAMPLES.parents[1] / "README.md").read_text()
    for kind in KINDS:
        assert f"## `{kind}`" in text
    options = tomllib.loads((SAMPLES / "police_crime.toml").read_text())
    del options["population"]
    crime = read_source(KINDS["police_crime"], SAMPLES, options)
    for name in crime.frame.columns[1:]:
        assert f"`{name}`" in text
