"""One date judged: figures by hand, who is left out, and what too few events do not show."""

from __future__ import annotations

import dataclasses
import datetime
import json

import numpy as np
import pytest

from folkmoot_node.evaluation.measures.judge import judge
from folkmoot_node.evaluation.measures.summary import summarise
from folkmoot_node.evaluation.snapshot import Groups, Happened, Snapshot
from tests.evaluation_snapshots import evaluation_of, in_points, snapshot_of, thousandths

DATE = datetime.date(2025, 1, 1)
UNTIL = datetime.date(2025, 7, 1)


def days(given) -> np.ndarray:
    return np.array([np.datetime64("NaT") if one is None else np.datetime64(DATE) + one
                     for one in given], dtype="datetime64[D]")  # fmt: skip


def small(points, event, *, ended=None, before=None, gone=None, group=None, ranks=None) -> Snapshot:
    """A council of one factor for each column of points."""
    points = np.array(points, dtype=np.float64)
    score = np.nansum(points, axis=1)
    count = len(points)
    return Snapshot(
        date=DATE,
        uprn=np.arange(count, dtype=np.int64),
        score=score,
        band=(score >= 5).astype(np.uint8),
        bands=("low", "high"),
        band_from=np.array([0.0, 5.0]),
        factors=tuple("ab"[: points.shape[1]]),
        weights=np.full(points.shape[1], 10.0),
        points=thousandths(points),
        happened={
            "homeless": Happened(
                "homeless", 6, UNTIL, days(event),
                np.zeros(count, dtype=bool) if before is None else np.array(before),
                days([None] * count if ended is None else ended),
                np.zeros(count, dtype=bool) if gone is None else np.array(gone),
            )
        },
        groups=() if group is None else (Groups("race", "race", ("x", "y", "z"), group),),
        ranks={name: np.array(rank, dtype=np.float64) for name, rank in (ranks or {}).items()},
        left_out={"council_tax": 4},
        undated=(),
    )  # fmt: skip


def ask(snapshot, **changes):
    baselines = {"oldest_first": [name for name in snapshot.ranks if name != "imd"]}
    if "imd" in snapshot.ranks:
        baselines["deprivation"] = "imd"
    asked = {"capacity": [4], "smallest": 3, "baselines": baselines, **changes}
    return evaluation_of([snapshot], **asked)


def outcome(snapshot, **changes):
    return judge(snapshot, ask(snapshot, **changes)).outcomes[0]


TEN = [[9], [8], [7], [6], [4], [4], [3], [2], [1], [0]]
EVENTS = [10, None, 20, None, 30, None, None, None, None, None]


def test_figures_by_hand() -> None:
    found = outcome(small(TEN, EVENTS))
    assert (found.events.hits, found.events.of, found.events.share) == (3, 10, 0.3)
    figures = found.figures
    # Pairs of an event and none: 7 + 6 + 4.5 of 21.
    assert figures.ranking.auc == pytest.approx(17.5 / 21)
    assert figures.ranking.average_precision == pytest.approx((1 / 1 + 2 / 3 + 3 / 6) / 3)
    low, high = figures.bands
    assert (low.names, low.lowest, low.highest, low.households) == (("low",), 0, 4, 6)
    assert (high.events.hits, high.events.of) == (2, 4)
    assert figures.is_ascending
    (at,) = figures.at
    assert (at.visited, at.from_score, at.tied, at.drawn) == (4, 6, 1, 1)
    assert (at.precision.hits, at.precision.of) == (2, 4)
    assert at.recall.share == pytest.approx(2 / 3)
    assert at.lift == pytest.approx(2 / 3 / 0.4)


def test_a_tie_at_the_cut_is_shared() -> None:
    (at,) = outcome(small(TEN, EVENTS), capacity=[5]).figures.at
    assert (at.tied, at.drawn) == (2, 1)
    assert at.recall.hits == 2.5
    assert at.precision.share == pytest.approx(2.5 / 5)


def test_intervals_are_those_of_wilson() -> None:
    found = outcome(small(TEN, EVENTS)).events.interval
    assert (found.low, found.high) == pytest.approx((0.1078, 0.6032), abs=1e-4)


def test_households_lost_from_sight_are_in_no_share_but_in_the_bounds() -> None:
    ended = [None, 5, None, None, None, None, None, None, None, 7]
    found = outcome(small(TEN, EVENTS, ended=ended))
    assert (found.households, found.lost, found.events.of) == (10, 2, 8)
    assert (found.event_bounds.low, found.event_bounds.high) == (0.3, 0.5)
    (at,) = found.figures.at
    assert at.visited == 4
    assert (at.precision.hits, at.precision.of) == (2, 3)
    assert (at.precision_bounds.low, at.precision_bounds.high) == (2 / 4, 3 / 4)
    # Only the other one had it, and only the visited one had it.
    assert (at.recall_bounds.low, at.recall_bounds.high) == (2 / 4, 3 / 4)
    assert any("2 households were lost" in note for note in found.notes)


def test_visits_to_households_that_are_all_lost_from_sight_have_no_precision() -> None:
    snapshot = small(TEN, [None, 10, 20, None, 30] + [None] * 5, ended=[5] + [None] * 9)
    file = ask(snapshot, capacity=[1])
    judged = judge(snapshot, file)
    (at,) = judged.outcomes[0].figures.at
    assert (at.precision, at.recall.share) == (None, 0)
    (over,) = summarise([judged], file).outcomes
    assert [one.figure for one in over.figures] == [
        "share of events", "AUC", "average precision", "recall",
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "events", "lost"), [(9, 2, 1), (10, 3, 0), (11, 3, 0)])
def test_an_event_after_a_household_left_is_of_another(day, events, lost) -> None:
    found = outcome(small(TEN, EVENTS, ended=[day] + [None] * 9), smallest=3)
    assert found.lost == lost
    assert (found.events is None) == (events < 3)


def test_households_with_an_earlier_event_are_left_out_where_asked() -> None:
    before = [False, True] + [False] * 8
    snapshot = small(TEN, EVENTS, before=before)
    assert outcome(snapshot).before is None
    found = outcome(snapshot, outcome={"repeated": False})
    assert (found.before, found.households, found.events.of) == (1, 9, 9)
    (at,) = found.figures.at
    assert (at.from_score, at.recall.hits) == (4, 2.5)  # the fourth place falls among two of 4


def test_households_that_had_left_before_the_date_are_in_no_figure() -> None:
    """Also where events of theirs are recorded: these are of who lives there now."""
    gone = [True, False] * 5
    stay = [at for at, left in enumerate(gone) if not left]
    for repeated in (True, False):
        asked = {"outcome": {"repeated": repeated}, "smallest": 3, "capacity": [2]}
        events = [1, 2, 3, 4, None, 6] + [None] * 4
        before = [False, True] * 2 + [True] * 2 + [False] * 4
        whole = small(TEN, events, before=before, gone=gone)
        part = small(
            [TEN[at] for at in stay],
            [events[at] for at in stay],
            before=[before[at] for at in stay],
        )
        found, alone = outcome(whole, **asked), outcome(part, **asked)
        assert (found.gone, alone.gone) == (5, 0)
        assert (found.before, found.lost) == (alone.before, alone.lost)
        assert (found.households, found.events) == (alone.households, alone.events)
        assert found.figures == alone.figures


def test_baselines_by_hand() -> None:
    ranks = {
        "age": [1, 2, 3, np.nan, 9, 8, np.nan, np.nan, 7, 6],
        "imd": [9, 8, 7, 6, 1, 2, 3, 4, 5, 10],
    }
    random, oldest, deprived, single = outcome(small(TEN, EVENTS, ranks=ranks)).figures.baselines
    assert (random.kind, random.auc, random.at[0].recall.share) == ("random", 0.5, 0.4)
    assert random.at[0].precision.share == 0.3
    assert random.at[0].gain == pytest.approx(2 / 3 - 0.4)
    assert (oldest.kind, oldest.unknown) == ("oldest first", 3)
    assert oldest.at[0].recall.hits == 1  # 9, 8, 7, 6
    assert (deprived.kind, deprived.at[0].recall.hits) == ("deprivation", 1)  # 1, 2, 3, 4
    assert (single.kind, single.name) == ("factor", "a")
    assert single.at[0].gain == 0
    assert single.auc == pytest.approx(17.5 / 21)
    assert oldest.at[0].more_found == 1
    assert oldest.at[0].gain_interval.low <= oldest.at[0].gain <= oldest.at[0].gain_interval.high


def test_deprivation_may_be_a_score_instead_of_a_rank() -> None:
    snapshot = small(TEN, EVENTS, ranks={"imd": range(10)})
    file = ask(snapshot)
    turned = file.baselines.model_copy(update={"deprivation_is_rank": False})
    for baselines, hits in ((file.baselines, 2), (turned, 0)):
        judged = judge(snapshot, file.model_copy(update={"baselines": baselines}))
        assert judged.outcomes[0].figures.baselines[1].at[0].recall.hits == hits


@pytest.mark.parametrize("times", [0.0, 0.75, 1.25])
def test_another_weight_gives_what_scoring_with_it_would(times) -> None:
    snapshot, _ = snapshot_of(3000, factors=4)
    figures = judge(snapshot, evaluation_of([snapshot])).outcomes[0].figures
    for at, factor in enumerate(snapshot.factors):
        points = in_points(snapshot)
        points[:, at] = np.rint(points[:, at] * times * 1000) / 1000
        other = dataclasses.replace(
            snapshot, points=thousandths(points), score=np.nansum(points, axis=1)
        )
        directly = judge(other, evaluation_of([other])).outcomes[0].figures
        (found,) = [one for one in figures.weights if (one.factor, one.times) == (factor, times)]
        # A quarter of a contribution is rounded by itself: a thousandth may differ.
        assert found.auc == pytest.approx(directly.ranking.auc, abs=2e-4)
        assert found.auc_change == pytest.approx(found.auc - figures.ranking.auc)
        assert found.auc_interval.low < found.auc_change < found.auc_interval.high
        for mine, theirs in zip(found.at, directly.at, strict=True):
            assert mine.recall == pytest.approx(theirs.recall.share, abs=0.01)
            assert mine.change_interval.low <= mine.change <= mine.change_interval.high


def test_who_is_replaced_is_counted() -> None:
    points = [[9, 0], [8, 0], [0, 7], [0, 6], [0, 5], [4, 0], [3, 0], [2, 0], [1, 0], [0, 0]]
    found = outcome(small(points, EVENTS))
    changed = {(one.factor, one.times): one.at[0].replaced for one in found.figures.weights}
    assert changed["a", 0.0] == pytest.approx(1 - (2 + 2 / 7) / 4)  # a draw among seven
    assert changed["b", 0.0] == pytest.approx(0.5)  # 9, 8 stay; 4 and 3 come for 7 and 6
    assert changed["b", 1.25] == 0


def test_unknown_factors_are_set_apart() -> None:
    snapshot, _ = snapshot_of(4000, unknown=0.1)
    figures = judge(snapshot, evaluation_of([snapshot])).outcomes[0].figures
    known, unknown = figures.completeness.groups
    assert (known.group, unknown.group) == ("all factors known", "some factor not known")
    observed = np.isnat(snapshot.happened["homeless"].ended) | ~np.isnat(
        snapshot.happened["homeless"].first
    )
    some = np.isnan(in_points(snapshot))
    assert unknown.households == np.count_nonzero(some.any(axis=1) & observed)
    for at, one in enumerate(figures.known):
        assert one.unknown.of == np.count_nonzero(some[:, at] & observed)
        assert one.known.of + one.unknown.of == observed.sum()
        event = ~np.isnat(snapshot.happened["homeless"].first)
        assert one.known.hits == np.count_nonzero(~some[:, at] & event)


def test_few_households_with_an_unknown_factor_are_not_shown_nor_the_others() -> None:
    points = [[9], [8], [7], [6], [4], [4], [3], [2], [1], [np.nan]]
    (one,) = outcome(small(points, EVENTS)).figures.known
    assert (one.known, one.unknown) == (None, None)


def test_groups_by_hand() -> None:
    score = [[9]] * 10 + [[1]] * 10
    group = np.array(([0] * 4 + [1] * 6) * 2, dtype=np.uint8)
    event = [1, 1, None, None] + [1] * 3 + [None] * 3 + [1, None, None, None] + [1, 1] + [None] * 4
    (judged,) = outcome(small(score, event, group=group), capacity=[10]).figures.groups
    x, y = judged.groups
    assert (x.group, x.households, x.events.hits) == ("x", 8, 3)
    assert (y.households, y.events.hits) == (12, 5)
    # Mantel and Haenszel by score: (2*6 + 1*6) / 10 over (3*4 + 2*4) / 10.
    assert x.ratio == pytest.approx(18 / 20)
    assert y.ratio == pytest.approx(20 / 18)
    assert x.ratio_interval.low < x.ratio < x.ratio_interval.high
    (at,) = x.at
    assert (at.selected.share.hits, at.selected.share.of) == (4, 8)
    assert (at.missed.share.hits, at.missed.share.of) == (1, 3)
    assert at.selected.difference == 0
    assert at.missed.difference == pytest.approx(1 / 3 - 2 / 5)
    assert [row.households for row in x.bands] == [4, 4]


def test_small_groups_are_taken_together_or_named_without_figures() -> None:
    snapshot, truth = snapshot_of(3000)
    few = truth.group.copy()
    few[np.flatnonzero(few == 2)[20:]] = 0
    names = ("heron", "kite", "wren")

    def groups_of(index):
        given = dataclasses.replace(snapshot, groups=(Groups("race", "race", names, index),))
        return judge(given, evaluation_of([given])).outcomes[0].figures.groups[0]

    judged = groups_of(few)
    assert [one.group for one in judged.groups] == ["heron", "kite + wren"]
    assert judged.together == ("kite + wren",)
    few[few == 1] = 0
    judged = groups_of(few)  # "heron + wren" would be everybody
    assert [one.group for one in judged.groups] == []
    assert (judged.together, judged.too_small) == ((), ("wren",))
    only = np.where(few == 2, 2, 3).astype(np.uint8)  # nobody else's group is known
    judged = groups_of(only)
    assert [one.group for one in judged.groups] == ["not known"]
    assert judged.too_small == ("wren",)


def test_no_row_of_bands_is_of_few_households() -> None:
    snapshot, _ = snapshot_of(1000, rate=0.1)
    figures = judge(snapshot, evaluation_of([snapshot], smallest=50)).outcomes[0].figures
    every = [figures.bands, figures.tenths]
    every += [one.bands for group in figures.groups for one in group.groups]
    assert any(len(row.names) > 1 for shown in every for row in shown)
    for shown in every:
        assert all(row.households >= 50 for row in shown)
    assert sum(row.households for row in figures.tenths) == sum(
        row.households for row in figures.bands
    )


def test_equal_scores_stay_in_one_tenth() -> None:
    snapshot = small([[0]] * 60 + [[9]] * 40, [1 if at % 3 else None for at in range(100)])
    low, high = outcome(snapshot).figures.tenths
    assert (low.names, low.households, high.names, high.households) == (("4",), 60, ("9",), 40)


@pytest.mark.parametrize("events", [0, 1, 9])
def test_too_few_events_show_no_figure(events) -> None:
    snapshot = small(TEN * 5, [1] * events + [None] * (50 - events))
    found = outcome(snapshot, smallest=10)
    assert (found.events, found.event_bounds, found.figures) == (None, None, None)
    assert "fewer than 10 households had the event" in found.notes[0]
    assert str(events) not in json.dumps(dataclasses.asdict(found)["notes"]).replace("10", "")


def test_a_date_without_households_shows_no_figure() -> None:
    snapshot = small(np.empty((0, 2)), [], group=np.empty(0, dtype=np.uint8))
    file = ask(snapshot)
    judged = judge(snapshot, file)
    assert (judged.households, judged.bands) == (0, {"low": 0, "high": 0})
    assert judged.outcomes[0].figures is None
    assert json.dumps(summarise([judged], file).as_json(), allow_nan=False)


def test_events_everywhere_show_no_figure() -> None:
    found = outcome(small(TEN * 5, [1] * 45 + [None] * 5), smallest=10)
    assert found.figures is None
    assert "without the event" in found.notes[0]


def test_a_capacity_above_all_households_says_so() -> None:
    found = outcome(small(TEN, EVENTS), capacity=[11])
    assert found.figures.at[0].visited == 10
    assert found.figures.at[0].recall.share == 1
    assert any("visits them all" in note for note in found.notes)


def test_the_order_of_rows_changes_nothing() -> None:
    snapshot, _ = snapshot_of(2000, seed=4)
    rows = np.random.default_rng(0).permutation(2000)
    happened = snapshot.happened["homeless"]
    mixed = dataclasses.replace(
        snapshot,
        uprn=snapshot.uprn[rows],
        score=snapshot.score[rows],
        band=snapshot.band[rows],
        points=np.asfortranarray(snapshot.points[rows]),
        happened={
            "homeless": dataclasses.replace(
                happened,
                first=happened.first[rows],
                before=happened.before[rows],
                ended=happened.ended[rows],
                gone=happened.gone[rows],
            )
        },
        groups=tuple(dataclasses.replace(one, index=one.index[rows]) for one in snapshot.groups),
        ranks={name: rank[rows] for name, rank in snapshot.ranks.items()},
    )
    file = evaluation_of([snapshot])
    assert judge(snapshot, file).as_json() == approximately(judge(mixed, file).as_json())


def approximately(value):
    """Sums of fractions depend on their order in the last digit."""
    if isinstance(value, dict):
        return {key: approximately(one) for key, one in value.items()}
    if isinstance(value, list):
        return [approximately(one) for one in value]
    return pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value


def test_a_judgement_does_not_depend_on_other_outcomes() -> None:
    one, _ = snapshot_of(1500)
    happened = one.happened["homeless"]
    two = dataclasses.replace(
        one, happened={"other": dataclasses.replace(happened, name="other"), "homeless": happened}
    )
    alone = judge(one, evaluation_of([one])).outcomes[0]
    assert judge(two, evaluation_of([two])).outcomes[1] == alone


def test_json_is_plain_and_holds_no_household() -> None:
    snapshot, _ = snapshot_of(1500)
    found = judge(snapshot, evaluation_of([snapshot])).as_json()
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert found["date"] == "2025-01-01"
    assert "uprn" not in text
