"""The node's side of the wire. Nodes only dial out; nothing listens here.

Every message is recorded in the egress log before it is handed to the network, and
answers are sent as the very bytes the outbox holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from folkmoot import codec
from folkmoot.errors import plain
from folkmoot.rejection import Rejection, RejectionReason
from folkmoot.v1 import catalogue_pb2, collection_pb2, enrolment_pb2, release_pb2, round_pb2
from folkmoot.versions import SPOKEN, UpgradeSide
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.evidence.outbox import Answer, AnswerKind, HeldReceipt
from folkmoot_node.federation.identity import Identity
from folkmoot_operator.problems import ExitCode, Problem

CALL_SECONDS = 120.0
"""Longest a call may take, connecting included."""
MAX_RECEIPTS = 100_000
"""Receipts read in one visit, so that a coordinator cannot fill the node's memory."""
_COLLECTION = "/folkmoot.v1.CollectionService/"
_ENROLMENT = "/folkmoot.v1.EnrolmentService/"

_TRANSIENT = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    # A fault of the coordinator, or of something on the way. It will be fixed there, and no
    # node should have to be started again by hand for it.
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}


class RejectedByCoordinator(Problem):
    """The coordinator did not accept a request; carries its typed reason."""

    def __init__(self, rejection: Rejection) -> None:
        remedy = {
            UpgradeSide.NODE: "Upgrade folkmoot-node",
            UpgradeSide.COORDINATOR: "Ask the region to upgrade folkmoot-coordinator",
            UpgradeSide.NEITHER: _REMEDIES.get(rejection.reason, "Speak to the region"),
        }[rejection.upgrade]
        super().__init__(
            f"{rejection.reason.name.lower().replace('_', ' ')}: {plain(rejection.detail)}",
            where="coordinator",
            remedy=remedy,
            exit_code=ExitCode.UNREACHABLE if rejection.transient else ExitCode.REFUSED,
        )
        self.rejection = rejection


_REMEDIES = {
    RejectionReason.TOKEN_INVALID: "Ask the region for a new invitation",
    RejectionReason.TOKEN_EXPIRED: "Ask the region for a new invitation",
    RejectionReason.TOKEN_USED: "Ask the region for a new invitation, and who used this one",
    RejectionReason.CERTIFICATE: "Enrol again with a new invitation",
    RejectionReason.ROUND_CLOSED: "The round is over; nothing needs to be done",
}


_Outcome = (
    enrolment_pb2.EnrolResponse
    | enrolment_pb2.RenewResponse
    | collection_pb2.NegotiateResponse
    | collection_pb2.ListReceiptsResponse
    | collection_pb2.ListRoundsResponse
    | collection_pb2.SubmitResponse
    | collection_pb2.RefuseResponse
    | collection_pb2.PublishCatalogueResponse
)

Reply = TypeVar("Reply", bound=Message)


@dataclass(frozen=True, slots=True)
class CoordinatorAccount:
    """What the coordinator says it holds of this council's answers; nothing is checked yet.

    Attributes:
        digest: `answers_digest` of all of them, 32 bytes.
        at: The coordinator's clock, seconds since 1970-01-01T00:00:00Z.
        receipts: Their receipts; none if the node's digest was the same.
    """

    digest: bytes
    at: int
    receipts: tuple[HeldReceipt, ...]


class CoordinatorClient:
    """A connection to the coordinator. Use as a context manager."""

    def __init__(
        self,
        address: str,
        credentials: grpc.ChannelCredentials,
        egress: EgressLog,
        proxy: str | None = None,
    ) -> None:
        options: list[tuple[str, Any]] = [
            ("grpc.enable_http_proxy", 1 if proxy else 0),
            ("grpc.enable_retries", 0),  # what leaves is what the egress log says, once
            ("grpc.initial_reconnect_backoff_ms", 500),
            ("grpc.max_reconnect_backoff_ms", 30_000),
        ]
        if proxy:
            options.append(("grpc.http_proxy", proxy))
        self._address = address
        self._egress = egress
        self._agreed = SPOKEN.newest  # until the coordinator has been asked
        self._channel = grpc.secure_channel(address, credentials, options=options)

    @classmethod
    def for_member(
        cls, address: str, identity: Identity, egress: EgressLog, proxy: str | None = None
    ) -> CoordinatorClient:
        """A connection with mutual TLS, to the collection address."""
        credentials = grpc.ssl_channel_credentials(
            root_certificates=identity.authority,
            private_key=identity.private_key,
            certificate_chain=identity.certificate,
        )
        return cls(address, credentials, egress, proxy)

    @classmethod
    def for_newcomer(
        cls, address: str, authority: bytes, egress: EgressLog, proxy: str | None = None
    ) -> CoordinatorClient:
        """A connection with server-authenticated TLS, to the enrolment address.

        Args:
            address: Host and port.
            authority: The region's certificate authority, PEM, from the invitation.
            egress: Where messages are recorded.
            proxy: HTTP proxy, or None.
        """
        return cls(address, grpc.ssl_channel_credentials(authority), egress, proxy)

    def enrol(self, token: bytes, council: str, csr: bytes) -> enrolment_pb2.Membership:
        """Exchanges an invitation for a certificate."""
        request = enrolment_pb2.EnrolRequest(
            versions=codec.encode_versions(), token=token, council=council, csr=csr
        )
        reply = self._call(_ENROLMENT + "Enrol", request, enrolment_pb2.EnrolResponse)
        _raise_if_rejected(reply)
        return reply.membership

    def renew(self, csr: bytes) -> enrolment_pb2.Membership:
        """Exchanges a certificate that is still valid for a new one."""
        request = enrolment_pb2.RenewRequest(protocol=self._agreed, csr=csr)
        reply = self._call(_ENROLMENT + "Renew", request, enrolment_pb2.RenewResponse)
        _raise_if_rejected(reply)
        return reply.membership

    def negotiate(self) -> int:
        """Agrees on a wire version.

        Raises:
            RejectedByCoordinator: If there is none in common, or the certificate is not
                accepted.
        """
        request = collection_pb2.NegotiateRequest(versions=codec.encode_versions())
        reply = self._call(_COLLECTION + "Negotiate", request, collection_pb2.NegotiateResponse)
        _raise_if_rejected(reply)
        if reply.protocol not in SPOKEN:
            raise Problem(
                f"the coordinator chose wire version {reply.protocol}, which this node does "
                "not speak",
                where=self._address,
                remedy="Ask the region to upgrade folkmoot-coordinator",
                exit_code=ExitCode.REFUSED,
            )
        self._agreed = reply.protocol
        return reply.protocol

    @property
    def agreed(self) -> int:
        """The wire version that was agreed; the newest one until `negotiate` was called."""
        return self._agreed

    def receipts(self, protocol: int, known: bytes) -> CoordinatorAccount:
        """What the coordinator holds of this council's answers.

        Args:
            protocol: Wire version.
            known: `answers_digest` of the answers whose receipts this node holds, 32 bytes.

        Raises:
            Problem: If the coordinator cannot be reached, or does not say what it holds.
        """
        method = _COLLECTION + "ListReceipts"
        request = collection_pb2.ListReceiptsRequest(
            protocol=protocol, answers_digest=known
        ).SerializeToString()
        self._egress.record(method, self._address, (request,))
        call: Any = self._channel.unary_stream(method)
        held: collection_pb2.AnswersHeld | None = None
        receipts: list[HeldReceipt] = []
        try:
            for raw in call(request, timeout=CALL_SECONDS, wait_for_ready=False):
                reply = self._read(collection_pb2.ListReceiptsResponse, raw)
                _raise_if_rejected(reply)
                if held is None and reply.WhichOneof("outcome") == "held":
                    held = reply.held
                elif held is not None and len(receipts) < MAX_RECEIPTS:
                    receipts.append(HeldReceipt(reply.receipt.receipt, reply.receipt.signature))
                else:
                    held = None
                    break
        except grpc.RpcError as error:
            self._unreachable(error)
        if held is None or len(held.answers_digest) != len(known) or held.at <= 0:
            raise Problem(
                "the coordinator does not say which answers of this council it holds",
                where=self._address,
                remedy="Report it to the region; nothing is answered until it does",
                exit_code=ExitCode.REFUSED,
            )
        return CoordinatorAccount(held.answers_digest, held.at, tuple(receipts))

    def rounds(self, protocol: int) -> Iterator[round_pb2.SignedRound]:
        """Open rounds to which this council is invited, oldest first."""
        method = _COLLECTION + "ListRounds"
        request = collection_pb2.ListRoundsRequest(protocol=protocol).SerializeToString()
        self._egress.record(method, self._address, (request,))
        call: Any = self._channel.unary_stream(method)
        try:
            for raw in call(request, timeout=CALL_SECONDS, wait_for_ready=False):
                reply = self._read(collection_pb2.ListRoundsResponse, raw)
                _raise_if_rejected(reply)
                yield reply.round
        except grpc.RpcError as error:
            self._unreachable(error)

    def deliver(self, answer: Answer) -> release_pb2.SignedReceipt:
        """Sends an answer, byte for byte as the outbox holds it.

        Returns:
            The receipt, whose signature is still to be checked.

        Raises:
            RejectedByCoordinator: If it was not accepted.
            Problem: UNREACHABLE, if the coordinator did not answer.
        """
        if answer.kind is AnswerKind.RELEASE:
            method = _COLLECTION + "Submit"
            self._egress.record(method, self._address, answer.frames, answer.round_id)
            stream: Any = self._channel.stream_unary(method)
            raw = self._guarded(lambda: stream(iter(answer.frames), timeout=CALL_SECONDS))
            reply: collection_pb2.SubmitResponse | collection_pb2.RefuseResponse = self._read(
                collection_pb2.SubmitResponse, raw
            )
        else:
            method = _COLLECTION + "Refuse"
            self._egress.record(method, self._address, answer.frames, answer.round_id)
            call: Any = self._channel.unary_unary(method)
            raw = self._guarded(lambda: call(answer.frames[0], timeout=CALL_SECONDS))
            reply = self._read(collection_pb2.RefuseResponse, raw)
        _raise_if_rejected(reply)
        receipt: release_pb2.SignedReceipt = reply.receipt
        return receipt

    def publish_catalogue(self, protocol: int, catalogue: bytes, signature: bytes) -> bool:
        """Publishes what this council offers.

        Args:
            protocol: Wire version.
            catalogue: A serialised catalogue.
            signature: Of the node, over it.

        Returns:
            False if the coordinator has no such call.

        Raises:
            RejectedByCoordinator: If it was not accepted.
            Problem: UNREACHABLE, if the coordinator did not answer.
        """
        method = _COLLECTION + "PublishCatalogue"
        request = collection_pb2.PublishCatalogueRequest(
            protocol=protocol,
            catalogue=catalogue_pb2.SignedCatalogue(catalogue=catalogue, signature=signature),
        ).SerializeToString()
        self._egress.record(method, self._address, (request,))
        call: Any = self._channel.unary_unary(method)
        try:
            raw = call(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return False
            self._unreachable(error)
        _raise_if_rejected(self._read(collection_pb2.PublishCatalogueResponse, raw))
        return True

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def __enter__(self) -> CoordinatorClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _call(self, method: str, request: Message, reply_type: type[Reply]) -> Reply:
        message = request.SerializeToString()
        self._egress.record(method, self._address, (message,))
        call: Any = self._channel.unary_unary(method)
        return self._read(reply_type, self._guarded(lambda: call(message, timeout=CALL_SECONDS)))

    def _read(self, reply_type: type[Reply], raw: bytes) -> Reply:
        """A reply. gRPC is given no deserialiser: it keeps what it cannot decode for ever.

        Raises:
            Problem: UNREACHABLE, if it is none.
        """
        try:
            return reply_type.FromString(raw)
        except DecodeError:
            raise Problem(
                "the coordinator's answer cannot be decoded",
                where=self._address,
                remedy="Check the address; if it is right, report it to the region. "
                "`folkmoot-node serve` tries again by itself",
                exit_code=ExitCode.UNREACHABLE,
            ) from None

    def _guarded(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except grpc.RpcError as error:
            self._unreachable(error)

    def _unreachable(self, error: grpc.RpcError) -> NoReturn:
        code = error.code()
        transient = code in _TRANSIENT
        raise Problem(
            f"the coordinator cannot be reached or did not answer ({code.name})",
            where=self._address,
            remedy="Check the address, the firewall, the proxy and both certificates; "
            "`folkmoot-node serve` tries again by itself"
            if transient
            else "Report it to the region",
            exit_code=ExitCode.UNREACHABLE if transient else ExitCode.REFUSED,
        ) from None


def _raise_if_rejected(reply: _Outcome) -> None:
    if reply.WhichOneof("outcome") == "rejection":
        raise RejectedByCoordinator(codec.decode_rejection(reply.rejection))
