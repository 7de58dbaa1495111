"""Figures behind the pages: one source of numbers, and what areas of one council share."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.publication.named_sums import estimates
from folkmoot_coordinator.publication.published_round import Published, PublishedRounds
from folkmoot_coordinator.publication.round_files import long_table
from folkmoot_coordinator.publication.round_result import round_result
from folkmoot_coordinator.publication.sum_file import CellEntry, Expression
from folkmoot_coordinator.rounds.withdrawal import reinstate, withdraw
from folkmoot_coordinator.viewer.comparing import compare_areas
from folkmoot_coordinator.viewer.figures import Figures, figures
from folkmoot_coordinator.viewer.maps import class_labels
from folkmoot_coordinator.viewer.selection import select
from folkmoot_coordinator.viewer.sentences import lead
from folkmoot_coordinator.viewer.words import capital, percent, signed, whole
from tests.viewer_region import (
    BANDS,
    BOLTON,
    BURY,
    NAMES,
    REGION,
    ViewerRegion,
    households,
    viewer_region,
)


@pytest.fixture
def rounds(region: ViewerRegion) -> PublishedRounds:
    return PublishedRounds(region.database, REGION, NAMES)


def of(published: Published, which: str = "band.lsoa", **asked: str) -> Figures:
    return figures(published, select(published, which, asked))


def test_pages_have_the_numbers_of_the_export(
    region: ViewerRegion, rounds: PublishedRounds
) -> None:
    published = rounds.find(region.id("winter"))
    exported = pl.concat(list(published.table().pieces()))
    also = round_result(region.database, REGION, region.id("winter"), NAMES)
    assert exported.equals(pl.concat(list(long_table(also).pieces())))
    for band in ("low", "medium", "high"):
        found = of(published, band=band)
        rows = exported.filter(
            pl.col("level") == "region", pl.col("marginal") == "band*lsoa", pl.col("band") == band
        )
        by_code = {row["lsoa"]: row for row in rows.to_dicts()}
        assert set(by_code) == set(found.codes)
        for at, code in enumerate(found.codes):
            row = by_code[code]
            assert found.value[at] == row["value"]
            assert found.standard_error[at] == row["standard_error"]
            assert (found.lower[at], found.upper[at]) == (row["lower"], row["upper"])
            assert found.reliability[at].value == row["reliability"]
    districts = of(published, "band", band="high")
    rows = exported.filter(
        pl.col("level") == "council", pl.col("marginal") == "band", pl.col("band") == "high"
    )
    assert dict(zip(districts.codes, districts.value.tolist(), strict=True)) == {
        row["place"]: row["value"] for row in rows.to_dicts()
    }


@pytest.mark.parametrize(("name", "measure"), [("winter", ""), ("series 3", "cumulative"),
                                               ("series 3", "new")])  # fmt: skip
def test_areas_of_one_council_share_noise(
    region: ViewerRegion, rounds: PublishedRounds, name: str, measure: str
) -> None:
    """Differences have the errors that named sums of the same cells have."""
    published = rounds.find(region.id(name))
    found = of(published, band="high", measure=measure)
    assert found.covariance is not None
    pairs = [(0, 1), (0, 11), (3, 7), (12, 19), (0, 12), (5, 29)]
    month = None if not measure else str(published.latest.month)
    for first, second in pairs:
        one, other = (
            CellEntry(
                "test",
                {"band": ("high",), "lsoa": (found.codes[at],)},
                month=month,
                measure=measure or None,
            )
            for at in (first, second)
        )
        [difference] = estimates(published.releases(), [Expression("d", (one,), (other,), ())])
        variance = (
            found.variance[first]
            + found.variance[second]
            - 2 * found.covariance.pair(first, second)
        )
        assert np.sqrt(variance) == pytest.approx(difference.interval.standard_error, rel=1e-9)
        assert found.value[first] - found.value[second] == pytest.approx(difference.interval.value)
    whole = np.concatenate([found.covariance[rows] for rows in (slice(0, 9), slice(9, 99))])
    assert np.array_equal(whole, whole.T)
    assert whole[0, 29] == 0, "councils add noise by themselves"
    assert whole[0, 1] == found.covariance.pair(0, 1) != 0
    assert np.array_equal(np.diag(whole), found.variance)
    assert found.covariance.pair(3, 3) == found.variance[3]


def test_two_areas_whose_figures_are_equal_are_not_called_different(
    region: ViewerRegion, rounds: PublishedRounds
) -> None:
    found = of(rounds.find(region.id("winter")), band="high")
    order = found.descending
    near = compare_areas(found, order[10], order[11])
    far = compare_areas(found, order[0], order[-1])
    assert near.answer.startswith("The noise is too large")
    assert far.answer == (f"Yes: {found.names[order[0]]} has more than {found.names[order[-1]]}.")
    assert compare_areas(found, order[-1], order[0]).answer == far.answer


def test_results_are_kept_in_memory_and_withdrawal_is_read_each_time(
    region: ViewerRegion, rounds: PublishedRounds
) -> None:
    round_id = region.id("earlier")
    first = rounds.find(round_id)
    assert rounds.find(round_id).statistics() is first.statistics()
    assert first.withdrawn is None
    withdraw(region.database, round_id, "A test", region.clock(), "test")
    try:
        second = rounds.find(round_id)
        assert second.withdrawn == "withdrawn on 15 February 2028: A test"
        assert second.digest != first.digest
        assert second.statistics() is first.statistics()
        assert second.metadata()["withdrawn"]["reason"] == "A test"
    finally:
        reinstate(region.database, round_id, "A test", region.clock(), "test")
    assert rounds.find(round_id).digest == first.digest


def test_a_series_is_wrong_from_the_round_that_was_withdrawn(
    region: ViewerRegion, rounds: PublishedRounds
) -> None:
    last, first = region.id("series 3"), region.id("series 1")
    assert rounds.find(last).withdrawn is None
    withdraw(region.database, first, "A test", region.clock(), "test")
    try:
        found = rounds.find(last).withdrawn
        assert found is not None
        assert found.startswith("withdrawn with round 1 of its series on ")
    finally:
        reinstate(region.database, first, "A test", region.clock(), "test")
    assert rounds.find(last).withdrawn is None


def test_few_results_are_kept(region: ViewerRegion) -> None:
    rounds = PublishedRounds(region.database, REGION, NAMES, most=1)
    first = rounds.find(region.id("winter")).statistics()
    rounds.find(region.id("earlier"))
    assert rounds.find(region.id("winter")).statistics() is not first


def test_areas_of_councils_that_did_not_release_are_missing(
    region: ViewerRegion, rounds: PublishedRounds
) -> None:
    found = of(rounds.find(region.id("partial")), band="high")
    assert set(found.missing) == set(region.areas[GssCode("E08000009")])
    assert found.total is not None
    assert found.total.value == pytest.approx(float(found.value.sum()))


@pytest.mark.parametrize(
    ("value", "said"), [(0.4, "0"), (-0.4, "0"), (1234.5, "1,235"), (-3.2, "\N{MINUS SIGN}3")]
)
def test_whole_households(value: float, said: str) -> None:
    assert whole(value) == said


def test_numbers_in_words() -> None:
    assert [signed(one) for one in (3.2, 0.2, -2.0)] == ["+3", "0", "\N{MINUS SIGN}2"]
    assert [percent(one) for one in (1.0, 0.994, 0.5, 0.0)] == [
        "over 99%", "99%", "50%", "under 1%"
    ]  # fmt: skip
    assert class_labels([-5.0, 10.0, 1500.0]) == (
        "Under \N{MINUS SIGN}5", "\N{MINUS SIGN}5 to under 10", "10 to under 1,500",
        "1,500 or more",
    )  # fmt: skip
    assert class_labels([]) == ("All areas",)


def test_areas_in_larger_ones_share_noise_by_where_they_lie(tmp_path: Path) -> None:
    """LSOAs in wards of one, two and five, of two councils: errors as named sums have them."""
    with viewer_region(tmp_path, {BOLTON: 8, BURY: 8}) as region:
        wards: dict[GssCode, tuple[str, ...]] = {}
        parents = {}
        for number, (council, codes) in enumerate(sorted(region.areas.items())):
            own = tuple(f"E050000{number}{ward}" for ward in range(3))
            wards[council] = own
            parents |= dict(zip(codes, [own[0], *[own[1]] * 2, *[own[2]] * 5], strict=True))
        workload = Workload(
            (
                Attribute("band", BANDS),
                Attribute("ward", by_council=wards),
                Attribute("lsoa", by_council=dict(region.areas), within="ward", parents=parents),
            ),
            (Marginal(("band", "lsoa")), Marginal(("band", "ward"), 3), Marginal(("band",), 9)),
        )
        stored = region.open("nested", region.question(workload=workload))
        for number, council in enumerate(sorted(region.areas)):
            region.release(stored, council, households(8, 0, number))
        published = PublishedRounds(region.database, REGION, NAMES).find(region.id("nested"))
        found = of(published, "band.lsoa", band="high")
        assert found.covariance is not None
        assert len(found.covariance.between) == 6, "as many groups as wards"
        for first, second in combinations(range(16), 2):
            one, other = (
                CellEntry("test", {"band": ("high",), "lsoa": (found.codes[at],)})
                for at in (first, second)
            )
            [difference] = estimates(published.releases(), [Expression("d", (one,), (other,), ())])
            both = found.covariance.pair(first, second)
            variance = found.variance[first] + found.variance[second] - 2 * both
            expected = difference.interval.standard_error
            assert np.sqrt(variance) == pytest.approx(expected, rel=1e-9), (first, second)


def test_an_address_without_codes_shows_the_highest_band_and_never_begins_with_unknown(
    region: ViewerRegion, rounds: PublishedRounds
) -> None:
    published = rounds.find(region.id("winter"))
    assert select(published, "band.lsoa", {}).cell == {"band": BANDS[-1]}
    tenure = Attribute("tenure", ("owned", "rented", "unknown"))
    workload = Workload((Attribute("band", BANDS), tenure), (Marginal(("band", "tenure")),))
    round_ = replace(published.round_, workload=workload)
    other = replace(published, stored=replace(published.stored, round_=round_))
    assert select(other, "band.tenure", {}).cell == {"band": BANDS[-1], "tenure": "owned"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ann@a.example has to", "ann@a.example has to"),
        ("one of ann@a.example", "One of ann@a.example"),
    ],
)
def test_an_email_address_begins_a_line_as_it_is(text: str, shown: str) -> None:
    assert capital(text) == shown


def test_no_area_is_said_to_have_the_most_where_its_rank_may_be_any(
    region: ViewerRegion, rounds: PublishedRounds
) -> None:
    published = rounds.find(region.id("winter"))
    chosen = select(published, "band.lsoa", {"band": "high"})
    found = figures(published, chosen)
    assert "has the largest estimate" in " ".join(lead(published, chosen, found))
    any_rank = (np.ones(len(found), dtype=np.int64), np.full(len(found), len(found)))
    found.__dict__["ranks"] = replace(found.ranks, best=any_rank[0], worst=any_rank[1])
    said = " ".join(lead(published, chosen, found))
    assert "has the largest estimate" not in said
    assert "The noise is too large to say which of the 30 LSOAs has the most households." in said
