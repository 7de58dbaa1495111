"""Trafford drawn from its Census 2021 tables and scored, beside the Indices of Deprivation.

The rank correlation says how far a score made of the households' own records agrees with
what is published about their neighbourhoods. It is a figure to understand, not to tune: no
factor reads the Indices here.
"""

from __future__ import annotations

import datetime

import polars as pl
import pytest
from scipy import stats

from folkmoot_node.pipeline.local import score
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import create_key, read_key
from folkmoot_node.store.reader import open_store
from folkmoot_rehearsal import policies, synthesis
from folkmoot_rehearsal.census import Census
from folkmoot_rehearsal.councils import region
from folkmoot_sdk.loading import load

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

TODAY = datetime.date(2026, 11, 23)
TRAFFORD = region(10)[8]
HOUSEHOLDS = 95_000
IMD = "greater_manchester/imd2025_england_lsoa21.csv.gz"
NODE = """
schema = 1
council = "E08000009"
name = "Trafford"
[scoring]
frame = "{frame}"
{sources}
[[sources]]
name = "deprivation"
kind = "indices_of_deprivation"
area_field = "lsoa"
[sources.options]
file = "{imd}"
"""
DECILE = """
[attributes.imd_decile]
field = "imd_decile"
breaks = [2, 3, 4, 5, 6, 7, 8, 9, 10]
"""


@pytest.fixture(scope="module")
def scored(public_data, tmp_path_factory):
    """The run, and each household's band, LSOA and decile."""
    home = tmp_path_factory.mktemp("trafford")
    census = Census(public_data / "greater_manchester")
    recipe = synthesis.Recipe(households=HOUSEHOLDS, seed=7, today=TODAY, census=census)
    written = synthesis.write(TRAFFORD, recipe, home, home / "truth")
    sources = policies.node_sources(written.sources)
    text = NODE.format(frame=policies.FRAME, sources=sources, imd=public_data / IMD)
    (home / "node.toml").write_text(text)
    (home / "risk-policy.toml").write_text(policies.risk_policy(TODAY) + DECILE)
    config = load_config(home)
    create_key(config.key_file)
    policy = load_policy(config.risk_policy)
    run = score(config, load(), policy, today=TODAY)
    with open_store(config.store_path, read_key(config.key_file)) as store:
        households = store.households(policy.band_names)
    return run, written, households


@pytest.fixture(scope="module")
def indices(public_data):
    table = pl.read_csv(public_data / IMD, columns=["lsoa21_code", "IMD_rank", "IMD_decile"])
    return table.rename({"lsoa21_code": "lsoa"})


def test_every_household_has_the_decile_of_its_lsoa(scored, indices):
    run, written, households = scored
    joined = households.filter(pl.col("lsoa") != "").join(indices, on="lsoa", how="left")
    assert joined["IMD_rank"].null_count() == 0
    decile = joined["IMD_decile"].cast(pl.Int64)
    expected = (
        pl.when(decile == 1)
        .then(pl.lit("under_2"))
        .when(decile == 10)
        .then(pl.lit("10_over"))
        .otherwise(decile.cast(pl.String))
    )
    assert (joined["imd_decile"] == joined.select(expected).to_series()).all()
    deprivation = next(source for source in run.sources if source.name == "deprivation")
    assert (deprivation.records, deprivation.rejected) == (33_755, 0)
    assert deprivation.linked == len(written.lsoas) == 139


def test_the_share_in_the_top_band_goes_with_deprivation(scored, indices, record_property, capsys):
    run, written, households = scored
    top = run.band_names[-1]
    share = (
        households.filter(pl.col("lsoa") != "")
        .group_by("lsoa")
        .agg((pl.col("band") == top).mean().alias("share"), pl.len())
        .join(indices, on="lsoa")
    )
    assert set(share["lsoa"]) == set(written.lsoas)
    found = stats.spearmanr(share["share"], share["IMD_rank"])
    record_property("spearman_top_band_share_by_imd_2025_rank", float(found.statistic))
    with capsys.disabled():
        print(
            f"\nTrafford, {run.households:,} households in {share.height} LSOAs: Spearman rank "
            f"correlation of the share in band {top!r} with IMD 2025 rank "
            f"{found.statistic:.3f} (p = {found.pvalue:.1g})"
        )
    # Rank 1 is the most deprived, so that agreement is a negative correlation.
    assert -1 <= found.statistic < 0
    assert found.pvalue < 0.01
