"""59,147 real people as ten councils, through the extracts plugin and mapping files alone."""

from __future__ import annotations

import pytest

from folkmoot_node.pipeline.local import score
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.binding import bind
from folkmoot_node.scoring.explain import explain
from folkmoot_node.sources.connect import connect
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import ProtectedCharacteristic
from tests.tables import count

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

BANDS = ("none", "low", "medium", "high")


def test_every_person_of_the_union_is_read_once(census_councils, census_people):
    assert len(census_people) == 59_147
    assert sum(council.summary.households for council in census_councils) == 59_147
    rows = sum(source.records for c in census_councils for source in c.summary.sources)
    assert rows == 60_000
    assert all(source.rejected == 0 for c in census_councils for source in c.summary.sources)


def test_counts_of_band_by_age_group_are_exact(census_councils):
    ages = census_councils[0].summary.attributes["age_group"]
    seen = set()
    for council in census_councils:
        config = council.config
        with open_store(config.store_path, read_key(config.key_file)) as store:
            codes = {"band": BANDS, "age_group": ages, "region": (council.region,)}
            cross, bands, region = count(
                store, codes, [("band", "age_group"), ("band",), ("region",)]
            )
        expected = [council.exact.get((band, age), 0) for band in BANDS for age in ages]
        assert cross.tolist() == expected
        assert region.tolist() == [council.summary.households]
        assert dict(zip(BANDS, bands.tolist(), strict=True)) == council.summary.bands
        seen |= {band for band, count in council.summary.bands.items() if count}
    assert seen == set(BANDS)


def test_only_the_columns_that_a_factor_or_attribute_needs_are_read(census_councils):
    [source] = census_councils[0].summary.sources
    assert set(source.fields) == {
        "general_health",
        "economic_activity",
        "family_composition",
        "social_grade",
        "age_group",
        "region",
    }
    assert [len(file.sha256) for file in source.files] == [64, 64]


@pytest.mark.parametrize(
    "factor,field,characteristic",
    [
        ("by_ethnic_group", "ethnic_group", ProtectedCharacteristic.RACE),
        ("by_religion", "religion", ProtectedCharacteristic.RELIGION),
    ],
)
def test_ethnic_group_and_religion_are_refused_as_scoring_inputs(
    census_councils, tmp_path, factor, field, characteristic
):
    council = census_councils[0]
    text = council.config.risk_policy.read_text(encoding="utf-8")
    path = tmp_path / "risk-policy.toml"
    path.write_text(text.replace('factor = "lone_parent"', f'factor = "{factor}"'))
    before = council.config.store_path.read_bytes()
    with pytest.raises(Problem) as raised:
        score(
            council.config, council.plugins, load_policy(path), today=council.summary.reference_date
        )
    assert raised.value.exit_code is ExitCode.SETTINGS
    assert f"'{field}'" in raised.value.problem
    assert characteristic.value in raised.value.problem
    assert council.config.store_path.read_bytes() == before


def test_age_is_counted_and_not_scored(census_councils):
    council = census_councils[0]
    connected = connect(council.config, council.plugins)
    binding = bind(council.policy, council.plugins, connected)
    assert binding.protected_attributes == {"age_group": ProtectedCharacteristic.AGE}
    assert binding.protected_inputs == {"general_health": ProtectedCharacteristic.DISABILITY}


def test_a_person_is_explained(census_councils, census_people):
    council = census_councils[0]
    number, person = next(
        (number, person)
        for number, person in census_people.items()
        if person["Region"] == council.region and person["Health"] == "5"
    )
    found = explain(council.config, council.plugins, council.policy, int(number))
    assert found.contributions[0].words == "general_health: very_bad."
    assert found.contributions[0].points == 40
    assert sum(c.points or 0 for c in found.contributions) == found.score
    assert {entry.source for entry in found.inputs} == {"census"}
    assert person["Person ID"] == number
