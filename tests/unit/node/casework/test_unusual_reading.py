"""Each rule of unusual reading finds what it is for, and nothing below its threshold."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

import pytest

from folkmoot_node.casework.authority.reading import UnusualPolicy
from folkmoot_node.casework.cohorts import cohorts, deciding
from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.opening.log import LogEntry
from folkmoot_node.casework.opening.openings import OPENED, REFUSED
from folkmoot_node.casework.opening.unusual import COUNTS, MEMBER_SHOWN, findings
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import REASON, change_policy, open_case
from tests.web_site import Browser, RunningSite

NOON = int(datetime.datetime(2027, 6, 15, 11, tzinfo=datetime.UTC).timestamp())  # 12:00 in the UK
DAY = 86_400
LATER = NOON + 20 * DAY
POLICY = UnusualPolicy(
    openings_per_hour=3,
    counts_per_hour=3,
    readers=3,
    not_assigned=2,
    refused=2,
    without_work=4,
    work_hours=24,
)


def entries(
    times: Iterable[int],
    action: str = OPENED,
    *,
    by: str = "jo",
    household: str | None = None,
    assigned: str = "self",
) -> list[LogEntry]:
    return [
        LogEntry(
            at, at, by, action, f"case{at}", household or f"house{at}", "", {"assigned": assigned}
        )
        for at in times
    ]


def worked(opened: Iterable[LogEntry], after: int) -> Iterator[LogEntry]:
    for one in opened:
        yield LogEntry(one.at, one.at + after, one.by, "note added", one.case, "", "", {})


def rules(found: list[LogEntry]) -> list[str]:
    ordered = sorted(found, key=lambda one: one.at)
    return sorted({one.rule for one in findings(ordered, POLICY, LATER)})


def test_many_in_an_hour() -> None:
    spread = entries(NOON + minute * 60 for minute in (0, 25, 50, 75, 100))
    assert rules([*spread, *worked(spread, 60)]) == []
    close = entries(NOON + minute * 60 for minute in (0, 15, 30, 45))
    assert rules([*close, *worked(close, 60)]) == ["Many in an hour"]
    (found,) = findings([*close, *worked(close, 60)], POLICY, LATER)
    assert "4 households within an hour" in found.why
    assert "more than 3" in found.why
    assert (found.by, found.first, found.last) == ("jo", NOON, NOON + 45 * 60)


@pytest.mark.parametrize(
    ("hour", "found"),
    [(5, ["At night"]), (6, []), (21, []), (22, ["At night"]), (0, ["At night"])],
)
def test_at_night_in_the_uk(hour: int, found: list[str]) -> None:
    at = NOON + (hour - 12) * 3600
    opened = entries([at])
    assert rules([*opened, *worked(opened, 60)]) == found


def test_members_of_cohorts_that_were_looked_at_count_too() -> None:
    assert MEMBER_SHOWN == deciding.SHOWN
    assert rules(entries(range(NOON, NOON + 240, 60), MEMBER_SHOWN)) == ["Many in an hour"]


@pytest.mark.parametrize("action", [cohorts.COUNTED, cohorts.RAN])
def test_many_counts_in_an_hour(action: str) -> None:
    assert cohorts.COUNTED in COUNTS
    assert cohorts.RAN in COUNTS
    assert rules(entries(range(NOON, NOON + 180, 60), action)) == []
    assert rules(entries(range(NOON, NOON + 240, 60), action)) == ["Many counts in an hour"]
    assert rules(entries(range(NOON, NOON + 4 * 1300, 1300), action)) == []


def test_one_night_is_one_report() -> None:
    opened = entries(NOON + hour * 3600 for hour in (11, 13, 35))  # 23:00, 1:00, and 23:00
    reports = findings([*opened, *worked(opened, 60)], POLICY, LATER)
    assert [one.why.removeprefix("Opened, searched for or looked at ")[:12] for one in reports] == [
        "1 household ",
        "2 households",
    ]


def test_cases_that_somebody_else_has() -> None:
    times = [NOON, NOON + 7200, NOON + 14_400]
    for assigned, found in (("self", []), ("nobody", []), ("other", ["Cases of other people"])):
        opened = entries(times, assigned=assigned)
        assert rules([*opened, *worked(opened, 60)]) == found


def test_one_household_and_many_people() -> None:
    opened = [
        one
        for number, by in enumerate(("jo", "sam", "kim"))
        for one in entries([NOON + number * DAY], by=by, household="house")
    ]
    assert rules([*opened[:2], *worked(opened[:2], 60)]) == []
    assert rules([*opened, *worked(opened, 60)]) == ["One household, many people"]


def test_openings_after_which_nothing_was_recorded() -> None:
    opened = entries(NOON + number * DAY for number in range(5))
    assert rules([*opened, *worked(opened, 3600)]) == []
    assert rules([*opened, *worked(opened[:1], 3600)]) == []
    assert rules([*opened, *worked(opened, 25 * 3600)]) == ["Opened, and nothing recorded"]
    assert rules(opened) == ["Opened, and nothing recorded"]
    # The time for work is not over yet.
    assert [one.rule for one in findings(opened, POLICY, NOON + 4 * DAY)] == []


def test_often_refused() -> None:
    assert rules(entries([NOON, NOON + 60], REFUSED)) == []
    assert rules(entries([NOON, NOON + 60, NOON + 120], REFUSED)) == ["Often refused"]


def test_the_auditor_is_shown_what_the_policy_calls_unusual(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    worker = council.visitor(desk, "caseworker")
    with Browser(site) as auditor:
        auditor.sign_in("auditor@example.gov.uk")
        assert "Nothing unusual was found" in auditor.get("/audit/unusual").text
        for at in range(21):
            desk.openings.open(worker, open_case(council, desk, at), REASON)
        page = auditor.get("/audit/unusual").text
        assert "Many in an hour" in page
        assert "21 households within an hour" in page
        assert worker.name in page


def test_the_threshold_is_the_policy_s(council: CaseworkCouncil) -> None:
    change_policy(council, ("openings_per_hour = 20", "openings_per_hour = 7"))
    assert council.desk().known.policy.unusual.openings_per_hour == 7
