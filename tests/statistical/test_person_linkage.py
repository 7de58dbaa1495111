"""Precision and recall of linking people, on a rehearsal whose truth is known.

Pairs of a record and a household are judged. Precision: of the pairs that were linked, those that
are true. Recall: of the true ones whose person the other system knows, those that were linked.
The errors are those of `folkmoot_rehearsal.misspelling`: CAREFUL where people live, MIDDLING in
the records.

Limits lie under the measured shares by at least four standard errors, so that a change of the
generator's stream does not fail a test by chance more than once in 30,000; seeds are fixed all the
same. The measured figures stand in docs/linkage.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pytest
from scipy import stats

from folkmoot_node.linkage.people import OUTCOME, PersonLinks
from folkmoot_node.settings.people import PersonRules
from tests.linked import link_people
from tests.rehearsed_people import TODAY, RehearsedPeople, rehearse

pytestmark = pytest.mark.slow

HOUSEHOLDS = 12_000


@dataclass(frozen=True)
class Judged:
    """Counts of pairs."""

    linked: int
    right: int
    true: int

    @property
    def precision(self) -> float:
        return self.right / self.linked

    @property
    def recall(self) -> float:
        return self.right / self.true

    def surely(self) -> tuple[float, float]:
        """Lower ends of the exact 95 % intervals of precision and recall."""
        ends = [
            stats.binomtest(self.right, of).proportion_ci(0.95, method="exact").low
            for of in (self.linked, self.true)
        ]
        return ends[0], ends[1]


@pytest.fixture(scope="module")
def council() -> RehearsedPeople:
    return rehearse(HOUSEHOLDS, 11)


def judged(council: RehearsedPeople, links: PersonLinks) -> Judged:
    right = links.households.join(council.truth, on=["record", "uprn"], how="semi").height
    return Judged(links.households.height, right, council.truth.height)


def test_names_dates_and_postcodes(council):
    links = link_people(council.records, council.known, PersonRules(reference_date=TODAY))
    found = judged(council, links)
    print(found, found.precision, found.recall, found.surely())
    precision, recall = found.surely()
    assert precision >= 0.995
    assert recall >= 0.92


def test_with_agreement_estimated_from_the_records(council):
    rules = PersonRules(reference_date=TODAY, estimate=True)
    found = judged(council, link_people(council.records, council.known, rules))
    print(found, found.precision, found.recall, found.surely())
    precision, recall = found.surely()
    assert precision >= 0.99
    assert recall >= 0.93


def test_with_nhs_numbers(council):
    rules = PersonRules(reference_date=TODAY, nhs_numbers=True)
    found = judged(council, link_people(council.records, council.known, rules))
    print(found, found.precision, found.recall, found.surely())
    precision, recall = found.surely()
    assert precision >= 0.995
    assert recall >= 0.97


def test_what_is_linked_wrongly_is_an_earlier_home_or_a_stranger(council):
    """Nearly all wrong pairs have the right person, whose present home nobody recorded."""
    links = link_people(council.records, council.known, PersonRules(reference_date=TODAY))
    wrong = links.households.join(council.truth, on=["record", "uprn"], how="anti")
    whose = wrong.join(council.records.select("record", "person"), on="record")
    earlier = whose.join(council.known, on=["person", "uprn"], how="semi").height
    print(wrong.height, earlier)
    others = wrong.height - earlier
    assert others / links.households.height <= 0.001


def test_people_of_elsewhere_are_not_linked(council):
    links = link_people(council.records, council.known, PersonRules(reference_date=TODAY))
    strangers = council.records.filter(pl.col("person") == -1)
    linked = links.outcomes.join(strangers, on="record").filter(pl.col(OUTCOME) == "linked")
    print(strangers.height, linked.height)
    assert stats.binomtest(linked.height, strangers.height).proportion_ci(0.95).high <= 0.008


def test_raising_the_threshold_buys_precision_with_recall(council):
    at = {
        accept: judged(
            council,
            link_people(
                council.records, council.known, PersonRules(accept=accept, reference_date=TODAY)
            ),
        )
        for accept in (0.8, 0.99, 0.9999)
    }
    for found in at.values():
        print(found, found.precision, found.recall)
    assert at[0.8].recall > at[0.99].recall > at[0.9999].recall
    assert at[0.8].precision < at[0.99].precision <= at[0.9999].precision


def test_random_pairing_fails_these_limits(council):
    """The judge is not blind: households dealt out at random are not precise."""
    links = link_people(council.records, council.known, PersonRules(reference_date=TODAY))
    dealt = links.households.with_columns(pl.col("uprn").shuffle(seed=1))
    right = dealt.join(council.truth, on=["record", "uprn"], how="semi").height
    assert right / dealt.height < 0.01
