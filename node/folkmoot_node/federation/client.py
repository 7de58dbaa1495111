"""The node's side of the wire. Nodes only dial out; nothing listens here.

Every message is recorded in the egress log before it is handed to the network, and
answers are sent as the very bytes the outbox holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from folkmoot import rejection_codec
from folkmoot.receipt import MAXIMUM_RECEIPT
from folkmoot.v1 import catalogue_pb2, collection_pb2, enrolment_pb2, release_pb2, round_pb2
from folkmoot.versions import SPOKEN
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.evidence.outbox import Answer, AnswerKind, HeldReceipt
from folkmoot_node.federation.connection_problems import (
    not_a_coordinator,
    of_connection,
    unanswered,
)
from folkmoot_node.federation.identity import Identity
from folkmoot_node.federation.rejected import RejectedByCoordinator
from folkmoot_operator.connection_probe import Way, probe
from folkmoot_operator.problems import ExitCode, Problem

CALL_SECONDS = 120.0
"""Longest a call may take, connecting included."""
CONNECT_MILLISECONDS = 10_000
"""Longest that connecting may take."""
MAX_RECEIPTS = 100_000
"""Receipts read in one visit; each is checked as it comes, and none is kept here."""
SIGNATURE_BYTES = 64
"""Bytes of an Ed25519 signature."""
_COLLECTION = "/folkmoot.v1.CollectionService/"
_ENROLMENT = "/folkmoot.v1.EnrolmentService/"

_NEVER_PROXIED = "no_grpc_proxy"
_PROBED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
"""Statuses behind which there may be any fault of network, proxy or TLS."""
_TRANSIENT = {
    grpc.StatusCode.UNAVAILABLE: "broke off, or takes no calls now",
    grpc.StatusCode.DEADLINE_EXCEEDED: f"did not answer within {CALL_SECONDS:.0f} seconds",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "is too busy",
    grpc.StatusCode.ABORTED: "broke off",
    grpc.StatusCode.CANCELLED: "broke off",
    # A fault of the coordinator, or of something on the way. It will be fixed there, and no
    # node should have to be started again by hand for it.
    grpc.StatusCode.INTERNAL: "has a fault",
    grpc.StatusCode.UNKNOWN: "has a fault",
}
"""Statuses after which trying again may help, and what happened."""
_FIRST_CALLS = {_COLLECTION + "Negotiate", _ENROLMENT + "Enrol"}
"""Calls that every coordinator answers on that port."""


_Outcome = (
    enrolment_pb2.EnrolResponse
    | enrolment_pb2.RenewResponse
    | enrolment_pb2.EnrolAgainResponse
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
    """What the coordinator says it holds of this council's answers.

    Attributes:
        digest: `answers_digest` of all of them, 32 bytes.
        at: The coordinator's clock, seconds since 1970-01-01T00:00:00Z.
    """

    digest: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of a renewal of the certificate that was due, for the operator.

    Attributes:
        text: What happened, and what to do if it failed.
        is_problem: True if the certificate was not renewed.
    """

    text: str
    is_problem: bool


class CoordinatorClient:
    """A connection to the coordinator. Use as a context manager.

    Attributes:
        renewal: What became of the certificate just before, if it was due for renewal.
    """

    renewal: Renewal | None = None

    def __init__(
        self, way: Way, credentials: grpc.ChannelCredentials, egress: EgressLog, *, enrolling: bool
    ) -> None:
        options: list[tuple[str, Any]] = [
            ("grpc.enable_http_proxy", 1 if way.proxy else 0),
            ("grpc.enable_retries", 0),  # what leaves is what the egress log says, once
            ("grpc.initial_reconnect_backoff_ms", 500),
            ("grpc.min_reconnect_backoff_ms", CONNECT_MILLISECONDS),  # longest try, too
            ("grpc.max_reconnect_backoff_ms", 30_000),
        ]
        if way.proxy:
            options.append(("grpc.http_proxy", way.proxy))
            # Or gRPC dials hosts directly that `no_proxy` names, and says nothing.
            os.environ[_NEVER_PROXIED] = ""
        self._way = way
        self._enrolling = enrolling
        self._address = way.address
        self._egress = egress
        self._agreed = SPOKEN.newest  # until the coordinator has been asked
        self._channel = grpc.secure_channel(way.address, credentials, options=options)

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
        files = identity.files
        way = Way(
            address,
            identity.authority.decode(errors="replace"),
            proxy,
            (files.certificate, files.tls_key),
        )
        return cls(way, credentials, egress, enrolling=False)

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
        credentials = grpc.ssl_channel_credentials(authority)
        way = Way(address, authority.decode(errors="replace"), proxy)
        return cls(way, credentials, egress, enrolling=True)

    def enrol(
        self, token: bytes, council: str, csr: bytes, policy_key: bytes = b""
    ) -> enrolment_pb2.Membership:
        """Exchanges an invitation for a certificate.

        Args:
            token: Of the invitation.
            council: This council.
            csr: PKCS#10 signing request, DER.
            policy_key: Ed25519 public key whose signature of the release policy counts here.
        """
        request = enrolment_pb2.EnrolRequest(
            versions=rejection_codec.encode_versions(),
            token=token,
            council=council,
            csr=csr,
            policy_key=policy_key,
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

    def enrol_again(
        self, ended: bytes, csr: bytes, signature: bytes
    ) -> enrolment_pb2.Membership | enrolment_pb2.WaitsForRegion:
        """Asks for a certificate in place of one that has ended.

        Args:
            ended: SHA-256 of the public key of the one that has ended, 32 bytes.
            csr: PKCS#10 signing request for the new key, DER.
            signature: By the old key.

        Returns:
            What the region has granted, or that nobody there has decided yet.
        """
        request = enrolment_pb2.EnrolAgainRequest(
            versions=rejection_codec.encode_versions(),
            ended_key_digest=ended,
            csr=csr,
            signature=signature,
        )
        reply = self._call(_ENROLMENT + "EnrolAgain", request, enrolment_pb2.EnrolAgainResponse)
        _raise_if_rejected(reply)
        return reply.waits if reply.WhichOneof("outcome") == "waits" else reply.membership

    def negotiate(self) -> int:
        """Agrees on a wire version.

        Raises:
            RejectedByCoordinator: If there is none in common, or the certificate is not
                accepted.
        """
        request = collection_pb2.NegotiateRequest(versions=rejection_codec.encode_versions())
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

    def receipts(
        self, protocol: int, known: bytes, take: Callable[[HeldReceipt], None]
    ) -> CoordinatorAccount:
        """What the coordinator holds of this council's answers.

        Args:
            protocol: Wire version.
            known: `answers_digest` of the answers whose receipts this node holds, 32 bytes.
            take: Given each receipt as it comes, not larger than one may be and otherwise not
                checked; none comes if the coordinator's digest is the same. What it raises ends
                the call.

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
        taken = 0
        replies = call(request, timeout=CALL_SECONDS, wait_for_ready=False)
        try:
            for raw in replies:
                reply = self._read(collection_pb2.ListReceiptsResponse, raw)
                _raise_if_rejected(reply)
                if held is None and reply.WhichOneof("outcome") == "held":
                    held = reply.held
                elif held is not None and taken < MAX_RECEIPTS and _has_size(reply.receipt):
                    take(HeldReceipt(reply.receipt.receipt, reply.receipt.signature))
                    taken += 1
                else:
                    held = None
                    break
        except grpc.RpcError as error:
            self._unreachable(method, error)
        finally:
            replies.cancel()
        if held is None or len(held.answers_digest) != len(known) or held.at <= 0:
            raise Problem(
                "the coordinator does not say which answers of this council it holds",
                where=self._address,
                remedy="Report it to the region; nothing is answered until it does",
                exit_code=ExitCode.REFUSED,
            )
        return CoordinatorAccount(held.answers_digest, held.at)

    def rounds(self, protocol: int) -> Iterator[round_pb2.SignedRound]:
        """Open rounds to which this council is invited, oldest first."""
        method = _COLLECTION + "ListRounds"
        request = collection_pb2.ListRoundsRequest(protocol=protocol).SerializeToString()
        self._egress.record(method, self._address, (request,))
        call: Any = self._channel.unary_stream(method)
        replies = call(request, timeout=CALL_SECONDS, wait_for_ready=False)
        try:
            for raw in replies:
                reply = self._read(collection_pb2.ListRoundsResponse, raw)
                _raise_if_rejected(reply)
                yield reply.round
        except grpc.RpcError as error:
            self._unreachable(method, error)
        finally:
            replies.cancel()

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
            raw = self._guarded(method, lambda: stream(iter(answer.frames), timeout=CALL_SECONDS))
            reply: collection_pb2.SubmitResponse | collection_pb2.RefuseResponse = self._read(
                collection_pb2.SubmitResponse, raw
            )
        else:
            method = _COLLECTION + "Refuse"
            self._egress.record(method, self._address, answer.frames, answer.round_id)
            call: Any = self._channel.unary_unary(method)
            raw = self._guarded(method, lambda: call(answer.frames[0], timeout=CALL_SECONDS))
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
            self._unreachable(method, error)
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
        raw = self._guarded(method, lambda: call(message, timeout=CALL_SECONDS))
        return self._read(reply_type, raw)

    def _read(self, reply_type: type[Reply], raw: bytes) -> Reply:
        """A reply. gRPC is given no deserialiser: it never frees what it cannot decode.

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

    def _guarded(self, method: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except grpc.RpcError as error:
            self._unreachable(method, error)

    def _unreachable(self, method: str, error: grpc.RpcError) -> NoReturn:
        code = error.code()
        if code in _PROBED and (blocked := probe(self._way)) is not None:
            raise of_connection(self._way, blocked, enrolling=self._enrolling) from None
        if code in _TRANSIENT:
            raise unanswered(self._way, code.name, _TRANSIENT[code]) from None
        unknown = code is grpc.StatusCode.UNIMPLEMENTED
        if unknown and method in _FIRST_CALLS:
            raise not_a_coordinator(self._way, enrolling=self._enrolling) from None
        raise Problem(
            f"the coordinator does not answer {method.rpartition('/')[2]} ({code.name})",
            where=self._address,
            remedy="Ask the region to upgrade folkmoot-coordinator"
            if unknown
            else "Report it to the region",
            exit_code=ExitCode.REFUSED,
        ) from None


def _has_size(signed: release_pb2.SignedReceipt) -> bool:
    """Whether a signed receipt has a size that one can have."""
    return 0 < len(signed.receipt) <= MAXIMUM_RECEIPT and len(signed.signature) == SIGNATURE_BYTES


def _raise_if_rejected(reply: _Outcome) -> None:
    if reply.WhichOneof("outcome") == "rejection":
        raise RejectedByCoordinator(rejection_codec.decode_rejection(reply.rejection))
