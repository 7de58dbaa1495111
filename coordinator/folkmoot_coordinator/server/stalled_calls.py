"""Calls that send nothing: cut off, so that they do not keep a worker.

gRPC gives a call to a worker when its headers arrive, and the worker waits for the request
for as long as the caller likes. Anybody who reaches the enrolment port could take all
workers so, without any token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import grpc

from folkmoot_coordinator.server.call_limits import CallLimits

SECONDS = 10.0
"""How long a call with a single request may take to send it."""

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class FirstMessageDeadline(grpc.ServerInterceptor):
    """Ends calls whose one request does not come in time."""

    def __init__(self, limits: CallLimits) -> None:
        self._limits = limits

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The method's handler, taking its request as a stream that may be waited for."""
        handler: Any = continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler  # type: ignore[no-any-return]
        coding = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.response_streaming:

            def stream(requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
                yield from handler.unary_stream(self._only(requests, context), context)

            return grpc.stream_stream_rpc_method_handler(stream, **coding)

        def unary(requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
            return handler.unary_unary(self._only(requests, context), context)

        return grpc.stream_unary_rpc_method_handler(unary, **coding)

    def _only(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
        with self._limits.within(SECONDS, context.cancel):
            request = next(requests, None)
        if request is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request is missing")
        return request
