"""Linkage by address is as right as is claimed, on typed addresses of which the truth is known.

10,000 records typed with the slips and rates of `folkmoot_rehearsal.typed_addresses`, against
10,000 homes. The lower ends of the 95 % intervals of recall and precision must be at least
0.95 and 0.99. The seed is fixed, so that the test does not fail by chance.
"""

from __future__ import annotations

import polars as pl
import pytest

from folkmoot_node.linkage.addresses import AddressLinks
from folkmoot_node.settings.linkage import AddressSettings
from tests.linked import link_addresses
from tests.rehearsed_addresses import RehearsedAddresses, accuracy, rehearse

RECALL, PRECISION = 0.95, 0.99


@pytest.fixture(scope="module")
def people() -> RehearsedAddresses:
    return rehearse(10_000, 10_000, seed=11)


@pytest.fixture(scope="module")
def links(people: RehearsedAddresses) -> AddressLinks:
    return link_addresses(people.records, people.homes, threads=2)


@pytest.mark.slow
def test_recall_and_precision(people, links, record_property):
    found = accuracy(links.records.select("record", "uprn"), people.truth)
    record_property("recall", found.recall)
    record_property("precision", found.precision)
    assert found.homes > 9_500
    assert found.recall_interval[0] >= RECALL, found
    assert found.precision_interval[0] >= PRECISION, found


@pytest.mark.slow
def test_a_house_without_its_flat_is_never_linked(people, links):
    houses = people.truth.filter(pl.col("says") == "house_only")
    assert houses.height > 50
    outcomes = links.records.join(houses, on="record", how="semi")["outcome"]
    assert set(outcomes) <= {"ambiguous", "unlinked"}
    assert (outcomes == "ambiguous").mean() > 0.75


@pytest.mark.slow
def test_places_elsewhere_are_hardly_ever_linked(people, links):
    elsewhere = people.truth.filter(pl.col("says") == "elsewhere")
    assert elsewhere.height > 100
    linked = links.records.join(elsewhere, on="record", how="semi")["uprn"]
    assert linked.drop_nulls().len() <= 0.02 * elsewhere.height


@pytest.mark.slow
def test_what_is_not_linked_is_mostly_shown_to_a_person(people, links):
    """The right home is among the candidates of most ambiguous records that name one."""
    homes = people.truth.filter(pl.col("says") == "home")
    waiting = links.records.filter(pl.col("outcome") == "ambiguous").join(homes, on="record")
    shown = links.candidates.join(
        homes, left_on=["record", "uprn"], right_on=["record", "true"], how="semi"
    )
    assert shown["record"].n_unique() >= 0.8 * waiting.height


@pytest.mark.slow
def test_the_measure_rejects_what_is_wrong(people, links):
    """Without thresholds and rules precision is below what is claimed."""
    best = links.candidates.filter(pl.col("rank") == 1).select("record", "uprn")
    taken = links.records.drop_nulls("uprn").select("record", "uprn")
    assert accuracy(pl.concat([taken, best]), people.truth).precision < PRECISION
    strict = AddressSettings(match_weight=60.0)
    few = link_addresses(people.records.head(2_000), people.homes, strict, threads=2)
    truth = people.truth.head(2_000)
    assert accuracy(few.records.select("record", "uprn"), truth).recall < RECALL
