"""Calibration on 47,000 real people: bad health as a stand-in for an outcome, by circumstances.

A census has no dates, so nothing is anticipated here: the question is whether figures and intervals
hold on people whom nobody has drawn. Regions stand for councils. Figures are printed to be
understood (`pytest -rP`), and nothing is tuned to them.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.measures.judge import judge
from folkmoot_node.evaluation.snapshot import Groups, Happened, Snapshot
from folkmoot_node.pipeline.local import score
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import create_key, read_key
from folkmoot_node.store.reader import open_store
from tests.evaluation_snapshots import thousandths
from tests.realdata.conftest import AGE_GROUPS, HERE, NODE, TODAY

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

WEIGHTS = {"out_of_work": 40, "low_social_grade": 25, "lone_parent": 10}
"""Circumstances of a household, of which none states health."""
BANDS = {"none": 0, "low": 10, "medium": 25, "high": 40}
OUTCOME = "bad_health"
BAD = {"4", "5"}
"""Codes of bad and very bad health."""
DAY = datetime.date(2011, 3, 27)
EVALUATION = EvaluationFile.model_validate(
    {
        "schema": 1,
        "name": "Bad health by circumstances",
        "dates": [DAY],
        "capacity": [1000, 5000],
        "outcomes": {OUTCOME: {"events": [OUTCOME], "months": 1}},
        "resamples": 200,
    }
)


@dataclass(frozen=True)
class Judged:
    """All adults of the samples, scored by a node; and by hand.

    Attributes:
        snapshot: Of all.
        region: Of each, shape (people,).
        points: By hand, shape (people,).
        bad: By hand, whether health is bad, shape (people,).
    """

    snapshot: Snapshot
    region: np.ndarray
    points: np.ndarray
    bad: np.ndarray

    def of(self, member: np.ndarray) -> Snapshot:
        """Some of them."""
        every, happened = self.snapshot, self.snapshot.happened[OUTCOME]
        some = {
            name: getattr(happened, name)[member] for name in ("first", "before", "ended", "gone")
        }
        columns = {
            name: getattr(every, name)[member] for name in ("uprn", "score", "band", "points")
        }
        return replace(
            every,
            **columns,
            happened={OUTCOME: replace(happened, **some)},
            groups=tuple(replace(one, index=one.index[member]) for one in every.groups),
        )


def points_by_hand(person: Mapping[str, str]) -> float:
    """The score of one person, straight from the ONS codes."""
    points = {"3": 40.0, "8": 20.0}.get(person["Economic Activity"], 0.0)
    points += 25 if person["Approximated Social Grade"] == "4" else 0
    return points + (10 if person["Family Composition"] in {"4", "5"} else 0)


@pytest.fixture(scope="module")
def judged(census_folder, census_people, census_plugins, tmp_path_factory) -> Judged:
    """All people scored as one council, of whom those of 16 or over are judged."""
    home = tmp_path_factory.mktemp("census-outcome") / "home"
    (home / "mappings").mkdir(parents=True)
    (home / "mappings" / "census.toml").write_bytes((HERE / "census.toml").read_bytes())
    (home / "node.toml").write_text(NODE.format(council="E06000047", folder=census_folder))
    head = 'schema = 1\nname = "Circumstances"\npurpose = "census_teaching"\nlegal_basis = "none"\n'
    factors = "".join(f'[[factors]]\nfactor = "{f}"\nweight = {w}\n' for f, w in WEIGHTS.items())
    bands = "".join(
        f'[[bands]]\nname = "{name}"\nfrom = {low}\naction = "none"\n'
        for name, low in BANDS.items()
    )
    (home / "risk-policy.toml").write_text(
        head + 'owner = "Test"\nsunset = 2099-12-31\n' + factors + bands
    )
    config = load_config(home)
    create_key(config.key_file)
    score(config, census_plugins, load_policy(config.risk_policy), today=TODAY)
    with open_store(config.store_path, read_key(config.key_file)) as store:
        points = {name: pl.col(f"points_{name}").replace(-1, None) / 1000 for name in WEIGHTS}
        details = pl.concat([part.select("uprn", **points) for part in store.details()])
        scored = store.households(list(BANDS)).join(details, on="uprn").sort("uprn")
    adults = {
        int(n): p for n, p in census_people.items() if p["Age"] != "1" and p["Health"] != "-9"
    }
    scored = scored.filter(pl.col("uprn").is_in(list(adults)))
    people = [adults[number] for number in scored["uprn"].to_list()]
    bad = np.array([person["Health"] in BAD for person in people])
    nothing = np.full(len(people), np.datetime64("NaT", "D"))
    until = DAY.replace(month=4)
    snapshot = Snapshot(
        date=DAY,
        uprn=scored["uprn"].to_numpy(),
        score=scored["score"].to_numpy(),
        band=np.array([list(BANDS).index(band) for band in scored["band"]], dtype=np.uint8),
        bands=tuple(BANDS),
        band_from=np.array(list(BANDS.values()), dtype=np.float64),
        factors=tuple(WEIGHTS),
        weights=np.array(list(WEIGHTS.values()), dtype=np.float64),
        points=thousandths(scored.select(list(WEIGHTS)).cast(pl.Float64).to_numpy()),
        happened={
            OUTCOME: Happened(
                OUTCOME,
                1,
                until,
                np.where(bad, np.datetime64(until), nothing),
                np.zeros(len(people), dtype=np.bool_),
                nothing,
                np.zeros(len(people), dtype=np.bool_),
            )
        },
        groups=(
            Groups(
                "age_group",
                "age",
                AGE_GROUPS,
                np.array([int(person["Age"]) - 1 for person in people], dtype=np.uint8),
            ),
        ),
        ranks={},
        left_out={},
        undated=("census",),
    )
    return Judged(
        snapshot,
        np.array([person["Region"] for person in people]),
        np.array([points_by_hand(person) for person in people]),
        bad,
    )


def figures_of(snapshot: Snapshot):
    [outcome] = judge(snapshot, EVALUATION).outcomes
    assert outcome.figures is not None
    return outcome.figures


def test_the_node_scores_as_one_does_by_hand(judged):
    assert judged.snapshot.households > 45_000
    assert np.array_equal(judged.snapshot.score, judged.points)


def test_calibration_by_band_is_what_one_counts(judged):
    figures = figures_of(judged.snapshot)
    low = list(BANDS.values())
    band = np.searchsorted(low, judged.points, side="right") - 1
    exact = Counter(zip(band.tolist(), judged.bad.tolist(), strict=True))
    shown = {row.names: row for row in figures.bands}
    for at, name in enumerate(BANDS):
        of = exact[at, True] + exact[at, False]
        row = shown[name,]
        assert (row.households, row.events.hits) == (of, exact[at, True])
        assert row.events.interval.low < exact[at, True] / of < row.events.interval.high
        print(f"{name}: {of:,} people, {row.events.share:.1%} in bad health")


def test_bands_out_of_order_are_said(judged):
    """Long-term sick people have 20 points, and worse health than most of those with more."""
    [outcome] = judge(judged.snapshot, EVALUATION).outcomes
    assert not outcome.figures.is_ascending
    assert any("falls from a band to a higher one" in note for note in outcome.notes)


def test_rank_figures_are_scikit_learns(judged):
    ranking = figures_of(judged.snapshot).ranking
    assert ranking.auc == pytest.approx(roc_auc_score(judged.bad, judged.points))
    assert ranking.average_precision == pytest.approx(
        average_precision_score(judged.bad, judged.points)
    )
    for value, interval in (
        (ranking.auc, ranking.auc_interval),
        (ranking.average_precision, ranking.average_precision_interval),
    ):
        assert interval.low < value < interval.high
        assert interval.high - interval.low < 0.03
    print(f"AUC {ranking.auc:.3f}, average precision {ranking.average_precision:.3f}")


def test_a_region_is_calibrated_like_samples_of_it(judged):
    """Intervals of samples of each region hold the region's share as often as they promise."""
    draw = np.random.default_rng(7)
    held = tried = 0
    for region in np.unique(judged.region):
        rows = np.flatnonzero(judged.region == region)
        whole = figures_of(judged.of(rows)).bands
        truth = {row.names: row.events.share for row in whole}
        for _ in range(20):
            # With replacement: the region stands for a population without end.
            sample = draw.choice(rows, size=len(rows) // 3)
            [outcome] = judge(judged.of(sample), EVALUATION).outcomes
            for row in outcome.figures.bands if outcome.figures else ():
                if 0 < truth.get(row.names, 0):
                    tried += 1
                    held += row.events.interval.low <= truth[row.names] <= row.events.interval.high
    print(f"{held} of {tried} intervals hold the share of the region")
    assert tried > 300
    assert 0.92 <= held / tried <= 0.98


def test_regions_differ_more_than_chance_and_the_report_shows_it(judged):
    """Ten councils with one policy: their shares by band, beside that of all together."""
    pooled = {row.names: row.events.share for row in figures_of(judged.snapshot).bands}
    agree, tried = 0, 0
    for region in np.unique(judged.region):
        [outcome] = judge(judged.of(judged.region == region), EVALUATION).outcomes
        assert outcome.figures is not None, region
        for row in outcome.figures.bands:
            if row.names in pooled:
                tried += 1
                agree += row.events.interval.low <= pooled[row.names] <= row.events.interval.high
        shares = [f"{'+'.join(r.names)} {r.events.share:.1%}" for r in outcome.figures.bands]
        print(region, ", ".join(shares), f"AUC {outcome.figures.ranking.auc:.3f}")
    print(f"{agree} of {tried} intervals of regions hold the share of all together")
    assert tried >= 30
    assert agree >= tried / 2


def test_a_score_without_age_says_too_little_of_the_old(judged):
    """Health falls with age, and the score does not know age: the ratio by group has to show it."""
    [age] = figures_of(judged.snapshot).groups
    ratio = {group.group: group for group in age.groups}
    print({name: round(group.ratio, 2) for name, group in ratio.items()})
    assert ratio["75_over"].ratio_interval.low > 1.5
    assert ratio["16_24"].ratio_interval.high < 0.7
    assert ratio["75_over"].at[0].missed.difference_interval.low > 0
