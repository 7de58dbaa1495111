"""Moments as people and programs read them."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_operator.moments import day, day_text, months_later, to_datetime, to_text

NOON = 1_796_126_400


@pytest.fixture(autouse=True, params=["UTC", "America/Los_Angeles", "Pacific/Auckland"])
def _zone_of_the_machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Which must not matter."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("seconds", "text", "date", "for_people"),
    [
        (NOON, "2026-12-01T12:00:00Z", datetime.date(2026, 12, 1), "1 December 2026"),
        (NOON + 0.9, "2026-12-01T12:00:00Z", datetime.date(2026, 12, 1), "1 December 2026"),
        (NOON + 43_199, "2026-12-01T23:59:59Z", datetime.date(2026, 12, 1), "1 December 2026"),
        (NOON + 43_200, "2026-12-02T00:00:00Z", datetime.date(2026, 12, 2), "2 December 2026"),
        (0, "1970-01-01T00:00:00Z", datetime.date(1970, 1, 1), "1 January 1970"),
    ],
)
def test_a_moment_is_said_in_utc(
    seconds: float, text: str, date: datetime.date, for_people: str
) -> None:
    assert to_text(seconds) == text
    assert day(seconds) == date
    assert day_text(seconds) == for_people
    assert to_datetime(seconds).utcoffset() == datetime.timedelta(0)
    assert to_datetime(seconds).timestamp() == seconds


@given(
    date=st.dates(datetime.date(2000, 1, 1), datetime.date(2100, 1, 1)), months=st.integers(-60, 60)
)
def test_months_later_is_the_same_day_or_the_last_of_the_month(
    date: datetime.date, months: int
) -> None:
    later = months_later(date, months)
    assert (later.year - date.year) * 12 + later.month - date.month == months
    assert later.day == date.day or (
        (later + datetime.timedelta(1)).day == 1 and later.day < date.day
    )
