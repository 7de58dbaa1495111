"""The matrix of a series: exact sensitivity, charges that cover it, estimates that undo it."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot import round_codec
from folkmoot.errors import ContractError
from folkmoot.privacy import Rho
from folkmoot.rounds import Mechanism
from folkmoot.series import (
    COEFFICIENT_BITS,
    MAX_COHORTS,
    MAX_ROUNDS,
    MAX_SECONDS,
    MIN_ROUNDS,
    Series,
    SeriesEvent,
    SeriesRow,
    arrived_in_order,
    charges,
    coefficients,
    cumulative_weights,
    squared_norm,
    variance_factor,
)
from folkmoot_node.release.exact_counts import MAX_COUNT
from tests.unit.contract import strategies

LENGTHS = range(MIN_ROUNDS, MAX_ROUNDS + 1)
HIGH = SeriesEvent("band", ("high",))


def whole(length: int) -> list[SeriesRow]:
    return [SeriesRow(step, step) for step in range(1, length + 1)]


def matrix(rows: list[SeriesRow], length: int) -> np.ndarray:
    """Coefficient of each cohort (column) in each row."""
    return np.array(
        [
            [row.coefficient(one.cohort, length) if one.step <= row.step else 0 for one in rows]
            for row in rows
        ],
        dtype=np.float64,
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[SeriesRow], list[bool]]:
    """A length, the rows of all steps measured, and whether each arrived."""
    length = draw(st.integers(MIN_ROUNDS, MAX_ROUNDS))
    arrived = draw(st.lists(st.booleans(), min_size=1, max_size=length))
    rows, cohort = [], 1
    for step, came in enumerate(arrived, start=1):
        rows.append(SeriesRow(step, cohort))
        if came:
            cohort = step + 1
    return length, rows, arrived


def test_the_coefficients_are_those_of_the_square_root_of_the_matrix_of_ones() -> None:
    root = np.array(coefficients(MAX_ROUNDS)) / 2**COEFFICIENT_BITS
    squared = np.convolve(root, root)[:MAX_ROUNDS]
    assert np.abs(squared - 1).max() < 0.01
    exact = [Fraction(math.comb(2 * j, j), 4**j) for j in range(MAX_ROUNDS)]
    for found, wanted in zip(coefficients(MAX_ROUNDS), exact, strict=True):
        assert abs(found - wanted * 2**COEFFICIENT_BITS) <= Fraction(1, 2)


@pytest.mark.parametrize("length", LENGTHS)
def test_the_coefficients_fall_and_the_matrix_is_invertible(length: int) -> None:
    found = coefficients(length)
    assert list(found) == sorted(found, reverse=True)
    assert found[-1] > 0
    assert found == coefficients(MAX_ROUNDS)[:length]  # later rounds do not change earlier ones
    inverse = np.linalg.inv(matrix(whole(length), length))
    assert np.allclose(matrix(whole(length), length) @ inverse, np.eye(length))


@pytest.mark.parametrize("length", LENGTHS)
def test_the_sensitivity_is_exact(length: int) -> None:
    """The first column has the largest norm, and it is what noise is scaled by."""
    columns = (matrix(whole(length), length) ** 2).sum(axis=0)
    assert columns.max() == columns[0] == squared_norm(length)


def test_exact_numbers_of_a_series_stay_within_the_bound_of_exact_counts() -> None:
    assert MAX_COHORTS * coefficients(MAX_ROUNDS)[0] <= MAX_COUNT


@given(st.integers(10**4, 10**15), st.integers(MIN_ROUNDS, MAX_ROUNDS))
def test_the_charges_sum_to_the_loss(nano: int, length: int) -> None:
    found = charges(Rho(nano), length)
    assert sum(charge.nano for charge in found) == nano
    assert max(found) == found[0]


@settings(deadline=None)
@given(st.data(), histories(), st.integers(10**4, 10**12))
def test_no_household_loses_more_than_was_charged(
    data: st.DataObject, history: tuple[int, list[SeriesRow], list[bool]], nano: int
) -> None:
    """Whenever it is counted, whatever was lost, and up to any step.

    The charges of a window of releases that begins anew cover what is lost in that window.
    """
    length, rows, _ = history
    cohort = data.draw(st.sampled_from(rows)).cohort
    first = next(row.step for row in rows if row.cohort == cohort)
    found_at = data.draw(st.integers(first, max(r.step for r in rows if r.cohort == cohort)))
    start = data.draw(st.integers(1, len(rows)))
    last = data.draw(st.integers(start, len(rows)))
    lost = sum(
        Fraction(row.coefficient(cohort, length)) ** 2
        for row in rows[start - 1 : last]
        if row.step >= found_at
    )
    paid = sum(charge.nano for charge in charges(Rho(nano), length)[: last - start + 1])
    assert lost * nano / squared_norm(length) <= paid


@settings(deadline=None)
@given(st.data(), histories())
def test_the_weights_give_all_households_counted_so_far(
    data: st.DataObject, history: tuple[int, list[SeriesRow], list[bool]]
) -> None:
    length, rows, arrived = history
    new = data.draw(
        st.lists(st.integers(0, 10**6), min_size=len(rows), max_size=len(rows)), label="new"
    )
    kept = [row for row, came in zip(rows, arrived, strict=True) if came]
    assert arrived_in_order(kept)
    for weights, row in zip(cumulative_weights(kept, length), kept, strict=True):
        measured = [
            sum(
                count * one.coefficient(counted.cohort, length)
                for count, counted in zip(new, rows, strict=True)
                if counted.step <= one.step
            )
            for one in kept[: len(weights)]
        ]
        estimate = math.fsum(w * m for w, m in zip(weights, measured, strict=True))
        assert estimate == pytest.approx(sum(new[: row.step]), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("length", [2, 3, 12, 60])
def test_the_weights_are_those_of_the_inverse(length: int) -> None:
    rows = whole(length)
    wanted = np.tril(np.ones((length, length))) @ np.linalg.inv(matrix(rows, length))
    for at, weights in enumerate(cumulative_weights(rows, length)):
        assert np.allclose(weights, wanted[at, : at + 1])
        assert variance_factor(weights, length) == pytest.approx(
            squared_norm(length) * (wanted[at] ** 2).sum()
        )


def test_rows_that_do_not_follow_each_other_are_seen() -> None:
    assert arrived_in_order([])
    assert arrived_in_order([SeriesRow(1, 1), SeriesRow(3, 2), SeriesRow(4, 4)])
    assert not arrived_in_order([SeriesRow(2, 2)])  # step 1 had arrived and is not here
    assert not arrived_in_order([SeriesRow(1, 1), SeriesRow(3, 3)])


@pytest.mark.parametrize("step, cohort", [(0, 0), (1, 0), (1, 2), (61, 1)])
def test_rows_out_of_range_are_refused(step: int, cohort: int) -> None:
    with pytest.raises(ContractError):
        SeriesRow(step, cohort)


@pytest.mark.parametrize(
    "change, where",
    [
        ({"series_id": "5" * 31}, "series_id"),
        ({"position": 0}, "position"),
        ({"position": 4}, "position"),
        ({"length": 1}, "length"),
        ({"length": 61}, "length"),
    ],
)
def test_a_series_out_of_range_is_refused(change: dict[str, object], where: str) -> None:
    values: dict[str, object] = {
        "series_id": "5" * 32, "position": 1, "length": 3, "event": HIGH, "ends_at": 9,
    }  # fmt: skip
    with pytest.raises(ContractError, match=where):
        Series(**{**values, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize("codes", [(), ("b", "a"), ("a", "a"), ("a b",)])
def test_an_event_names_codes_once_and_in_order(codes: tuple[str, ...]) -> None:
    with pytest.raises(ContractError):
        SeriesEvent("band", codes)


def test_a_round_of_a_series_is_checked_as_a_whole() -> None:
    from dataclasses import replace

    series = Series("5" * 32, 1, 12, HIGH, ends_at=2)
    round_ = replace(strategies.example(), series=series)
    assert len(round_.charges) == 12
    with pytest.raises(ContractError, match="after the end of the series"):
        replace(round_, series=replace(series, ends_at=1))
    with pytest.raises(ContractError, match="more than six years"):
        replace(round_, series=replace(series, ends_at=1 + MAX_SECONDS + 1))
    with pytest.raises(ContractError, match="too small for 60 releases"):
        replace(round_, loss=Rho(50), series=replace(series, length=60))
    with pytest.raises(ContractError):
        replace(round_, mechanism=Mechanism.DISCRETE_LAPLACE)


def test_the_definition_is_what_all_rounds_have_in_common() -> None:
    from dataclasses import replace

    series = Series("5" * 32, 1, 12, HIGH, ends_at=99)
    round_ = replace(strategies.example(), series=series)
    digest = round_codec.series_digest(round_)
    later = replace(
        round_, round_id="1" * 32, title="Later", opened_at=5, deadline=9,
        series=replace(series, position=2),
    )  # fmt: skip
    assert round_codec.series_digest(later) == digest
    for changed in (
        replace(round_, loss=Rho.of("0.2")),
        replace(round_, purpose="flood"),
        replace(round_, policy_digest=b"q" * 32),
        replace(round_, series=replace(series, length=11)),
        replace(round_, series=replace(series, ends_at=98)),
        replace(round_, series=replace(series, counting_digest=b"c" * 32)),
        replace(round_, series=replace(series, series_id="6" * 32)),
        replace(round_, series=replace(series, event=SeriesEvent("band", ("none",)))),
    ):
        assert round_codec.series_digest(changed) != digest
