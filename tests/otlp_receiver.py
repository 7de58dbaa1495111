"""A receiver of OTLP over HTTP on loopback, which decodes what it is sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver:
    """What was received.

    Attributes:
        url: Where it listens.
        raw: Bodies, as they were sent once decompressed.
        headers: Of each request.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.raw: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self._metrics: list[ExportMetricsServiceRequest] = []
        self._traces: list[ExportTraceServiceRequest] = []

    def take(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """Decodes a request, and gives the answer to it."""
        self.raw.append(body)
        self.headers.append(headers)
        if path == "/v1/metrics":
            self._metrics.append(ExportMetricsServiceRequest.FromString(body))
            return bytes(ExportMetricsServiceResponse().SerializeToString())
        assert path == "/v1/traces", path
        self._traces.append(ExportTraceServiceRequest.FromString(body))
        return bytes(ExportTraceServiceResponse().SerializeToString())

    def metrics(self, program: str) -> dict[str, list[tuple[dict[str, str], float]]]:
        """The last numbers of each metric of a program, with their labels."""
        found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for request in self._metrics:
            for resource in request.resource_metrics:
                if _attributes(resource.resource.attributes)["service.name"] != program:
                    continue
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        points = metric.gauge.data_points or metric.sum.data_points
                        found[metric.name] = [
                            (_attributes(one.attributes), one.as_double or float(one.as_int))
                            for one in points
                        ]
        return found

    def spans(self, program: str) -> list[Span]:
        """All spans of a program."""
        return [
            span
            for request in self._traces
            for resource in request.resource_spans
            if _attributes(resource.resource.attributes)["service.name"] == program
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resources(self) -> list[dict[str, str]]:
        """What each request says of the program that sent it."""
        return [
            _attributes(resource.resource.attributes)
            for request in self._metrics
            for resource in request.resource_metrics
        ] + [
            _attributes(resource.resource.attributes)
            for request in self._traces
            for resource in request.resource_spans
        ]


def attributes_of(span: Span) -> dict[str, str]:
    """The attributes of a span as text."""
    return _attributes(span.attributes)


def _attributes(pairs: object) -> dict[str, str]:
    return {
        one.key: str(getattr(one.value, one.value.WhichOneof("value")))
        for one in pairs  # type: ignore[attr-defined]
    }


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receives until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            answer = receiver.take(self.path, dict(self.headers.items()), body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
