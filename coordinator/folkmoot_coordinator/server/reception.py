"""Where calls arrive: who calls, a place for the call, and only then its message.

A call that waits, for its message or for a peer that reads slowly, costs memory and its
caller's place, and no worker. Workers do what may take its time, once everything that it
needs has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from folkmoot.rejection import Rejected
from folkmoot_coordinator.membership.caller import Member, claimed_member
from folkmoot_coordinator.server.methods import Method, Undecodable, UnknownName
from folkmoot_coordinator.server.places import Places
from folkmoot_coordinator.signals import events, metrics
from folkmoot_coordinator.signals.spans import CALL
from folkmoot_operator.events import emit
from folkmoot_operator.metrics import count
from folkmoot_operator.problems import Problem
from folkmoot_operator.spans import span

Result = TypeVar("Result")
Context = grpc.aio.ServicerContext[bytes, bytes]

FIRST_MESSAGE_SECONDS = 10.0
"""How long a call may take to send its first message."""

SMALL_BYTES = 64 * 1024
"""A part of a request up to this size is read at once: a worker would take longer to begin."""


class Reception(grpc.GenericRpcHandler):
    """Takes the calls of one port. Of one event loop."""

    def __init__(
        self,
        methods: Iterable[Method],
        *,
        authenticate: Callable[[bytes | None], Member],
        caller: Callable[[str], tuple[str, str]],
        shows: Callable[[str, str], None],
        places: Places,
        workers: Executor,
        call_seconds: float,
    ) -> None:
        """Takes calls of these methods.

        Args:
            methods: Which.
            authenticate: The council whose certificate was shown; raises Rejected.
            caller: `Gate.caller`.
            shows: `Gate.shows`.
            places: How many calls each caller may have at one time.
            workers: Threads that do the work.
            call_seconds: Longest duration of a call, in seconds.
        """
        self._methods = {method.path: method for method in methods}
        self._authenticate = authenticate
        self._caller = caller
        self._shows = shows
        self._places = places
        self._workers = workers
        self._call_seconds = call_seconds

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """The handler of a method; None if there is no such method.

        Every method is handled as a stream of messages each way: gRPC then hands the call over
        before the first message has come.
        """
        method = self._methods.get(str(details.method))
        if method is None:
            return None

        async def handle(_: object, context: Context) -> None:
            await self._receive(method, context)

        return grpc.stream_stream_rpc_method_handler(handle)

    async def _receive(self, method: Method, context: Context) -> None:
        """Answers a call.

        Trouble of the coordinator's own becomes a gRPC status, without its text: UNAVAILABLE
        if the same request may succeed later, else INTERNAL.
        """
        network, address = self._caller(context.peer())
        call = method.name if method.name in metrics.METHODS else "other"
        result = "fault"
        with span(CALL, method=call) as traced:
            try:
                result, status, detail = await self._answer(method, context, network, address)
            except asyncio.CancelledError:
                result = "broken_off"
                raise
            finally:
                count(metrics.CALLS, method=call, result=result)
                traced.say(result=result)
        if status is not None:
            await context.abort(status, detail)

    async def _answer(
        self, method: Method, context: Context, network: str, address: str
    ) -> tuple[str, grpc.StatusCode | None, str]:
        """Answers a call.

        Returns:
            How it ended, for the metric; and the status with which gRPC is to end it, with its
            text, where the answer itself does not say it.
        """
        call = method.name
        try:
            async with asyncio.timeout(self._call_seconds):
                return await self._respond(method, context, network, address), None, ""
        except asyncio.CancelledError:
            emit(events.CALL_BROKEN_OFF, call=call, peer=address)
            raise
        except TimeoutError:
            emit(events.CALL_CUT_OFF, call=call, peer=address)
            return "cut_off", grpc.StatusCode.CANCELLED, "the call took too long"
        except Undecodable:
            emit(events.CALL_UNDECODABLE, call=call, peer=address)
            return (
                "undecodable",
                grpc.StatusCode.INVALID_ARGUMENT,
                "the request cannot be decoded",
            )
        except _Missing:
            return "undecodable", grpc.StatusCode.INVALID_ARGUMENT, "the request is missing"
        except UnknownName:
            return "rejected", grpc.StatusCode.NOT_FOUND, "there is no such service"
        except _Refused:
            return "rejected", grpc.StatusCode.PERMISSION_DENIED, "the certificate is not accepted"
        except Problem as problem:
            emit(events.CALL_FAILED, call=call, problem=problem)
            return "failed", grpc.StatusCode.UNAVAILABLE, "the coordinator cannot serve this now"
        except Exception as error:
            emit(events.CALL_FAULT, call=call, error=type(error).__name__)
            return "fault", grpc.StatusCode.INTERNAL, "a fault in the coordinator"

    async def _respond(self, method: Method, context: Context, network: str, address: str) -> str:
        try:
            shown = bytes(next(iter(context.auth_context().get("x509_pem_cert", ())), b"")) or None
            # A place before the database is asked: what the certificate claims is enough for
            # that, because TLS has checked that the authority made it.
            claimed = claimed_member(shown) if shown else None
            if claimed is not None:
                self._shows(context.peer(), claimed.serial)
            name = claimed.council if claimed is not None else network
            with self._places.one(name) as mine:
                for response in await self._responses(method, context, shown, mine):
                    await context.write(response.SerializeToString())
            return "answered"
        except Rejected as rejected:
            reason = rejected.rejection.reason.name
            emit(events.CALL_REJECTED, call=method.name, peer=address, reason=reason)
            count(metrics.REJECTIONS, reason=reason.lower())
            if not method.has_rejection:
                raise _Refused from None
            await context.write(method.rejection(rejected.rejection))
            return "rejected"

    async def _responses(
        self, method: Method, context: Context, shown: bytes | None, mine: asyncio.Semaphore
    ) -> Iterable[Message]:
        member = None
        if not method.for_anybody:
            member = await self._in_worker(mine, lambda: self._authenticate(shown))
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            first = await _next(context)
        if first is None and not method.in_parts:
            raise _Missing
        raw = first or b""  # which has no header
        if not method.in_parts:
            return await self._in_worker(mine, lambda: method.answer(raw, member))
        submission = await self._in_worker(mine, lambda: method.begin(raw, member))
        while (part := await _next(context)) is not None:
            if len(part) <= SMALL_BYTES:
                submission.add(part)
            else:
                await self._in_worker(mine, lambda part=part: submission.add(part))  # type: ignore[misc]
        return await self._in_worker(mine, submission.finish)

    async def _in_worker(self, mine: asyncio.Semaphore, work: Callable[[], Result]) -> Result:
        async with mine:
            job = asyncio.get_running_loop().run_in_executor(self._workers, work)
            try:
                return await asyncio.shield(job)
            except asyncio.CancelledError:
                # The caller has gone. Its place is free when its work has ended, else callers
                # who leave at once could fill the queue of the workers.
                await asyncio.wait({job})
                if not job.cancelled():
                    job.exception()  # it has been seen
                raise


async def _next(context: Context) -> bytes | None:
    """The next message; None if the caller sends no more."""
    read: object = await context.read()
    return read if isinstance(read, bytes) else None


class _Refused(Exception):
    """A call was rejected whose responses have no field for that."""


class _Missing(Exception):
    """A call has ended without a message."""
