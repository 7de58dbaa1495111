"""When scoring is due."""

from __future__ import annotations

import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.settings.schedule import Schedule, check_cron
from folkmoot_operator.problems import ExitCode, Problem

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


@pytest.mark.parametrize(
    "cron, told",
    [
        ("5 o'clock", "5 fields"),
        ("* * * * * *", "5 fields"),
        ("0 25 * * *", "Bad hour"),
        ("0 0 30 2 *", "Bad day-of-month"),
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
