"""The equality audit over 59,147 real people whose ethnic group and religion are published."""

from __future__ import annotations

from collections import Counter

import pytest

from folkmoot_node.equality.report import audit_equality
from folkmoot_node.pipeline.local import score
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import create_key, read_key
from folkmoot_node.store.reader import open_store
from tests.realdata.conftest import CODES, HERE, NODE, TODAY, band_by_hand

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

SAMPLE = 12_000
"""People that the proxy check learns from; shares of bands are those of all."""
EQUALITY = """
[[equality]]
field = "ethnic_group"
groups = { black_or_mixed = ["black", "mixed"] }

[[equality]]
field = "religion"

[[equality]]
field = "age_group"

[[equality]]
field = "sexual_orientation"
"""


@pytest.fixture(scope="module")
def audited(census_folder, census_plugins, tmp_path_factory):
    """All people of the samples as one council, scored and audited."""
    home = tmp_path_factory.mktemp("census-equality") / "home"
    (home / "mappings").mkdir(parents=True)
    (home / "mappings" / "census.toml").write_bytes((HERE / "census.toml").read_bytes())
    (home / "node.toml").write_text(NODE.format(council="E06000047", folder=census_folder))
    policy = (HERE / "risk-policy.toml").read_text(encoding="utf-8")
    (home / "risk-policy.toml").write_text(policy + EQUALITY, encoding="utf-8")
    config = load_config(home)
    create_key(config.key_file)
    run = score(config, census_plugins, load_policy(config.risk_policy), today=TODAY)
    with open_store(config.store_path, read_key(config.key_file)) as store:
        report = audit_equality(store, most=SAMPLE, progress=lambda *_: None)
    return config, run, report


def by_field(report):
    return {one.field: one for one in report.figures}, {one.field: one for one in report.proxy}


def test_they_are_read_for_the_audit_and_not_scored_nor_counted(audited):
    _, run, report = audited
    assert set(run.audited) == {"ethnic_group", "religion", "age_group"}
    assert report.not_held == ("sexual_orientation",)
    assert set(run.attributes) == {"band", "age_group", "region"}
    assert not {"ethnic_group", "religion"} & set(run.protected_inputs)


def test_shares_of_bands_are_those_of_the_file(audited, census_people):
    _, _, report = audited
    figures, _ = by_field(report)
    religions = CODES["religion"]
    exact = Counter(
        (religions[int(person["Religion"]) - 1], band_by_hand(person))
        for person in census_people.values()
        if person["Religion"] != "-9"
    )
    unknown = sum(person["Religion"] == "-9" for person in census_people.values())
    shown = {group.group: group for group in figures["religion"].groups}
    assert set(shown) == {*religions, "not known"}
    assert shown["not known"].households == unknown
    for religion in religions:
        total = sum(exact[religion, band] for band in ("none", "low", "medium", "high"))
        assert shown[religion].households == total
        for band in shown[religion].bands:
            assert band.share == exact[religion, band.band] / total
            assert band.interval.low <= band.share <= band.interval.high


def test_codes_are_taken_together(audited, census_people):
    _, _, report = audited
    figures, _ = by_field(report)
    [group] = [g for g in figures["ethnic_group"].groups if g.group == "black_or_mixed"]
    ethnic = Counter(person["Ethnic Group"] for person in census_people.values())
    assert group.households == ethnic["2"] + ethnic["4"]


def test_inputs_say_something_of_age_and_less_of_ethnic_group(audited):
    _, _, report = audited
    _, proxy = by_field(report)
    largest = {field: max(group.auc for group in one.groups) for field, one in proxy.items()}
    assert largest["age_group"] > 0.9
    assert 0.55 < largest["ethnic_group"] < largest["religion"] < largest["age_group"]
    assert {one.field for one in proxy["age_group"].carriers} >= {"economic_activity"}
    assert proxy["age_group"].skill > proxy["religion"].skill > 0
