"""The node's certificate is renewed by whatever connects, and its end is announced."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from inviting import Inviting
from stage import Stage

from folkmoot_coordinator.clock import DAY
from folkmoot_node.answering.event import Event
from folkmoot_node.federation.checks import certificate
from folkmoot_node.federation.identity import Identity, KeyFiles, load_identity
from folkmoot_node.home import open_home
from folkmoot_node.running.certificate_watch import LONGEST_SECONDS, CertificateWatch
from folkmoot_node.running.serve import visit
from folkmoot_operator.checks import Finding, State, examine
from tests.architecture.test_privacy_boundary import callers
from tests.commands import run_inside

Regions = tuple[Inviting, Inviting]


def identity(home: Path) -> Identity:
    return load_identity(KeyFiles(home / "keys"))


def days_left(home: Path) -> float:
    return (identity(home).not_after.timestamp() - time.time()) / DAY


@pytest.mark.parametrize(
    "command", ["rounds list", "release latest", "ledger recover --yes", "doctor"]
)
def test_every_command_that_connects_renews_when_it_is_due(
    member: Path, regions: Regions, command: str
) -> None:
    regions[0].certify(member, days_left=11)
    run_inside("folkmoot-node", *command.split(), "--home", member)
    assert days_left(member) < 12, "not due yet"
    regions[0].certify(member, days_left=9)
    done = run_inside("folkmoot-node", *command.split(), "--home", member)
    assert days_left(member) > 29
    assert "certificate renewed until" in done.stdout + done.stderr
    again = run_inside("folkmoot-node", *command.split(), "--home", member)
    assert "renewed" not in again.stdout + again.stderr


def test_a_visit_of_serve_renews_when_it_is_due(member: Path, regions: Regions) -> None:
    regions[0].certify(member, days_left=9)
    events: list[Event] = []
    with open_home(member) as home:
        visit(home, events.append)
    assert days_left(member) > 29
    assert events[0].text.startswith("certificate renewed until")
    assert not any(event.is_problem for event in events)


def test_there_is_no_other_way_to_connect() -> None:
    assert callers("for_member", "node") == {"node/folkmoot_node/federation/renewal.py"}


def test_renew_renews_now(member: Path, regions: Regions) -> None:
    regions[0].certify(member, days_left=20)
    done = run_inside("folkmoot-node", "renew", "--home", member, "--json")
    said = json.loads(done.said())
    assert days_left(member) > 29
    assert said["certificate_until"] == f"{identity(member).not_after:%Y-%m-%dT%H:%M:%SZ}"
    assert said["before"] < said["certificate_until"]
    assert "lasts until" in run_inside("folkmoot-node", "renew", "--home", member).said()


def test_scoring_warns_of_a_certificate_that_nobody_renews(member: Path, regions: Regions) -> None:
    for days_left, says in ((11, None), (9, "the certificate ends on"), (-1, "ended on")):
        regions[0].certify(member, days_left=days_left)
        done = run_inside("folkmoot-node", "score", "--home", member)
        assert done.code == 0, done.stderr
        if says is None:
            assert "certificate" not in done.stderr
        else:
            assert says in done.stderr
            assert "`folkmoot-node renew`" in done.stderr


def test_after_its_end_the_region_is_asked(member: Path, regions: Regions) -> None:
    regions[0].certify(member, days_left=-1)
    for command in (("renew",), ("rounds", "list")):
        done = run_inside("folkmoot-node", *command, "--home", member)
        assert done.code == 3
        assert "certificate expired on" in done.stderr
        assert "Check the clock of this machine" in done.stderr
        assert "`folkmoot-node enrol --again`" in done.stderr


def test_a_renewal_that_is_refused_keeps_no_node_from_its_work(
    member: Path, regions: Regions, stage: Stage
) -> None:
    """The coordinator of the stage has no such call."""
    keys = KeyFiles(stage.home / "keys")
    end = int(load_identity(keys).not_after.timestamp())
    events: list[Event] = []
    with open_home(stage.home, clock=lambda: end - 9 * DAY) as home:
        stage.coordinator.clock_ahead = home.clock() - int(time.time())
        visit(home, events.append)
    assert len(stage.coordinator.metadata) == 2
    (problem,) = (event for event in events if event.is_problem)
    assert "was not renewed" in problem.text


@pytest.mark.parametrize(
    ("left", "state", "says"),
    [
        (29.5, State.OK, "certificate until"),
        (14.5, State.OK, "certificate until"),
        (13.9, State.WARN, "the certificate ends in 14 days, on"),
        (1.2, State.WARN, "the certificate ends in 29 hours, on"),
        (-0.1, State.FAIL, "this node's certificate expired on"),
        (32.5, State.WARN, "by this machine's clock, the certificate begins only on"),
    ],
)
def test_doctor_announces_the_end_from_14_days_on(
    stage: Stage, left: float, state: State, says: str
) -> None:
    keys = KeyFiles(stage.home / "keys")
    end = load_identity(keys).not_after.timestamp()
    found: Finding
    (found,) = examine([certificate(keys, lambda: int(end - left * DAY))])
    assert found.state is state
    assert found.what.startswith(says)
    if state is State.WARN and left < 30:
        assert "`folkmoot-node renew` does so now" in found.remedy


def test_doctor_says_what_is_so_after_it_has_renewed(member: Path, regions: Regions) -> None:
    regions[0].certify(member, days_left=9)
    offline = run_inside("folkmoot-node", "doctor", "--offline", "--home", member, "--json")
    (warned,) = (one for one in json.loads(offline.stdout) if one["check"] == "enrolment")
    assert "ends in 9 days" in warned["detail"]
    asked = run_inside("folkmoot-node", "doctor", "--home", member, "--json")
    found = {one["check"]: one for one in json.loads(asked.stdout)}
    assert found["enrolment"]["detail"].startswith("certificate until")
    assert "certificate renewed until" in found["coordinator"]["detail"]


def test_serve_renews_though_no_visit_is_due(member: Path, regions: Regions) -> None:
    """Visits are planned for once a day; the certificate is due a second after `serve` begins."""
    regions[0].certify(member, days_left=10)
    events: list[Event] = []
    with open_home(member) as home:
        due = load_identity(home.keys).due_at
    with open_home(member, clock=lambda: int(due) + 2) as home:
        watch = CertificateWatch(home, events.append)
        watch.attend()
    assert days_left(member) > 29
    assert [event.is_problem for event in events] == [False]


def test_the_watch_of_serve_tells_the_end_once_a_day_from_14_days_on(stage: Stage) -> None:
    keys = KeyFiles(stage.home / "keys")
    end = int(load_identity(keys).not_after.timestamp())
    now, events = [end - 15 * DAY], list[Event]()
    with open_home(stage.home, clock=lambda: now[0]) as home:
        watch = CertificateWatch(home, events.append)
        for _ in range(4 * 24):
            watch.attend()
            now[0] += 3600
    told = [event.text for event in events]
    assert len(told) == 3
    assert told[0].startswith("certificate of this node ends in 14 days, on")


def test_a_renewal_that_fails_is_tried_again_and_told_once(member: Path, regions: Regions) -> None:
    regions[0].certify(member, days_left=9)
    with open_home(member) as home:
        settings = home.config.home / "node.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("127.0.0.1:", "127.0.0.2:"), "utf-8")
    now, events = [int(time.time())], list[Event]()
    with open_home(member, clock=lambda: now[0]) as home:
        watch = CertificateWatch(home, events.append)
        for _ in range(3):
            watch.attend()
            now[0] += LONGEST_SECONDS + 1
        (failed,) = (event for event in events if event.is_problem)
        assert "was not renewed" in failed.text
    settings.write_text(text, "utf-8")
    with open_home(member, clock=lambda: now[0]) as home:
        watch._home = home
        watch.attend()
    assert days_left(member) > 29
