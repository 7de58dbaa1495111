"""A region with everything switched on: nothing unlisted is emitted, and no mark of a record.

A real node scores marked records and answers a round; its log, its metrics at both ends and its
traces are read, and so are those of the coordinator.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from region import TRAFFORD, Node, Region, eventually, household_rows, script

from folkmoot_coordinator.signals import events as coordinator_events
from folkmoot_coordinator.signals import metrics as coordinator_metrics
from folkmoot_coordinator.signals import spans as coordinator_spans
from folkmoot_node.signals import events as node_events
from folkmoot_node.signals import metrics as node_metrics
from folkmoot_node.signals import spans as node_spans
from folkmoot_operator.events import LIBRARY_FAILED, LIBRARY_WARNED
from folkmoot_web.events import EVENTS as WEB_EVENTS
from tests.otlp_receiver import Receiver, attributes_of, receiving
from tests.ports import free_port

UPRN, AMOUNT, AREA, WORD = "918273645546", "73915.28", "E01987654", "Zyxwvut"
MARKS = (UPRN, AMOUNT, "73,915", AREA, WORD)
HOUSEHOLDS = 1009  # a prime, and so no other number by chance
MARKED = [f"{UPRN},{AMOUNT},Y,{AREA}", f"{UPRN}99,1,Y,E01900901", f"{WORD},1,Y,E01900901"]
LISTED = {
    **coordinator_events.EVENTS,
    **node_events.EVENTS,
    **WEB_EVENTS,
    **{event.name: event for event in (LIBRARY_WARNED, LIBRARY_FAILED)},
}


@dataclass
class Shown:
    """What was seen of a region in one go.

    Attributes:
        node: The node.
        logs: Lines of JSON of each program.
        scraped: What Prometheus is shown, by program.
        receiver: What was sent.
    """

    node: Node
    logs: dict[str, list[str]]
    scraped: dict[str, str]
    receiver: Receiver


def switch_on(settings: Path, port: int, receiver: Receiver) -> None:
    text = settings.read_text("utf-8")
    tables = (
        '\n[log]\nformat = "json"\nfile = "log.jsonl"\n'
        "\n[prefect]\nenabled = false\n"
        f'\n[metrics]\nlisten = "127.0.0.1:{port}"\notlp = "{receiver.url}"\nevery_seconds = 5\n'
    )
    settings.write_text(text + tables, "utf-8")


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with receiving() as receiver:
        region = Region(tmp_path_factory.mktemp("region"))
        ports = {"coordinator": free_port(), "node": free_port()}
        switch_on(region.home / "coordinator.toml", ports["coordinator"], receiver)
        try:
            region.start()
            node = region.new_node(TRAFFORD)
            node.write_extract([*household_rows(TRAFFORD, HOUSEHOLDS - 1), *MARKED])
            switch_on(node.home / "node.toml", ports["node"], receiver)
            node.run("score")
            region.open_round([TRAFFORD])
            serving = subprocess.Popen(
                [script("folkmoot-node"), "serve", "--poll-seconds", "0.5", "--home", node.home],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:

                def is_answered() -> bool:
                    try:
                        text = scrape(ports["node"])
                    except OSError:
                        return False
                    answered = 'folkmoot_node_answers{kind="release"} 1.0' in text
                    return answered and 'visits_total{result="reached"}' in text

                eventually(is_answered, 120)
                time.sleep(6)  # once more by OTLP, and once from the enrolment process,
                connections = 'folkmoot_coordinator_connections{port="enrolment"}'
                eventually(lambda: connections in scrape(ports["coordinator"]))  # which may be late
                scraped = {name: scrape(port) for name, port in ports.items()}
            finally:
                serving.send_signal(signal.SIGTERM)
                assert serving.wait(60) == 0
        finally:
            region.stop()
        logs = {
            "coordinator": (region.home / "log.jsonl").read_text("utf-8").splitlines(),
            "node": (node.home / "log.jsonl").read_text("utf-8").splitlines(),
        }
        yield Shown(node, logs, scraped, receiver)


@pytest.mark.slow
def test_every_line_of_a_log_is_a_listed_event_with_listed_fields(shown: Shown) -> None:
    for program, lines in shown.logs.items():
        assert len(lines) > 3, program
        for line in lines:
            found = json.loads(line)
            event = LISTED[found["event"]]
            assert found["level"] == event.level.name.lower()
            beside = found.keys() - {"time", "level", "program", "event", "message"}
            assert beside <= event.fields.keys()
    said = {json.loads(line)["event"] for line in shown.logs["node"]}
    assert {"node.serve.started", "node.round.released", "node.answer.delivered"} <= said
    said = {json.loads(line)["event"] for line in shown.logs["coordinator"]}
    assert {"coordinator.council.enrolled", "coordinator.submission.stored"} <= said


@pytest.mark.slow
def test_prometheus_is_shown_listed_metrics_alone(shown: Shown) -> None:
    for program, listed in (
        ("node", node_metrics.METRICS),
        ("coordinator", coordinator_metrics.METRICS),
    ):
        text = shown.scraped[program]
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        names = {re.split(r"[{ ]", line)[0] for line in lines}
        assert names <= listed.keys()
        assert len(names) > 6
    node, coordinator = shown.scraped["node"], shown.scraped["coordinator"]
    assert "folkmoot_node_scores_age_seconds" in node
    assert 'folkmoot_node_visits_total{result="reached"}' in node
    assert re.search(r'certificate_days_left\{certificate="node"\} (29\.|30\.0)', node)
    assert 'folkmoot_coordinator_councils{standing="heard"} 1.0' in coordinator
    assert (
        'folkmoot_coordinator_submissions_total{kind="release",result="stored"} 1.0' in coordinator
    )
    assert 'folkmoot_coordinator_connections{port="enrolment"}' in coordinator, "another process"


@pytest.mark.slow
def test_a_receiver_gets_the_same_and_is_told_no_host_and_no_command(shown: Shown) -> None:
    for program, listed in (
        ("folkmoot-node", node_metrics.METRICS),
        ("folkmoot-coordinator", coordinator_metrics.METRICS),
    ):
        found = shown.receiver.metrics(program)
        assert len(found) > 6
        for name, points in found.items():
            for labels, _ in points:
                assert labels.keys() == listed[name].labels.keys()
    for resource in shown.receiver.resources():
        assert resource.keys() == {"service.name", "service.version"}


@pytest.mark.slow
def test_traces_have_listed_spans_and_attributes_and_coarse_durations(shown: Shown) -> None:
    for program, listed in (
        ("folkmoot-node", node_spans.SPANS),
        ("folkmoot-coordinator", coordinator_spans.SPANS),
    ):
        spans = shown.receiver.spans(program)
        assert {span.name for span in spans} == listed.keys()
        for span in spans:
            assert attributes_of(span).keys() <= listed[span.name].attributes.keys()
            assert not span.events
            assert not span.status.message
            if listed[span.name].coarse:
                taken = span.end_time_unix_nano - span.start_time_unix_nano
                assert taken % (10 * 10**9) == 0
    run = [one for one in shown.receiver.spans("folkmoot-node") if one.name == "node.run.stage"]
    assert {attributes_of(one)["stage"] for one in run} == set(node_metrics.STAGES)
    assert len(run) == len(node_metrics.STAGES), "the number of partitions is not in it"


@pytest.mark.slow
def test_no_mark_and_no_number_of_households_comes_out(shown: Shown) -> None:
    for marked in (*MARKS, str(HOUSEHOLDS), str(HOUSEHOLDS + 1), str(HOUSEHOLDS - 1)):
        for lines in shown.logs.values():
            for line in lines:
                kept = {key: value for key, value in json.loads(line).items() if key != "time"}
                assert not re.search(rf"(?<![0-9a-f.]){re.escape(marked)}(?![0-9a-f])", str(kept))
        for text in shown.scraped.values():
            assert not re.search(rf"(?<![0-9.]){re.escape(marked)}(\.0)?(?![0-9])", text)
    for body in shown.receiver.raw:
        for marked in MARKS:
            assert marked.encode() not in body
    for points in shown.receiver.metrics("folkmoot-node").values():
        for _, value in points:
            assert value not in {HOUSEHOLDS - 1, HOUSEHOLDS, HOUSEHOLDS + 1}
