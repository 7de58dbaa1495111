"""Metrics and traces for whom the settings name; for nobody, nothing is loaded or opens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest

from folkmoot_operator import metrics, metrics_port, readings_socket, signal_output, spans
from folkmoot_operator.events import Kind, UnlistedValue
from folkmoot_operator.metrics import Metric, Readings, Sort, listed
from folkmoot_operator.problems import Problem
from folkmoot_operator.settings import Settings, parse
from folkmoot_operator.signal_settings import LogSettings, MetricsSettings
from folkmoot_operator.spans import Span, span
from tests.otlp_receiver import attributes_of, receiving
from tests.ports import free_port

WHY = "It is about nothing but this test."
CALLS = Metric(
    "folkmoot_test_calls_total", Sort.COUNTER, "Calls", WHY, {"method": frozenset({"Submit"})}
)
OPEN = Metric("folkmoot_test_open", Sort.GAUGE, "What is open", WHY)
LISTED = listed(CALLS, OPEN)
VISIT = Span("node.test", WHY, {"round": Kind.ROUND})
RUN = Span("node.test.run", WHY, coarse=True)
SECRET = "Zyxwvut"


class File(Settings):
    """A settings file."""

    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()


def settings(text: str) -> MetricsSettings:
    return parse(File, text.encode(), "node.toml").metrics


@pytest.mark.parametrize("text", ["", 'metrics = "none"', "[metrics]"])
def test_for_nobody_nothing_is_loaded_and_no_port_opens(text: str) -> None:
    assert settings(text).are_off
    program = f"""
import socket, sys
opened = []
listen = socket.socket.listen
socket.socket.listen = lambda *given: opened.append(given) or listen(*given)
from pathlib import Path
from folkmoot_node.signals.metrics import METRICS, VISITS
from folkmoot_node.signals.spans import VISIT
from folkmoot_operator import readings_socket, signal_output
from folkmoot_operator.metrics import count
from folkmoot_operator.signal_settings import MetricsSettings
from folkmoot_operator.spans import span
settings = MetricsSettings.model_validate({"none" if "none" in text else {}!r})
with signal_output.shown(settings, Path(), "p", "1", METRICS) as readings:
    with readings_socket.heard(readings), readings_socket.telling("p", METRICS):
        assert readings is None
        count(VISITS, result="reached")
        with span(VISIT):
            pass
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert not loaded & {{"opentelemetry", "prometheus_client", "requests", "urllib3"}}, loaded
assert not opened
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[metrics]\nlisten = "0.0.0.0:9464"', "metrics.listen"),
        ('[metrics]\nlisten = "127.0.0.1:0"', "metrics.listen"),
        ('[metrics]\notlp = "http://collector.example"', "metrics.otlp"),
        ('[metrics]\notlp = "https://me:secret@collector.example"', "metrics.otlp"),
        ('[metrics]\notlp = "https://collector.example/?key=secret"', "metrics.otlp"),
        ('[metrics]\nlisten = "127.0.0.1:9464"\nheaders_file = "x"', "headers_file"),
        ('[metrics]\nlistne = "127.0.0.1:9464"', "did you mean 'listen'"),
        ('metrics = "all"', '"none"'),
        ('[log]\nformat = "journal"\nfile = "x"', "log.file"),
        ("[log]\nkeep = 0", "log.keep"),
    ],
)
def test_settings_that_do_not_hold_are_named(text: str, names: str) -> None:
    with pytest.raises(Problem) as caught:
        settings(text)
    assert names in str(caught.value)


def test_what_is_not_listed_is_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    readings = Readings(LISTED)
    with pytest.raises(UnlistedValue):
        readings.add(CALLS, 1, method=SECRET)
    with pytest.raises(UnlistedValue):
        readings.add(CALLS, 1)
    with pytest.raises(UnlistedValue):
        readings.set(Metric("folkmoot_test_more", Sort.GAUGE, "", WHY), 1)
    metrics.begin(readings)
    try:
        metrics.count(CALLS, method=SECRET)
    finally:
        metrics.begin(None)
    assert "an event was not written" in caplog.text
    assert SECRET not in caplog.text
    assert readings.series() == []


def test_names_say_how_a_metric_moves_and_each_says_why_it_discloses_nothing() -> None:
    for name, sort, why in (
        ("folkmoot_test_calls", Sort.COUNTER, WHY),
        ("folkmoot_test_total", Sort.GAUGE, WHY),
        ("calls_total", Sort.COUNTER, WHY),
        ("folkmoot_test_open", Sort.GAUGE, ""),
    ):
        with pytest.raises(ValueError, match=r"folkmoot_test|named so"):
            Metric(name, sort, "", why)
    with pytest.raises(ValueError, match="no sentences"):
        Span("node.test", WHY, {"text": Kind.SAID})


def test_prometheus_and_a_receiver_get_the_same_numbers(tmp_path: Path) -> None:
    port, looks = free_port(), []

    def look(readings: Readings) -> None:
        looks.append(1)
        readings.set(OPEN, True)
        raise ValueError(SECRET)  # the numbers that there are stay

    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer x\n")
    headers.chmod(0o600)
    with receiving() as receiver:
        shown = MetricsSettings(
            listen=f"127.0.0.1:{port}", otlp=receiver.url, headers_file=Path("headers")
        )
        with signal_output.shown(shown, tmp_path, "folkmoot-node", "1.0", LISTED, look):
            metrics.count(CALLS, 2, method="Submit")
            with span(VISIT, round="5f0c") as note:
                note.say(round="not a round")
            with pytest.raises(ValueError, match=SECRET), span(RUN):
                raise ValueError(SECRET)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read().decode()
        sent = receiver.metrics("folkmoot-node")
        visit, run = sorted(receiver.spans("folkmoot-node"), key=lambda one: one.name)
        raw, asked = receiver.raw, receiver.headers
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == ['folkmoot_test_calls_total{method="Submit"} 2.0', "folkmoot_test_open 1.0"]
    assert sent == {
        "folkmoot_test_calls_total": [({"method": "Submit"}, 2.0)],
        "folkmoot_test_open": [({}, 1.0)],
    }
    assert attributes_of(visit) == {"round": "5f0c"}
    assert (run.end_time_unix_nano - run.start_time_unix_nano) == 10 * 10**9
    assert run.status.code == 2
    assert not run.events
    assert all(SECRET.encode() not in body for body in raw)
    assert all("Bearer x" in one.values() for one in asked)
    assert looks
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics")


@pytest.mark.slow
def test_connections_that_hang_take_nothing_from_the_program(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    port, before = free_port(), threading.active_count()
    shown = MetricsSettings(listen=f"127.0.0.1:{port}")
    with ExitStack() as stack:
        stack.enter_context(signal_output.shown(shown, tmp_path, "folkmoot-node", "1.0", LISTED))
        metrics.count(CALLS, method="Submit")
        for number in range(10 * metrics_port.MOST):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            one.send(b"GET / HTTP/1.1\r\n" if number % 2 else b"G")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            assert b"folkmoot_test" in answer.read()
        until = time.monotonic() + 60
        while threading.active_count() > before + metrics_port.MOST + 1:
            assert time.monotonic() < until, threading.enumerate()
            time.sleep(0.05)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:1", 200), ("LOCALHOST", 200), ("[::1]:9464", 200),
        ("evil.example", 421), ("evil.example:9464", 421), ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421), ("192.0.2.1", 421), ("[2001:db8::1]", 421), ("", 421),
        ("[::1", 421), ("localhost, evil.example", 421), (None, 421),
    ],
)  # fmt: skip
def test_a_page_of_another_site_reads_nothing(
    host: str | None, status: int, tmp_path: Path
) -> None:
    """A site can let its name point to 127.0.0.1; a browser then sends that name as the host."""
    port = free_port()
    shown = MetricsSettings(listen=f"127.0.0.1:{port}")
    with signal_output.shown(shown, tmp_path, "folkmoot-node", "1.0", LISTED):
        metrics.count(CALLS, method="Submit")
        asked = HTTPConnection("127.0.0.1", port, timeout=10)
        asked.putrequest("GET", "/metrics", skip_host=True)
        if host is not None:
            asked.putheader("Host", host)
        asked.endheaders()
        answer = asked.getresponse()
        text = answer.read().decode()
    assert answer.status == status
    assert ("folkmoot_" in text) == (status == 200)


def test_headers_that_others_can_read_are_refused(tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer x\n")
    headers.chmod(0o644)
    shown = MetricsSettings(otlp="https://127.0.0.1:1", headers_file=Path("headers"))
    with (
        pytest.raises(Problem, match="other accounts"),
        signal_output.shown(shown, tmp_path, "p", "1", LISTED),
    ):
        pass


def test_a_port_that_is_taken_and_a_library_that_is_missing_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shown = MetricsSettings(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with (
            pytest.raises(Problem, match="cannot be listened on"),
            signal_output.shown(shown, tmp_path, "p", "1", LISTED),
        ):
            pass
    monkeypatch.setattr(signal_output, "_LIBRARIES", ("no_such.library",))
    with (
        pytest.raises(Problem) as caught,
        signal_output.shown(shown, tmp_path, "p", "1", LISTED),
    ):
        pass
    assert "extra `metrics`" in caught.value.remedy


def test_a_child_tells_its_numbers_and_what_is_not_listed_is_left_out() -> None:
    readings = Readings(LISTED)
    readings.add(CALLS, 1, method="Submit")
    child = f"""
from folkmoot_operator import readings_socket
from folkmoot_operator.metrics import Metric, Sort, count, listed, measure
why = "It is about nothing but this test."
labels = {{"method": frozenset({{"Submit", "{SECRET}"}})}}
calls = Metric("folkmoot_test_calls_total", Sort.COUNTER, "", why, labels)
more = Metric("folkmoot_test_more", Sort.GAUGE, "", why)
with readings_socket.telling("child", listed(calls, more)):
    count(calls, 2, method="Submit")
    count(calls, 5, method="{SECRET}")
    measure(more, 7)
"""
    with readings_socket.heard(readings):
        kept = readings_socket.inherited()
        assert len(kept) == 1
        subprocess.run([sys.executable, "-c", child], check=True, pass_fds=kept, timeout=60)
    assert [(one.metric.name, one.value) for one in readings.series()] == [
        ("folkmoot_test_calls_total", 3.0)
    ]
    assert readings_socket.VARIABLE not in os.environ
    assert readings_socket.inherited() == ()


def test_without_a_receiver_a_span_lets_everything_through() -> None:
    spans.begin(None)
    with pytest.raises(KeyError), span(VISIT, round="anything") as note:
        note.say(round="x", other=1)
        raise KeyError
