"""What goes into logs, metrics and traces is listed, and the page says the same as the lists."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_coordinator.signals.spans import SPANS as COORDINATOR_SPANS
from folkmoot_node.signals.spans import SPANS as NODE_SPANS
from folkmoot_operator.events import Level, LogEvent
from folkmoot_operator.metrics import Metric
from tests.signal_tables import EVENTS, METRICS, PAGE, filled

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("operator", "web", "node", "coordinator", "plugins", "rehearsal", "proto")
MONITORING = ROOT / "deploy" / "monitoring"

MAY_LOG = {
    "operator/folkmoot_operator/events.py": "the one way into a log",
    "operator/folkmoot_operator/log_output.py": "where events go",
    "node/folkmoot_node/linkage/address_matcher.py": "silences a library",
    "node/folkmoot_node/linkage/person_matcher.py": "silences a library",
    "plugins/sql/folkmoot_plugin_sql/engine.py": "silences a library",
}
"""Modules that import Python's logs, and why."""
MAY_RECORD = {
    "node/folkmoot_node/running/prefect_flows.py",
    "coordinator/folkmoot_coordinator/schedule/prefect_flows.py",
}
"""Modules that write into Prefect's history: texts of events, and ids of runs."""
LIBRARIES = {"opentelemetry", "prometheus_client"}


class Module:
    """What a module imports, calls and names, found in one pass.

    Attributes:
        imports: Modules, and what is taken from each.
        calls: All calls.
        names: Names and attributes that it mentions.
    """

    def __init__(self, path: Path) -> None:
        self.imports: set[tuple[str, str]] = set()
        self.calls: list[ast.Call] = []
        self.names: set[str] = set()
        tree = ast.parse(path.read_text("utf-8"))
        self.top = tree.body
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imports.update((one.name, "") for one in node.names)
            elif isinstance(node, ast.ImportFrom):
                self.imports.update((node.module or "", one.name) for one in node.names)
            elif isinstance(node, ast.Call):
                self.calls.append(node)
            elif isinstance(node, ast.Attribute):
                self.names.add(node.attr)
            elif isinstance(node, ast.Name):
                self.names.add(node.id)

    def of(self, *names: str) -> Iterator[ast.Call]:
        """Calls of functions or methods of these names."""
        for call in self.calls:
            function = call.func
            name = getattr(function, "attr", getattr(function, "id", ""))
            if name in names:
                yield call


SAYS = re.compile(r"logging|emit|Event\b|measure|count|metrics|opentelemetry|prometheus|signals")
"""Only modules with one of these words are looked at."""


@functools.cache
def modules() -> dict[str, Module]:
    """Our modules by name of the file, read once by the process that runs these tests."""
    return {
        name: Module(path)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "/build/" not in (name := path.relative_to(ROOT).as_posix())
        and "_pb2" not in name
        and SAYS.search(path.read_text("utf-8"))
    }


def last_name(node: ast.expr) -> set[str]:
    """Names of constants that an argument may be: `events.X`, `X`, or one of two."""
    if isinstance(node, ast.IfExp):
        return last_name(node.body) | last_name(node.orelse)
    if isinstance(node, ast.Attribute):
        return {node.attr}
    return {node.id} if isinstance(node, ast.Name) else set()


def constants(name: str) -> dict[str, object]:
    """Values of capital names in a module of ours, by name."""
    import importlib

    return {
        key: value for key, value in vars(importlib.import_module(name)).items() if key.isupper()
    }


LISTS = (
    "folkmoot_node.signals.events",
    "folkmoot_coordinator.signals.events",
    "folkmoot_web.events",
    "folkmoot_operator.events",
    "folkmoot_operator.log_output",
)
BY_CONSTANT: dict[str, list[LogEvent]] = {}
for one in LISTS:
    for constant, value in constants(one).items():
        if isinstance(value, LogEvent):
            BY_CONSTANT.setdefault(constant, []).append(value)


def test_nothing_else_writes_into_a_log() -> None:
    found = {name for name, one in modules().items() if "logging" in dict(one.imports)}
    assert found == MAY_LOG.keys()
    recorder = ("prefect.logging", "get_run_logger")
    assert {name for name, one in modules().items() if recorder in one.imports} == MAY_RECORD


def test_every_event_that_is_written_is_listed_with_its_fields() -> None:
    for name, module in modules().items():
        for call in module.of("emit"):
            if name.endswith(("operator/events.py", "log_output.py")) or not call.args:
                continue
            constant = last_name(call.args[0])
            if constant == {"kind"}:  # of an `Event` of the node, which is looked at below
                continue
            assert constant, f"{name}:{call.lineno}"
            for each in constant:
                fields = {word.arg for word in call.keywords}
                assert any(fields <= event.fields.keys() for event in BY_CONSTANT[each]), (
                    f"{name}:{call.lineno}"
                )


def test_every_event_of_a_visit_says_which_it_is() -> None:
    found = 0
    taken = ("folkmoot_node.answering.event", "Event")
    for name, module in modules().items():
        if taken not in module.imports:
            continue
        for call in module.of("Event"):
            if any(isinstance(one, ast.Starred) for one in call.args):
                continue  # from Prefect's history
            found += 1
            kinds = [word.value for word in call.keywords if word.arg == "kind"] or call.args[3:4]
            assert kinds, f"{name}:{call.lineno} does not say which event it is"
            problem = len(call.args) > 2 and getattr(call.args[2], "value", None) is True
            for constant in last_name(kinds[0]) - {"kind"}:
                (event,) = (one for one in BY_CONSTANT[constant] if one.name.startswith("node."))
                if len(call.args) < 3 or isinstance(call.args[2], ast.Constant):
                    assert (event.level > Level.INFO) == problem, f"{name}:{call.lineno}"
    assert found > 15


def test_no_event_is_listed_that_nobody_writes() -> None:
    lists = ("/signals/events.py", "folkmoot_web/events.py")
    used = {
        constant
        for name, module in modules().items()
        if not name.endswith(lists)
        for constant in module.names
    }
    assert BY_CONSTANT.keys() - used == set()


def test_every_metric_that_is_measured_is_listed_and_the_other_way_round() -> None:
    known = {
        constant: value
        for one in ("folkmoot_node.signals.metrics", "folkmoot_coordinator.signals.metrics")
        for constant, value in constants(one).items()
        if isinstance(value, Metric)
    }
    measured: set[str] = set()
    for name, module in modules().items():
        if name.startswith(("node/", "coordinator/")):
            for call in module.of("count", "measure", "set", "forget"):
                if call.args and (constant := last_name(call.args[0]) & known.keys()):
                    measured |= constant
    assert known.keys() - measured == set()


def test_only_one_module_imports_what_shows_metrics_and_late() -> None:
    home = "operator/folkmoot_operator/signal_output.py"
    found = {
        name
        for name, one in modules().items()
        for module, _ in one.imports
        if module.partition(".")[0] in LIBRARIES
    }
    assert found == {home}
    for node in modules()[home].top:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not LIBRARIES & {one.partition(".")[0] for one in names}


@pytest.mark.parametrize("word", ["household", "band", "quarantin", "record", "resident", "person"])
def test_nothing_is_measured_of_households(word: str) -> None:
    for metric in METRICS.values():
        assert word not in metric.name
        for name, allowed in metric.labels.items():
            assert word not in name
            assert isinstance(allowed, re.Pattern) or not any(word in value for value in allowed)
    for span in (*NODE_SPANS.values(), *COORDINATOR_SPANS.values()):
        assert word not in span.name
        assert not any(word in name for name in span.attributes)
    for event in EVENTS.values():
        assert not any(word in name for name in event.fields)


def test_the_page_says_the_same_as_the_lists() -> None:
    page = PAGE.read_text("utf-8")
    assert filled(page) == page, "run `python -m tests.signal_tables`"
    named = set(re.findall(r"^\| `((?:folkmoot_|[a-z]+\.)[a-z0-9_.]+)`", page, re.MULTILINE))
    named -= {"alerts.yml", "alerts_test.yml", "prometheus.yml", "dashboard.json"}
    assert named == {*EVENTS, *METRICS, *NODE_SPANS, *COORDINATOR_SPANS}


def test_dashboard_and_alerts_name_metrics_and_labels_that_there_are() -> None:
    board = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    targets = [one for panel in board["panels"] for one in panel.get("targets", ())]
    asked, shown = ([one[key] for one in targets] for key in ("expr", "legendFormat"))
    alerts = (MONITORING / "alerts.yml").read_text("utf-8")
    tests = (MONITORING / "alerts_test.yml").read_text("utf-8")
    named = set(re.findall(r"folkmoot_[a-z0-9_]+", "\n".join((*asked, alerts, tests))))
    assert named <= METRICS.keys()
    assert METRICS.keys() - set(re.findall(r"folkmoot_[a-z0-9_]+", "\n".join(asked))) == set()
    labels = {label for metric in METRICS.values() for label in metric.labels}
    for text in (*shown, alerts):
        found = re.findall(r"\{\{ ?(?:\$labels\.)?([a-z_]+) ?\}\}", text)
        assert set(found) <= labels | {"__name__"}
    for name, chosen in re.findall(
        r"(folkmoot_[a-z0-9_]+)\{([^}]*)\}", "\n".join((*asked, alerts, tests))
    ):
        for label, values in re.findall(r'([a-z_]+)[=!]~?"([^"]*)"', chosen):
            allowed = METRICS[name].labels[label]
            for each in values.split("|"):
                assert isinstance(allowed, re.Pattern) or each in allowed, (name, label, each)
