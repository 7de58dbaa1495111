"""Series at the coordinator: rounds that follow, statistics by month, files."""

from __future__ import annotations

import json
import math
from array import array
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from folkmoot.answer_codec import decode_header, encode_release
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.release import NoisyCounts, Release
from folkmoot.round_codec import series_digest
from folkmoot.rounds import RoundState
from folkmoot.series import Series, SeriesEvent, SeriesRow, squared_norm
from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.planning.series_plan import planned_rounds
from folkmoot_coordinator.publication.privacy_statement import series_statement
from folkmoot_coordinator.publication.series_files import publish_series
from folkmoot_coordinator.publication.series_result import (
    SeriesResult,
    find_series,
    next_round,
    series_result,
)
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.retention import delete_old_counts
from folkmoot_coordinator.rounds.round_store import StoredRound, find_round
from folkmoot_operator.problems import ExitCode, Problem
from tests.tables import measured
from tests.unit.coordinator.conftest import small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")
LENGTH, MONTH = 4, 30 * DAY
NEW = {
    BOLTON: [[[5, 1], [2, 0]], [[0, 3], [1, 1]], [[2, 2], [0, 0]], [[0, 0], [0, 9]]],
    BURY: [[[7], [1]], [[2], [2]], [[0], [4]], [[1], [1]]],
}
"""For each council and month the new households by band and area."""


def open_first(office: Office) -> StoredRound:
    now = office.clock()
    series = Series("5" * 32, 1, LENGTH, SeriesEvent("band", ("high",)), now + 6 * MONTH)
    return office.open(replace(small_round(), opened_at=now, deadline=now + 3600, series=series))


def open_next(office: Office) -> StoredRound:
    office.clock.now += MONTH
    return office.open(next_round(find_series(office.database, "latest"), office.clock()))


def answer(
    office: Office,
    stored: StoredRound,
    council: GssCode,
    row: SeriesRow,
    cohorts: dict[int, int],
    *,
    charge: int | None = None,
) -> None:
    """What a council releases, without noise.

    Args:
        cohorts: For each month that was measured the cohort of its new households.
        charge: Which of the charges it states; by default that of its step.
    """
    round_ = stored.round_
    plan = round_.plan(council)
    table = sum(
        row.coefficient(cohort, LENGTH) * np.array(NEW[council][month - 1])
        for month, cohort in cohorts.items()
    )
    release = Release(
        round_.round_id,
        stored.digest,
        council,
        round_.mechanism,
        round_.charges[row.step - 1 if charge is None else charge],
        bytes(32),
        NoisyCounts(array("q", measured(plan, table).tolist())),
        row,
    )
    parts = encode_release(release, 1)
    office.intake.accept_release(council, decode_header(next(parts)), parts)


def whole(office: Office, *, skip: dict[GssCode, set[int]] | None = None) -> list[StoredRound]:
    """A series that ran for all its months; councils skip some."""
    skip = skip or {}
    steps = dict.fromkeys(NEW, 0)
    cohorts: dict[GssCode, dict[int, int]] = {council: {} for council in NEW}
    rounds = []
    for month in range(1, LENGTH + 1):
        stored = open_first(office) if month == 1 else open_next(office)
        for council in NEW:
            if month in skip.get(council, set()):
                continue
            steps[council] += 1
            cohorts[council][month] = steps[council]
            row = SeriesRow(steps[council], steps[council])
            answer(office, stored, council, row, cohorts[council])
        if office.again(stored).state is RoundState.OPEN:
            close_round(office.database, stored.round_.round_id, office.clock())
        rounds.append(office.again(stored))
    return rounds


def result(office: Office, reference: str = "latest") -> SeriesResult:
    stored = find_round(office.database, reference)
    return series_result(office.database, "Greater Manchester", stored, {"E08000001": "Bolton"})


def by_band_and_area(
    found: SeriesResult, month: int, measure: Measure, place: str
) -> list[float] | None:
    for one in found.months:
        if (one.position, one.measure) == (month, measure):
            for statistic in one.statistics:
                if statistic.place == place and statistic.marginal.name == "band*lsoa":
                    return [round(float(value), 6) for value in statistic.value]
    return None


def sums(council: GssCode, months: list[int]) -> list[float]:
    return [float(v) for v in sum(np.array(NEW[council][m - 1]) for m in months).ravel()]


def test_cumulative_and_new_counts_of_every_month(office: Office) -> None:
    whole(office)
    found = result(office)
    assert [(one.position, one.measure) for one in found.months] == [
        (month, measure) for month in range(1, LENGTH + 1) for measure in Measure
    ]
    for council in NEW:
        for month in range(1, LENGTH + 1):
            cumulative = by_band_and_area(found, month, Measure.CUMULATIVE, council)
            assert cumulative == sums(council, list(range(1, month + 1)))
            assert by_band_and_area(found, month, Measure.NEW, council) == sums(council, [month])


def test_the_errors_are_those_of_the_plan(office: Office) -> None:
    whole(office)
    round_ = find_round(office.database, "latest").round_
    for one, planned in zip(
        [one for one in result(office).months if one.measure is Measure.CUMULATIVE],
        planned_rounds(round_.loss, LENGTH),
        strict=True,
    ):
        band = next(s for s in one.statistics if s.place == BURY and s.marginal.name == "band")
        single = round_.plan(BURY).mean_variance(("band",))
        assert band.standard_error**2 == pytest.approx(single * planned.cumulative)


def test_a_council_that_missed_a_month_is_in_the_others(office: Office) -> None:
    whole(office, skip={BURY: {2}})
    found = result(office)
    assert by_band_and_area(found, 2, Measure.CUMULATIVE, BURY) is None
    # What was new in month 2 was not counted then; here it never was.
    assert by_band_and_area(found, 3, Measure.CUMULATIVE, BURY) == sums(BURY, [1, 3])
    assert by_band_and_area(found, 3, Measure.NEW, BURY) is None  # it is not of one month
    assert by_band_and_area(found, 4, Measure.NEW, BURY) == sums(BURY, [4])
    (new,) = [m for m in found.months if (m.position, m.measure) == (3, Measure.NEW)]
    assert new.councils == (BOLTON,)


def test_a_release_that_did_not_arrive_is_made_up_for(office: Office) -> None:
    first = open_first(office)
    answer(office, first, BURY, SeriesRow(1, 1), {1: 1})
    close_round(office.database, first.round_.round_id, office.clock())
    lost = open_next(office)
    close_round(office.database, lost.round_.round_id, office.clock())
    third = open_next(office)
    answer(office, third, BURY, SeriesRow(3, 2), {1: 1, 2: 2, 3: 2})
    close_round(office.database, third.round_.round_id, office.clock())
    found = result(office)
    assert find_round(office.database, lost.round_.round_id).state is RoundState.VOID
    assert by_band_and_area(found, 2, Measure.CUMULATIVE, BURY) is None
    assert by_band_and_area(found, 3, Measure.CUMULATIVE, BURY) == sums(BURY, [1, 2, 3])
    assert found.unusable == {}


def test_a_release_is_not_used_if_an_earlier_one_was_lost_here(office: Office) -> None:
    """The node says that step 1 had arrived, so the database was restored since."""
    first = open_first(office)
    answer(office, first, BOLTON, SeriesRow(1, 1), {1: 1})
    close_round(office.database, first.round_.round_id, office.clock())
    second = open_next(office)
    answer(office, second, BOLTON, SeriesRow(2, 2), {1: 1, 2: 2})
    answer(office, second, BURY, SeriesRow(2, 2), {1: 1, 2: 2})
    found = result(office)
    assert found.unusable == {BURY: 2}
    assert by_band_and_area(found, 2, Measure.CUMULATIVE, BURY) is None
    assert by_band_and_area(found, 2, Measure.CUMULATIVE, BOLTON) == sums(BOLTON, [1, 2])


def test_the_next_round_asks_the_same(office: Office) -> None:
    first = open_first(office)
    with pytest.raises(Problem, match="round 1 is open until"):
        next_round(find_series(office.database, "latest"), office.clock())
    close_round(office.database, first.round_.round_id, office.clock())
    second = open_next(office).round_
    assert second.series is not None
    assert second.series.position == 2
    assert series_digest(second) == series_digest(first.round_)
    assert second.deadline - second.opened_at == 3600
    with pytest.raises(Problem, match="was opened meanwhile"):
        office.open(replace(second, round_id="9" * 32))


def test_a_series_ends(office: Office) -> None:
    rounds = whole(office)
    with pytest.raises(Problem, match="has ended: 4 of 4"):
        next_round(rounds, office.clock())
    with pytest.raises(Problem, match="has ended: 2 of 4"):
        next_round(rounds[:2], office.clock() + 7 * MONTH)


def test_a_series_is_found_by_its_id(office: Office) -> None:
    whole(office)
    assert len(find_series(office.database, "555")) == LENGTH
    with pytest.raises(Problem) as raised:
        find_series(office.database, "6")
    assert raised.value.exit_code is ExitCode.USAGE


def test_an_open_or_void_round_has_no_result(office: Office) -> None:
    first = open_first(office)
    with pytest.raises(Problem, match="is open until"):
        result(office)
    close_round(office.database, first.round_.round_id, office.clock())
    with pytest.raises(Problem, match="is void"):
        result(office)


@pytest.mark.parametrize(
    "row, charge, reason",
    [
        (SeriesRow(2, 1), 0, RejectionReason.MALFORMED),  # more steps than rounds
        (None, 0, RejectionReason.MALFORMED),
        (SeriesRow(1, 1), None, RejectionReason.LOSS),
    ],
)
def test_what_does_not_fit_the_series_is_rejected(
    office: Office, row: SeriesRow | None, charge: int | None, reason: RejectionReason
) -> None:
    stored = open_first(office)
    round_ = stored.round_
    loss = Rho.of("0.123") if charge is None else round_.charges[charge]
    release = Release(
        round_.round_id, stored.digest, BURY, round_.mechanism, loss, bytes(32),
        NoisyCounts(array("q", range(round_.plan(BURY).rows))), row,
    )  # fmt: skip
    parts = encode_release(release, 1)
    with pytest.raises(Rejected) as raised:
        office.intake.accept_release(BURY, decode_header(next(parts)), parts)
    assert raised.value.rejection.reason is reason


def test_a_row_of_a_series_does_not_fit_another_round(office: Office) -> None:
    stored = office.open()
    round_ = stored.round_
    release = Release(
        round_.round_id, stored.digest, BURY, round_.mechanism, round_.loss, bytes(32),
        NoisyCounts(array("q", range(round_.plan(BURY).rows))), SeriesRow(1, 1),
    )  # fmt: skip
    parts = encode_release(release, 1)
    with pytest.raises(Rejected, match="do not fit the round"):
        office.intake.accept_release(BURY, decode_header(next(parts)), parts)


def test_counts_of_a_running_series_are_kept(office: Office) -> None:
    whole(office)
    assert delete_old_counts(office.database, 10, office.clock() + 20 * DAY) == 0
    assert len(result(office).months) == 2 * LENGTH
    assert delete_old_counts(office.database, 10, office.clock() + 200 * DAY) == 2 * LENGTH
    with pytest.raises(Problem, match="no longer kept"):
        result(office)


def test_the_files_of_a_series(office: Office, tmp_path: Path) -> None:
    rounds = whole(office, skip={BURY: {2}})
    found = result(office)
    publication = publish_series(found, tmp_path)
    assert publication.csv.name == "series-555555555555-04.csv"
    table = pl.read_parquet(publication.parquet)
    assert table.columns[:4] == ["month", "measure", "level", "place"]
    regional = table.filter((pl.col("level") == "region") & (pl.col("marginal") == "total")).select(
        "month", "measure", "value", "coverage"
    )
    assert [(m, k, round(v), c) for m, k, v, c in regional.iter_rows()] == [
        (1, "cumulative", 16, "2 of 2 councils"),
        (1, "new", 16, "2 of 2 councils"),
        (2, "cumulative", 13, "1 of 2 councils"),
        (2, "new", 5, "1 of 2 councils"),
        (3, "cumulative", 29, "2 of 2 councils"),
        (3, "new", 4, "1 of 2 councils"),
        (4, "cumulative", 40, "2 of 2 councils"),
        (4, "new", 11, "2 of 2 councils"),
    ]
    described = json.loads(publication.metadata.read_text())
    assert set(described["columns"]) == set(table.columns)
    assert described["privacy"]["rho_of_the_series"] == "0.5"
    assert described["privacy"]["charges"] == [str(one) for one in rounds[0].round_.charges]
    assert described["privacy"]["statement"] == series_statement(rounds[-1].round_, 2)
    assert [one["position"] for one in described["series"]["rounds"]] == [1, 2, 3, 4]
    again = publish_series(result(office), tmp_path / "again")
    assert again.csv.read_bytes() == publication.csv.read_bytes()
    assert again.metadata.read_bytes() == publication.metadata.read_bytes()


def test_the_statement_is_about_the_whole_series(office: Office) -> None:
    text = series_statement(open_first(office).round_, 1)
    assert "All 4 rounds together satisfy" in text
    assert "rho = 0.5, fixed before the first" in text
    assert "in the first round in which band is high" in text
    assert "a policy fitted to its records, is not covered" in text


@pytest.mark.parametrize("length", [2, 12, 24, 60])
def test_the_plan_beats_other_ways_at_the_same_loss(length: int) -> None:
    planned = planned_rounds(Rho.of("0.1"), length)
    assert planned[-1].spent == Rho.of("0.1")
    worst = max(one.cumulative for one in planned)
    mean = math.fsum(one.cumulative for one in planned) / length
    assert worst < max(one.binary_tree for one in planned)
    assert mean <= math.fsum(one.binary_tree for one in planned) / length
    if length >= 12:
        assert worst < length / 3
        assert mean < math.fsum(one.summed for one in planned) / length / 2
    assert worst == pytest.approx((squared_norm(length) / 2**20) ** 2, rel=0.01)


def test_the_plan_of_twelve_months() -> None:
    """The figures that the documents state."""
    planned = planned_rounds(Rho.of("0.1"), 12)
    assert [round(one.cumulative, 2) for one in planned] == [
        1.85, 2.31, 2.57, 2.75, 2.89, 3.0, 3.1, 3.18, 3.25, 3.31, 3.37, 3.43,
    ]  # fmt: skip
    assert {one.one_by_one for one in planned} == {12.0}
    assert max(one.binary_tree for one in planned) == 12.0
    assert round(max(one.new for one in planned), 2) == 2.36
    assert [str(one.charge) for one in planned[:3]] == ["0.054034963", "0.01350874", "0.007598667"]
