"""The wire between one node and the coordinator: it sees every byte, and it fails on demand.

A gRPC server with the region's certificate, to which the node dials, and which dials the
coordinator with the node's certificate. Messages pass through as bytes. What the node
handed to the network is kept for the witness; what arrives, and what comes back, is up to
the weather.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from faults import FAIR_WEATHER, AnswerFault, ListingFault, Mishap, Weather
from questions import Offered

from folkmoot import rejection_codec
from folkmoot.receipt import RECEIPT_SIGNATURE_DOMAIN
from folkmoot.rejection import Rejection
from folkmoot.v1 import collection_pb2, release_pb2, round_pb2
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.signing import SigningKey

SUBMIT = "/folkmoot.v1.CollectionService/Submit"
REFUSE = "/folkmoot.v1.CollectionService/Refuse"
LIST = "/folkmoot.v1.CollectionService/ListRounds"
_FORWARD_SECONDS = 30.0


@dataclass(frozen=True)
class Departure:
    """Messages of one call that the node handed to the network.

    Attributes:
        method: gRPC method.
        messages: The messages, serialised, in order.
        whole: True if the stream ended after them.
    """

    method: str
    messages: tuple[bytes, ...]
    whole: bool


class Wire:
    """A proxy in front of the coordinator, for one node."""

    def __init__(
        self, authority: Authority, coordinator: str, signing: SigningKey, now: int
    ) -> None:
        """Listens on a free port of this machine.

        Args:
            authority: The region's authority, whose certificates both sides trust.
            coordinator: Host and port of the coordinator.
            signing: The coordinator's signing key, for forgeries.
            now: When the proxy's certificate begins.
        """
        self._authority = authority
        self._coordinator = coordinator
        self._signing = signing
        self._channel: grpc.Channel | None = None
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((_Everything(self._serve),))
        identity = authority.issue_server_identity(("127.0.0.1",), now, 825)
        credentials = grpc.ssl_server_credentials(
            [(identity.key, identity.certificate)], authority.pem, require_client_auth=True
        )
        port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self.address = f"127.0.0.1:{port}"
        self._server.start()
        self.reset(Path())

    def reset(self, keys: Path) -> None:
        """Forgets everything, for a new sequence; the node's keys are read from `keys`."""
        self.reconnect()
        self._keys = keys
        self._departures: list[Departure] = []
        self._told: list[Offered] = []
        self._listed: list[bytes] = []
        self._held: list[Departure] = []
        self._receipts: list[bytes] = []
        self.extra: list[Offered] = []
        self.set_weather(FAIR_WEATHER)

    def set_weather(self, weather: Weather) -> None:
        """What happens to the calls from now on."""
        self._weather = weather
        self._mishaps = list(weather.mishaps)

    def reconnect(self) -> None:
        """Dials the coordinator anew at the next call."""
        if self._channel is not None:
            self._channel.close()
        self._channel = None

    def stop(self) -> None:
        self.reconnect()
        self._server.stop(None).wait()

    def take_departures(self) -> list[Departure]:
        """What left the node since this was asked last."""
        with self._lock:
            taken, self._departures = self._departures, []
        return taken

    def take_told(self) -> list[Offered]:
        """Rounds that were sent to the node since this was asked last."""
        with self._lock:
            taken, self._told = self._told, []
        return taken

    def deliver_held(self, number: int) -> None:
        """Lets an answer that was held back arrive; its receipt reaches nobody."""
        if self._held:
            held = self._held.pop(number % len(self._held))
            self._forward(held.method, held.messages)

    def drop_held(self) -> None:
        """Answers that were held back never arrive."""
        self._held.clear()

    def _serve(
        self, method: str, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        is_answer = method in (SUBMIT, REFUSE)
        mishap = Mishap(AnswerFault.NONE)
        if is_answer and self._mishaps:
            mishap = self._mishaps.pop(0)
        messages = self._read(method, requests, mishap)
        if self._weather.outage or mishap.fault is AnswerFault.TORN:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the connection ended")
        try:
            if is_answer:
                replies = self._answer(method, messages, mishap, context)
            elif method == LIST:
                replies = self._list(messages, context)
            else:
                replies = self._forward(method, messages)
        except grpc.RpcError as error:
            context.abort(error.code(), "the coordinator did not answer")
        yield from replies

    def _read(self, method: str, requests: Iterator[bytes], mishap: Mishap) -> tuple[bytes, ...]:
        messages: list[bytes] = []
        whole = False
        try:
            for message in requests:
                messages.append(message)
                if mishap.fault is AnswerFault.TORN and len(messages) >= mishap.after:
                    break
            else:
                whole = True
        finally:
            with self._lock:
                self._departures.append(Departure(method, tuple(messages), whole))
        return tuple(messages)

    def _answer(
        self,
        method: str,
        messages: tuple[bytes, ...],
        mishap: Mishap,
        context: grpc.ServicerContext,
    ) -> list[bytes]:
        fault = mishap.fault
        if fault is AnswerFault.REJECTED:
            return [_reply(method, rejection=Rejection(mishap.reason, "so it is claimed"))]
        if fault is AnswerFault.CANCELLED:
            self._cancel_after(method, messages[: mishap.after])
        elif fault is AnswerFault.CUT:
            self._forward(method, messages[: mishap.after])
        elif fault is AnswerFault.HELD:
            self._held.append(Departure(method, messages, whole=True))
        elif fault is not AnswerFault.LOST:
            replies = self._forward(method, messages)
            if fault is AnswerFault.DOUBLED:
                replies = self._forward(method, messages)
            if fault is not AnswerFault.UNANSWERED:
                return [self._tamper(method, reply, fault) for reply in replies]
        context.abort(grpc.StatusCode.UNAVAILABLE, "the answer or its receipt was lost")
        raise AssertionError("abort raises")

    def _tamper(self, method: str, reply: bytes, fault: AnswerFault) -> bytes:
        if fault is AnswerFault.GARBLED:
            return b"\xff" + reply
        parsed = _REPLIES[method].FromString(reply)
        if parsed.WhichOneof("outcome") != "receipt":
            return reply
        earlier, mine = list(self._receipts), parsed.receipt.SerializeToString()
        self._receipts.append(mine)
        if fault is AnswerFault.ALTERED_RECEIPT:
            signature = parsed.receipt.signature
            parsed.receipt.signature = signature[:-1] + bytes([signature[-1] ^ 1])
        elif fault is AnswerFault.FORGED_RECEIPT:
            receipt = release_pb2.Receipt.FromString(parsed.receipt.receipt)
            receipt.answer_digest = b"x" * 32
            parsed.receipt.receipt = receipt.SerializeToString()
            parsed.receipt.signature = self._signing.sign(
                RECEIPT_SIGNATURE_DOMAIN, parsed.receipt.receipt
            )
        elif fault is AnswerFault.OTHER_RECEIPT and earlier:
            parsed.receipt.ParseFromString(earlier[0])
        return bytes(parsed.SerializeToString())

    def _list(self, messages: Sequence[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        fault = self._weather.listing
        listed = self._forward(LIST, messages)
        if fault is ListingFault.STALE:
            listed = self._listed
        else:
            self._listed = list(listed)
        listed = [*listed, *map(_listing, self.extra)]
        if fault is ListingFault.REVERSED:
            listed.reverse()
        elif fault is ListingFault.REPEATED:
            listed = [reply for reply in listed for _ in range(2)]
        elif fault is ListingFault.EMPTY:
            listed = []
        elif fault is ListingFault.BROKEN_OFF:
            listed = listed[:1]
        for reply in listed:
            parsed = collection_pb2.ListRoundsResponse.FromString(reply)
            with self._lock:
                self._told.append(Offered(parsed.round.round, parsed.round.signature))
            yield reply
        if fault is ListingFault.BROKEN_OFF:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the connection ended")

    def _forward(self, method: str, messages: Sequence[bytes]) -> list[bytes]:
        return list(self._call(method)(iter(messages), timeout=_FORWARD_SECONDS))

    def _cancel_after(self, method: str, messages: Sequence[bytes]) -> None:
        sent, over = threading.Event(), threading.Event()

        def stream() -> Iterator[bytes]:
            yield from messages
            sent.set()
            over.wait()

        call = self._call(method)(stream(), timeout=_FORWARD_SECONDS)
        sent.wait(_FORWARD_SECONDS)
        call.cancel()
        over.set()

    def _call(self, method: str) -> Any:
        with self._lock:
            if self._channel is None:
                self._channel = grpc.secure_channel(
                    self._coordinator,
                    grpc.ssl_channel_credentials(
                        root_certificates=self._authority.pem,
                        private_key=(self._keys / "node.key").read_bytes(),
                        certificate_chain=(self._keys / "node.crt").read_bytes(),
                    ),
                    options=[("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0)],
                )
            return self._channel.stream_stream(method)


class _Everything(grpc.GenericRpcHandler):
    """Takes every method as two streams of bytes."""

    def __init__(
        self, serve: Callable[[str, Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]
    ) -> None:
        self._serve = serve

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = handler_call_details.method
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self._serve(method, requests, context)
        )


_REPLIES: dict[str, Any] = {
    SUBMIT: collection_pb2.SubmitResponse,
    REFUSE: collection_pb2.RefuseResponse,
}


def _reply(method: str, rejection: Rejection) -> bytes:
    message = _REPLIES[method](rejection=rejection_codec.encode_rejection(rejection))
    return bytes(message.SerializeToString())


def _listing(offered: Offered) -> bytes:
    round_ = round_pb2.SignedRound(round=offered.serialised, signature=offered.signature)
    return collection_pb2.ListRoundsResponse(round=round_).SerializeToString()
