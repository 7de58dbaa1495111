"""Metrics and traces for whom the settings name: Prometheus on this machine, an OTLP receiver.

The libraries for it are imported here and when they are needed, so that a program whose settings
ask for none neither loads them nor opens a port.
"""

from __future__ import annotations

import importlib.util
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from folkmoot_operator import metrics, spans
from folkmoot_operator.metrics import Metric, Readings, Sort
from folkmoot_operator.network_addresses import split_address
from folkmoot_operator.private_files import is_open_to_others
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.signal_settings import MetricsSettings
from folkmoot_operator.spans import STEP_SECONDS, Span

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

_HEADER = re.compile(r"([A-Za-z0-9-]{1,100}):[ \t]*([ -~]{1,4000})")
_SEND_SECONDS = 10.0
_LIBRARIES = ("prometheus_client", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")

Look = Callable[[Readings], None]
"""Brings gauges up to date, just before they are shown."""


@contextmanager
def shown(
    settings: MetricsSettings,
    home: Path,
    program: str,
    version: str,
    listed: Mapping[str, Metric],
    look: Look = lambda _: None,
) -> Iterator[Readings | None]:
    """Shows metrics and sends traces until the end, to those whom the settings name.

    Args:
        settings: Table `[metrics]`.
        home: The product's folder.
        program: What a receiver calls it, for example `folkmoot-node`.
        version: Of the program.
        listed: Its metrics.
        look: Brings gauges up to date; called in another thread, one call at a time. Whatever it
            raises, the numbers that there are stay.

    Yields:
        Where numbers are set; None if nobody is to see any.

    Raises:
        Problem: Exit code SETTINGS, if a library is missing, a file cannot be used or the port is
            taken.
    """
    if settings.are_off:
        yield None
        return
    _require_libraries()
    readings = Readings(listed)
    with ExitStack() as stack:
        stack.callback(metrics.begin, None)
        stack.callback(spans.begin, None)
        metrics.begin(readings)
        if settings.listen is not None:
            stack.callback(_listen(settings.listen, readings, look))
        if settings.otlp is not None:
            stack.callback(_send(settings, home, program, version, readings, look))
        yield readings


@contextmanager
def traced(settings: MetricsSettings, home: Path, program: str, version: str) -> Iterator[None]:
    """Sends traces of a process that ends soon, if the settings name a receiver.

    Args:
        settings: Table `[metrics]`.
        home: The product's folder.
        program: What a receiver calls it.
        version: Of the program.
    """
    if settings.otlp is None or not settings.traces:
        yield
        return
    _require_libraries()
    tracing = _Tracing(settings, home, program, version)
    spans.begin(tracing)
    try:
        yield
    finally:
        spans.begin(None)
        tracing.close()


def _require_libraries() -> None:
    for name in _LIBRARIES:
        try:
            found = importlib.util.find_spec(name) is not None
        except ModuleNotFoundError:
            found = False
        if not found:
            raise Problem(
                "what shows metrics is not installed",
                where="the settings: metrics",
                remedy='Install the extra `metrics` of this program, or set metrics = "none"',
                exit_code=ExitCode.SETTINGS,
            )


def _listen(address: str, readings: Readings, look: Look) -> Callable[[], None]:
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    from folkmoot_operator.metrics_port import open_port

    class Collector:
        """What Prometheus is shown: the program's numbers, and none of the interpreter's."""

        def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
            with suppress(Exception):
                look(readings)
            families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
            for series in readings.series():
                metric = series.metric
                if metric.name not in families:
                    make = GaugeMetricFamily if metric.sort is Sort.GAUGE else CounterMetricFamily
                    families[metric.name] = make(
                        metric.name, metric.help, labels=list(metric.labels)
                    )
                families[metric.name].add_metric(list(series.labels), series.value)
            yield from families.values()

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    host, port = split_address(address)
    try:
        return open_port(host, port, make_wsgi_app(registry))
    except OSError as error:
        raise Problem(
            f"the address cannot be listened on ({error.strerror})",
            where=f"the settings: metrics.listen: {address}",
            remedy="Stop the program that uses the port, or set another",
            exit_code=ExitCode.SETTINGS,
        ) from None


def _send(
    settings: MetricsSettings,
    home: Path,
    program: str,
    version: str,
    readings: Readings,
    look: Look,
) -> Callable[[], None]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    exporter = OTLPMetricExporter(f"{settings.otlp}/v1/metrics", **_how(settings, home))
    reader = PeriodicExportingMetricReader(
        exporter,
        export_interval_millis=1000.0 * settings.every_seconds,
        export_timeout_millis=1000.0 * _SEND_SECONDS,
    )
    provider = MeterProvider([reader], resource=_resource(program, version), shutdown_on_exit=False)
    meter = provider.get_meter(program, version)
    looked = 0.0

    def observed(metric: Metric) -> Callable[[CallbackOptions], Iterator[Observation]]:
        def observe(_: CallbackOptions) -> Iterator[Observation]:
            nonlocal looked
            if time.monotonic() - looked > 1.0:  # once for all metrics of one sending
                looked = time.monotonic()
                with suppress(Exception):
                    look(readings)
            for series in readings.series():
                if series.metric is metric:
                    labels = dict(zip(metric.labels, series.labels, strict=True))
                    yield Observation(series.value, labels)

        return observe

    for metric in readings.metrics.values():
        if metric.sort is Sort.GAUGE:
            make: Any = meter.create_observable_gauge
        else:
            make = meter.create_observable_counter
        make(metric.name, [observed(metric)], description=metric.help)
    tracing = _Tracing(settings, home, program, version) if settings.traces else None
    spans.begin(tracing)

    def stop() -> None:
        if tracing is not None:
            tracing.close()
        provider.shutdown(1000.0 * _SEND_SECONDS)

    return stop


def _resource(program: str, version: str) -> Resource:
    from opentelemetry.sdk.resources import Resource

    # Not `Resource.create`: that adds the environment's variables, and detects host and command.
    return Resource({"service.name": program, "service.version": version})


def _how(settings: MetricsSettings, home: Path) -> dict[str, Any]:
    """How the receiver is reached: as the settings say, and not as the environment says."""
    import requests

    session = requests.Session()
    session.trust_env = False
    how: dict[str, Any] = {
        "timeout": _SEND_SECONDS,
        "session": session,
        "headers": _headers(home / settings.headers_file) if settings.headers_file else {},
    }
    if settings.ca_file is not None:
        how["certificate_file"] = str(home / settings.ca_file)
    return how


def _headers(path: Path) -> dict[str, str]:
    try:
        text = read_short_file(path).decode()
        shared = is_open_to_others(path)
    except (OSError, UnicodeDecodeError):
        raise _wrong_headers(path, "cannot be read as text") from None
    if shared:
        raise _wrong_headers(path, "can be read by other accounts")
    found = {}
    for number, line in enumerate(filter(None, text.splitlines()), start=1):
        match = _HEADER.fullmatch(line)
        if match is None:
            raise _wrong_headers(path, f"line {number} is not `Name: value`")
        found[match[1]] = match[2]
    return found


def _wrong_headers(path: Path, problem: str) -> Problem:
    return Problem(
        problem,
        where=str(path),
        remedy="Write one `Name: value` a line into it, and `chmod 600` it",
        exit_code=ExitCode.SETTINGS,
    )


class _Tracing:
    """Sends spans by OTLP, in a thread of its own."""

    def __init__(self, settings: MetricsSettings, home: Path, program: str, version: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        exporter = OTLPSpanExporter(f"{settings.otlp}/v1/traces", **_how(settings, home))
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=_resource(program, version), shutdown_on_exit=False
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, schedule_delay_millis=1000, export_timeout_millis=10_000)
        )
        self._tracer = self._provider.get_tracer(program, version)

    def begin(self, span: Span) -> Any:
        """Opens a span within the one that is open in this thread."""
        from opentelemetry import context, trace

        opened = self._tracer.start_span(span.name, record_exception=False)
        return opened, context.attach(trace.set_span_in_context(opened))

    def end(self, opened: Any, span: Span, attributes: Mapping[str, Any], *, failed: bool) -> None:
        """Closes it."""
        from opentelemetry import context
        from opentelemetry.trace import Status, StatusCode

        one, token = opened
        context.detach(token)
        one.set_attributes(dict(attributes))
        if failed:
            one.set_status(Status(StatusCode.ERROR))
        now = time.time_ns()
        if span.coarse:
            step = STEP_SECONDS * 10**9
            now = one.start_time + -(-(now - one.start_time) // step) * step
        one.end(now)

    def close(self) -> None:
        """Sends what waits, and ends."""
        self._provider.shutdown()
