"""A node that visits for years, and finds nothing, does not fill its disk or its log."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.egress_log import MIN_PRUNED, EgressLog
from folkmoot_node.evidence.joint_head import JointHead, NotedHead
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.operations.prune_records import prune_by_rule
from folkmoot_node.running.serve import serve
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside

DAY = 86_400
ASKS = "/folkmoot.v1.CollectionService/ListRounds"
ANSWERS = "/folkmoot.v1.CollectionService/Submit"


def visit(home: NodeHome) -> None:
    with home.connect() as client:
        list(poll(home, client))


def entries(state: StateDatabase) -> int:
    return state.chain("egress").head().length


def test_visits_that_find_nothing_add_a_few_entries_a_day(stage: Stage) -> None:
    now = int(time.time()) // DAY * DAY + 60
    times = []
    for day in range(2):
        for minute in range(5):
            moment = now + day * DAY + minute * 60
            stage.coordinator.clock_ahead = moment - int(time.time())
            with open_home(stage.home, clock=lambda moment=moment: moment) as home:
                visit(home)
                times.append(entries(home.state))
    assert times == [3] * 5 + [9] * 5, "each message once; how often again, when the day is over"
    with open_home(stage.home) as home:
        home.egress.verify()
        assert len(list(home.egress.departures())) == 3 * 10
        days = list(home.egress.days())
        assert [one.times for one in days] == [5] * 6
        assert [one.last_at - one.departure.at for one in days] == [240] * 6
    shown = run_inside("folkmoot-node", "egress", "--home", stage.home, "--json").said()
    assert shown.count('"times": 5') == 6


@pytest.fixture
def long_ago(stage: Stage) -> Iterator[NodeHome]:
    """A node whose log has thousands of visits, as earlier versions wrote them, and one answer."""
    with open_home(stage.home) as home:
        old = int(time.time()) - 500 * DAY
        log = home.state.chain("egress")
        with home.state.transaction() as connection:
            for number in range(2 * MIN_PRUNED):
                answers = number in {700, 701}
                body = {
                    "method": ANSWERS if answers else ASKS,
                    "destination": "127.0.0.1:1",
                    "round_id": f"{1:032x}" if answers else "",
                    "messages": 1,
                    "size": 2,
                    "sha256": f"{number:064x}",
                }
                log.append(connection, old + number, body)
        visit(home)
        yield home


def test_old_visits_are_pruned_and_the_chain_still_verifies(long_ago: NodeHome) -> None:
    log = long_ago.state.chain("egress")
    noted = log.head()
    (event,) = prune_by_rule(long_ago)
    assert (
        event.text == f"pruned entries about old visits from the egress log: {2 * MIN_PRUNED - 2}"
    )
    assert list(prune_by_rule(long_ago)) == [], "few are left"
    assert long_ago.egress.verify().length == noted.length + 1
    log.require(noted)
    kept = [one.method for one in long_ago.egress.departures()]
    assert kept[:2] == [ANSWERS] * 2
    assert len(kept) == 2 + 3
    visit(long_ago)
    assert long_ago.egress.verify()
    (pruned,) = log.entries(("pruned",))
    assert pruned.body["rule"] == "[keep] visits_days = 400"
    assert [gap[:2] for gap in pruned.body["gaps"]] == [[1, 700], [703, 2_000]]


def test_a_head_of_what_was_pruned_is_not_called_tampering(long_ago: NodeHome) -> None:
    log = long_ago.state.chain("egress")
    inside, end, joint = log.head_at(300), log.head_at(700), JointHead.now(long_ago.state)
    assert inside is not None
    assert end is not None
    list(prune_by_rule(long_ago))
    for noted in (str(end), f"egress={end}", str(joint)):
        NotedHead.parse(noted).require(long_ago.state)
    for noted in (str(inside), f"egress={inside}"):
        with pytest.raises(Problem, match="pruned by rule"):
            NotedHead.parse(noted).require(long_ago.state)
    with pytest.raises(Problem, match="not there now"):
        NotedHead.parse(f"ledger={inside}").require(long_ago.state)


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM egress WHERE sequence = 701",
        "DELETE FROM egress WHERE sequence = 702",
        "DELETE FROM egress WHERE sequence IN (701, 702)",
        "UPDATE egress SET body = replace(body, '[703', '[701') WHERE sequence > 2000",
        "UPDATE egress SET body = 'x' WHERE body LIKE '%pruned%'",
        "DELETE FROM egress WHERE body LIKE '%pruned%'",
    ],
)
def test_what_the_rule_did_not_prune_is_missed(long_ago: NodeHome, tampering: str) -> None:
    list(prune_by_rule(long_ago))
    with long_ago.state.transaction() as connection:
        connection.execute("DROP TRIGGER egress_stays")
        connection.execute("DROP TRIGGER egress_keeps")
        connection.execute(tampering)
    with pytest.raises(Problem) as caught:
        long_ago.egress.verify()
    assert caught.value.exit_code is ExitCode.VERIFICATION


def test_entries_that_the_ledger_names_are_kept(long_ago: NodeHome) -> None:
    log = EgressLog(long_ago.state, long_ago.clock)
    assert log.prune(long_ago.clock() - DAY, {5, 1_000}, "a rule") == 2 * MIN_PRUNED - 4
    kept = [entry.sequence for entry in long_ago.state.chain("egress").entries()]
    assert kept[:4] == [5, 701, 702, 1_000]
    assert log.verify()


def test_rounds_that_came_to_nothing_are_forgotten_after_a_while(stage: Stage) -> None:
    long_past = int(time.time()) - 40 * DAY
    ends = {1: long_past + 60, 2: int(time.time()) - 60, 3: int(time.time()) + 600}
    stage.coordinator.rounds = [
        round_codec.encode_round(ask(number, opened_at=long_past, deadline=deadline))
        for number, deadline in ends.items()
    ]
    with open_home(stage.home) as home:
        visit(home)
        assert len(home.round_book().rounds()) == 3
        (event,) = prune_by_rule(home)
        assert event.text == "pruned rounds that ended without an answer: 1"
        assert [one.round_id for one in home.round_book().rounds()] == [f"{2:032x}", f"{3:032x}"]


class AfterVisits(threading.Event):
    """Stops `serve` after a number of visits."""

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__()
        self._stage = stage
        self._number = number

    def wait(self, timeout: float | None = None) -> bool:
        if len(self._stage.coordinator.metadata) >= self._number:
            self.set()
        return super().wait(timeout)


def test_a_round_that_cannot_be_answered_is_told_once(stage: Stage) -> None:
    with (stage.home / "node.toml").open("a") as file:
        file.write("[prefect]\nenabled = false\n")
    (stage.home / "store" / "households.duckdb").unlink()
    stage.coordinator.rounds = [round_codec.encode_round(ask(1)), b"not a round"]
    told: list[Event] = []
    with open_home(stage.home) as home:
        serve(home, told.append, stop=AfterVisits(stage, 5), poll_seconds=0.05)
    assert len(stage.coordinator.metadata) == 5
    texts = [event.text for event in told]
    assert sum("cannot be answered" in text for text in texts) == 1
    assert sum("not a protobuf message" in text for text in texts) == 1
