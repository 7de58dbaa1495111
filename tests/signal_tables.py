"""The tables of `docs/signals.md`; `python -m tests.signal_tables` makes them from the lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from folkmoot_coordinator.signals import events as coordinator_events
from folkmoot_coordinator.signals import metrics as coordinator_metrics
from folkmoot_coordinator.signals import spans as coordinator_spans
from folkmoot_node.signals import events as node_events
from folkmoot_node.signals import metrics as node_metrics
from folkmoot_node.signals import spans as node_spans
from folkmoot_operator.events import LIBRARY_FAILED, LIBRARY_WARNED, REFUSED, Kind, LogEvent
from folkmoot_operator.metrics import Metric
from folkmoot_operator.spans import Span
from folkmoot_web.events import EVENTS as WEB_EVENTS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "signals.md"

EVENTS: Mapping[str, LogEvent] = {
    **node_events.EVENTS,
    **coordinator_events.EVENTS,
    **WEB_EVENTS,
    **{event.name: event for event in (LIBRARY_WARNED, LIBRARY_FAILED, REFUSED)},
}
METRICS: Mapping[str, Metric] = {**node_metrics.METRICS, **coordinator_metrics.METRICS}
SPANS: Mapping[str, Span] = {**node_spans.SPANS, **coordinator_spans.SPANS}


def _events(prefixes: tuple[str, ...]) -> Iterator[str]:
    yield "| Event | Level | Fields | Why it discloses nothing |"
    yield "|---|---|---|---|"
    for name in sorted(EVENTS):
        if name.partition(".")[0] in prefixes:
            event = EVENTS[name]
            fields = ", ".join(f"{key} ({kind.name})" for key, kind in event.fields.items())
            yield f"| `{name}` | {event.level.name} | {fields} | {event.discloses} |"


def _label(name: str, allowed: frozenset[str] | re.Pattern[str]) -> str:
    if isinstance(allowed, frozenset):
        return f"{name}: {', '.join(f'`{value}`' for value in sorted(allowed))}"
    return f"{name}: a pattern of addresses, or `other`"


def _metrics(listed: Mapping[str, Metric]) -> Iterator[str]:
    yield "| Metric | Sort | What it is | Labels | Why it discloses nothing |"
    yield "|---|---|---|---|---|"
    for name in listed:
        metric = listed[name]
        labels = "; ".join(_label(*pair) for pair in metric.labels.items())
        yield f"| `{name}` | {metric.sort.value} | {metric.help} | {labels} | {metric.discloses} |"


def _spans() -> Iterator[str]:
    yield "| Span | Attributes | Why it discloses nothing |"
    yield "|---|---|---|"
    for name, span in SPANS.items():
        yield f"| `{name}` | {', '.join(span.attributes)} | {span.discloses} |"


def _kinds() -> Iterator[str]:
    yield "| Kind | What it may be |"
    yield "|---|---|"
    for kind in Kind:
        yield f"| {kind.name} | {kind.described} |"


def tables() -> dict[str, Iterable[str]]:
    """Lines of each table by the name that stands in the page."""
    return {
        "kinds": _kinds(),
        "events of the node": _events(("node", "casework")),
        "events of the coordinator": _events(("coordinator", "site")),
        "events of both": _events(("operator", "web")),
        "metrics of the node": _metrics(node_metrics.METRICS),
        "metrics of the coordinator": _metrics(coordinator_metrics.METRICS),
        "spans": _spans(),
    }


def filled(page: str) -> str:
    """The page with its tables made anew."""
    for name, lines in tables().items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{PAGE} has no place for the table {name}")
        table = "\n".join(lines)
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
