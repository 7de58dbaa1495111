"""When scoring is due."""

from __future__ import annotations

import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import example, given, settings
from hypothesis import strategies as st

from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.schedule import Schedule, check_cron

LONDON = ZoneInfo("Europe/London")
NIGHTLY = Schedule("0 5 * * *", LONDON)
NODE = """\
schema = 1
council = "E08000009"
name = "Trafford"
[scoring]
frame = "council_tax"
"""


def seconds(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    "now, due",
    [
        ("2026-01-10T04:59:00+00:00", "2026-01-10T05:00:00+00:00"),
        ("2026-01-10T05:00:00+00:00", "2026-01-11T05:00:00+00:00"),
        ("2026-07-10T04:00:00+00:00", "2026-07-11T04:00:00+00:00"),  # 5:00 in summer time
        ("2026-03-28T12:00:00+00:00", "2026-03-29T04:00:00+00:00"),  # clocks went forward
    ],
)
def test_the_next_time_is_in_the_councils_time(now: str, due: str) -> None:
    assert NIGHTLY.next(seconds(now)) == seconds(due)


def test_an_hour_that_comes_twice_scores_once() -> None:
    schedule = Schedule("30 1 * * *", LONDON)
    first = schedule.next(seconds("2026-10-24T12:00:00+00:00"))
    assert first == seconds("2026-10-25T00:30:00+00:00")
    assert schedule.next(first) == seconds("2026-10-26T01:30:00+00:00")


@given(
    st.integers(seconds("2020-01-01T00:00:00+00:00"), seconds("2040-01-01T00:00:00+00:00")),
    st.sampled_from(["0 5 * * *", "*/15 * * * *", "30 1 * * 1", "0 0 1 * *"]),
    st.sampled_from(["Europe/London", "UTC"]),
)
def test_no_time_lies_between_the_latest_and_the_next(now: int, cron: str, zone: str) -> None:
    schedule = Schedule(cron, ZoneInfo(zone))
    latest, due = schedule.latest(now), schedule.next(now)
    assert latest < now < due
    assert schedule.next(latest) in {due, now}


AUTUMN, SPRING = "2026-10-25T01:00:00+00:00", "2027-03-28T01:00:00+00:00"
"""When clocks in London are changed."""
MINUTES = st.lists(st.sampled_from(range(0, 60, 5)), min_size=1, max_size=3)
HOURS = st.lists(st.integers(0, 3), min_size=1, max_size=3)
NUMBERS = st.one_of(MINUTES, st.just([30])).map(lambda one: ",".join(map(str, one)))
MINUTE = st.one_of(NUMBERS, st.sampled_from(["*", "*/7", "*/15", "0-59/20", "0-59"]))
HOUR = st.one_of(
    HOURS.map(lambda one: ",".join(map(str, one))),
    st.sampled_from(["*", "*/2", "0-3", "1", "2", "0-23"]),
)
DAY = st.sampled_from(["* * *", "* * 0", "* * SUN", "* * 1-6", "*/2 * *", "25-31 * *", "28 3,10 *"])


def times(cron: str, zone: ZoneInfo, first: int, last: int) -> list[int]:
    """All times of a schedule between two moments, looked for minute by minute."""
    plain = CronSim(cron, datetime.datetime(2026, 1, 1))

    def names(shown: datetime.datetime) -> bool:
        fits = shown.minute in plain.minutes and shown.hour in plain.hours
        return fits and shown.month in plain.months and plain.match_day(shown.date())

    def shown_at(moment: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(moment, zone).replace(tzinfo=None)

    minute, hour, *_ = cron.split()
    is_interval = minute.startswith("*") or hour.startswith("*")
    found, seen = [], set()
    clock = shown_at(first - 60)
    for moment in range(first, last, 60):
        shown, minute_ = shown_at(moment), datetime.timedelta(minutes=1)
        due = names(shown) and (is_interval or shown not in seen)
        while not is_interval and (clock := clock + minute_) < shown:  # jumped over
            due = due or names(clock)
        seen.add(shown)
        clock = shown if is_interval else max(clock, shown)
        if due:
            found.append(moment)
    return found


@given(MINUTE, HOUR, DAY, st.sampled_from([AUTUMN, SPRING]))
@example("30", "1", "* * *", AUTUMN)
@settings(deadline=None, max_examples=50)
def test_every_schedule_holds_while_clocks_are_changed(
    minute: str, hour: str, day: str, change: str
) -> None:
    """A run may begin at any second, and take until any other: the next time is never past."""
    cron, middle = check_cron(f"{minute} {hour} {day}"), seconds(change)
    first, last = middle - 30 * 3600, middle + 30 * 3600
    expected = times(cron, LONDON, first, last)
    schedule = Schedule(cron, LONDON)
    for now in range(middle - 3 * 3600, middle + 3 * 3600, 1201):
        later = [moment for moment in expected if moment > now]
        if later:
            assert schedule.next(now) == later[0]
        assert schedule.next(now) > now
        earlier = [moment for moment in expected if moment < now]
        if earlier:
            assert schedule.latest(now) == earlier[-1]


@given(MINUTE, HOUR, DAY, st.sampled_from([AUTUMN, SPRING]), st.integers(1, 3 * 3600))
@settings(deadline=None)
def test_runs_of_any_length_are_at_least_a_minute_apart(
    minute: str, hour: str, day: str, change: str, takes: int
) -> None:
    schedule = Schedule(f"{minute} {hour} {day}", LONDON)
    now = seconds(change) - 2 * 3600
    for _ in range(20):
        due = schedule.next(now)
        assert due > now
        assert due % 60 == 0
        now = due + takes


@pytest.mark.parametrize(
    "zone, around",
    [
        ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00"),  # by half an hour
        ("Australia/Lord_Howe", "2026-10-03T15:30:00+00:00"),
        ("Africa/Cairo", "2026-04-23T22:00:00+00:00"),  # at midnight
        ("Africa/Cairo", "2026-10-29T21:00:00+00:00"),
        ("Antarctica/Troll", "2026-03-29T01:00:00+00:00"),  # by two hours
        ("Antarctica/Troll", "2026-10-25T01:00:00+00:00"),
    ],
)
@pytest.mark.parametrize("cron", ["30 1 * * *", "0,45 0,1,2 * * *", "*/20 * * * *", "5 * * * *"])
def test_other_clocks_are_changed_in_other_ways(cron: str, zone: str, around: str) -> None:
    schedule, middle = Schedule(cron, ZoneInfo(zone)), seconds(around)
    expected = times(cron, schedule.zone, middle - 3 * 86_400, middle + 3 * 86_400)
    for now in range(middle - 4 * 3600, middle + 4 * 3600, 601):
        assert schedule.next(now) == next(moment for moment in expected if moment > now)
        assert schedule.latest(now) == max(moment for moment in expected if moment < now)


@pytest.mark.parametrize(
    "cron, told",
    [
        ("5 o'clock", "5 fields"),
        ("* * * * * *", "5 fields"),
        ("0 25 * * *", "Bad hour"),
        ("0 0 30 2 *", "Bad day-of-month"),
        ("0 0 */31 2 MON#5", "never comes"),
    ],
)
def test_what_is_no_schedule_is_refused(cron: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_cron(cron)


@pytest.mark.parametrize(
    "lines, told",
    [
        ('[schedule]\nscore = "nightly"', "schedule.score"),
        ('[schedule]\ntime_zone = "London"', "'London' is not a time zone"),
        ('[schedule]\nscores = "0 5 * * *"', "did you mean 'score'"),
        ('[prefect]\nurl = "http://prefect.example/api"', "must begin with https://"),
        ('[prefect]\nurl = "https://0.0.0.0/api"', "every address of a machine"),
        ('[prefect]\nurl = "https://prefect.example:0/api"', "port 0"),
        ('[prefect]\nurl = "https://prefect.example:70000/api"', "prefect.url"),
        ('[prefect]\nurl = "https://a:b@prefect.example/api"', "holds a password"),
        ('[prefect]\nurl = "https://prefect.example"\nport = 4200', "url names another"),
        ('[prefect]\nauth_file = "keys/prefect"', "named by url"),
        ("[prefect]\nkeep_days = 0", "prefect.keep_days"),
    ],
)
def test_settings_that_do_not_hold_are_refused(tmp_path: Path, lines: str, told: str) -> None:
    (tmp_path / "node.toml").write_text(f"{NODE}{lines}\n")
    with pytest.raises(Problem) as caught:
        load_config(tmp_path)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert told in caught.value.problem


def test_settings_that_hold(tmp_path: Path) -> None:
    lines = '[schedule]\nscore = "0 5 * * 1-5"\n[prefect]\nurl = "https://prefect.example"\n'
    (tmp_path / "node.toml").write_text(NODE + lines)
    config = load_config(tmp_path)
    assert config.prefect.url == "https://prefect.example/api"
    assert config.schedule == Schedule("0 5 * * 1-5", LONDON)
    (tmp_path / "node.toml").write_text(NODE)
    assert load_config(tmp_path).schedule is None
    assert load_config(tmp_path).prefect.enabled


@pytest.mark.parametrize(
    "lines, told",
    [
        ('scheduler = "d.example:8786"', "dask.scheduler: begin with tls://"),
        ('scheduler = "tls://d.example"', "dask.scheduler: is not an address"),
        ('scheduler = "tls://d.example:99999"', "a port is from 1 to 65535"),
        ('scheduler = "tcp://0.0.0.0:8786"', "every address of a machine"),
        ('scheduler = "tls://d.example:8786"', "needs ca_file, certificate and key"),
        ('scheduler = "tcp://d.example:8786"', "another machine is reached by tls://"),
        ('scheduler = "tcp://127.0.0.1:8786"\nkey = "k"', "begins with tls://"),
        ("", "scoring.engine: dask needs"),
    ],
)
def test_a_cluster_that_is_open_to_others_is_refused(tmp_path: Path, lines: str, told: str) -> None:
    (tmp_path / "node.toml").write_text(f'{NODE}engine = "dask"\n[dask]\n{lines}\n')
    with pytest.raises(Problem) as caught:
        load_config(tmp_path)
    assert told in caught.value.problem


def test_a_cluster_on_this_machine_or_a_trusted_network_may_be_plain(tmp_path: Path) -> None:
    for lines in (
        'scheduler = "tcp://127.0.0.1:8786"',
        'scheduler = "tcp://d.example:8786"\nunencrypted = true',
    ):
        (tmp_path / "node.toml").write_text(f'{NODE}engine = "dask"\n[dask]\n{lines}\n')
        assert load_config(tmp_path).on_cluster
