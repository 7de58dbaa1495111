"""Who gets the places of a week, and why."""

from __future__ import annotations

import datetime
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.casework.referrals.kinds import ReferralState, Urgency, Way
from folkmoot_node.casework.referrals.order import Waiting, in_order, week_of
from folkmoot_web.errors import WebProblem
from tests.referring import Referring

BANDS = ("none", "low", "high")
NOW = 1_800_000_000
DAY = 24 * 60 * 60


def waiting(name: str, urgency: Urgency, band: str | None, days: int) -> Waiting:
    return Waiting(name, "case", urgency, band, NOW - days * DAY)


def names(*given: Waiting) -> list[str]:
    return [one.waiting.referral_id for one in in_order(given, BANDS, NOW, None)]


def test_risk_band_and_waiting_count_and_are_explained() -> None:
    high = waiting("b", Urgency.ROUTINE, "high", 12)
    urgent = waiting("a", Urgency.IMMEDIATE, "low", 0)
    first, second = in_order([high, urgent], BANDS, NOW, 1)
    assert (first.waiting, first.points, first.has_place) == (urgent, 55, True)
    assert (second.waiting, second.points, second.has_place) == (high, 42, False)
    assert second.lines == (
        "No harm is likely while the household waits: 0 of 40 points",
        "Band high: 30 of 30 points",
        "Waits 12 days: 12 points",
    )


def test_whoever_waits_long_enough_comes_first() -> None:
    patient = waiting("z", Urgency.ROUTINE, "none", 71)
    assert names(waiting("a", Urgency.IMMEDIATE, "high", 0), patient) == ["z", "a"]


def test_a_band_that_the_policy_no_longer_has_is_said() -> None:
    (place,) = in_order([waiting("a", Urgency.SOON, "gone", 1)], BANDS, NOW, None)
    assert place.lines[1] == "Band gone is no longer in the policy: 0 points"
    assert place.lines[2] == "Waits 1 day: 1 point"


def test_a_policy_of_one_band_has_an_order() -> None:
    (place,) = in_order([waiting("a", Urgency.SOON, "all", 1)], ("all",), NOW, None)
    assert place.points == 51


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Urgency)), st.sampled_from((*BANDS, None)), st.integers(0, 400)
        ),
        max_size=30,
    ),
    st.integers(),
    st.integers(0, 40),
)
def test_the_order_is_the_same_however_they_come_and_only_waiting_moves_anybody_up(
    given: list[tuple[Urgency, str | None, int]], seed: int, left: int
) -> None:
    every = [waiting(f"r{at:02}", *one) for at, one in enumerate(given)]
    shuffled = random.Random(seed).sample(every, len(every))
    places = in_order(every, BANDS, NOW, left)
    assert places == in_order(shuffled, BANDS, NOW, left)
    assert [one.number for one in places] == list(range(1, len(every) + 1))
    assert sum(one.has_place for one in places) == min(left, len(every))
    # A day later all have waited a day more: nobody overtakes anybody.
    later = in_order(every, BANDS, NOW + DAY, left)
    assert [one.waiting for one in later] == [one.waiting for one in places]


def test_a_week_begins_on_monday() -> None:
    begins, ends = week_of(NOW)
    assert begins <= NOW < ends == begins + 7 * DAY
    monday = datetime.datetime.fromtimestamp(begins, datetime.UTC)
    assert (monday.weekday(), monday.hour, monday.minute) == (0, 0, 0)


def test_a_full_service_lets_referrals_wait_and_a_reason_goes_before(referring: Referring) -> None:
    referring.take(1)
    by = referring.visitor("caseworker")
    room = referring.room
    made = []
    for at in range(4):
        case_id = referring.case(at, band="low" if at == 1 else "high")
        made.append((case_id, referring.draft(case_id, referring.consent(case_id))))
    states = [room.referrals.send(*one, by, Way.FILE) for one in made[:3]]
    assert states == [ReferralState.SENT, ReferralState.QUEUED, ReferralState.QUEUED]
    places, left = room.referrals.order(referring.debt)
    assert [one.waiting.referral_id for one in places] == [made[2][1], made[1][1]]
    assert left == 0
    with pytest.raises(WebProblem) as full:
        room.referrals.send(*made[2], by, Way.FILE)
    assert full.value.status == 409
    reason = "The landlord evicts them tomorrow"
    assert room.referrals.send(*made[3], by, Way.FILE, why_first=reason) == ReferralState.SENT
    assert room.referrals.history(made[3][1])[-1].note == reason
    # The next week has one place: for the first in the order, and not for the other.
    referring.council.clock.now += 7 * DAY
    with pytest.raises(WebProblem):
        room.referrals.send(*made[1], by, Way.FILE)
    assert room.referrals.send(*made[2], by, Way.FILE) == ReferralState.SENT
    # A rejected one frees its place.
    room.referrals.report(*made[2], by, ReferralState.REJECTED, "Lives elsewhere")
    assert room.referrals.send(*made[1], by, Way.FILE) == ReferralState.SENT


def test_a_draft_does_not_overtake_those_who_wait(referring: Referring) -> None:
    referring.take(0)
    by = referring.visitor("caseworker")
    first, second = referring.case(0, band="high"), referring.case(1, band="none")
    waits = referring.draft(first, referring.consent(first))
    referring.room.referrals.send(first, waits, by, Way.FILE)
    referring.take(1)
    late = referring.draft(second, referring.consent(second))
    assert referring.room.referrals.send(second, late, by, Way.FILE) == ReferralState.QUEUED
    assert referring.room.referrals.send(first, waits, by, Way.FILE) == ReferralState.SENT
