"""The gRPC services: who is calling, which version, and what the answer is.

Nothing is decided here. Each call authenticates, checks the wire version, and hands over
to `enrolment`, `rounds` or `intake`.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import grpc

from folkmoot.codec import decode_header, decode_versions, encode_rejection
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.v1 import (
    collection_pb2,
    collection_pb2_grpc,
    enrolment_pb2,
    enrolment_pb2_grpc,
    release_pb2,
    round_pb2,
    version_pb2,
)
from folkmoot.versions import SPOKEN, UpgradeSide, VersionRange, negotiate
from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.membership.caller import Member, authenticate
from folkmoot_coordinator.membership.catalogues import keep_catalogue
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.membership.councils import LastSeen
from folkmoot_coordinator.membership.enrolment import Enrolment
from folkmoot_coordinator.rounds.answers import StoredReceipt
from folkmoot_coordinator.rounds.receipts import SignedReceipt, answers_held
from folkmoot_coordinator.rounds.round_store import open_rounds_of
from folkmoot_coordinator.rounds.submissions import Intake
from folkmoot_coordinator.server.call_limits import CallLimits
from folkmoot_operator.problems import ExitCode, Problem

log = logging.getLogger(__name__)
Response = TypeVar("Response")


class Identity:
    """Reads the caller from a call; shared by the services."""

    def __init__(self, database: Database, seen: LastSeen, clock: Clock) -> None:
        self._database = database
        self._seen = seen
        self._clock = clock

    def caller(self, context: grpc.ServicerContext) -> Member:
        """The council that is calling.

        Raises:
            Rejected: CERTIFICATE.
        """
        shown = context.auth_context().get("x509_pem_cert", ())
        pem = bytes(next(iter(shown), b"")) or None
        now = self._clock()
        member = authenticate(pem, self._database, now)
        self._seen.note(member.council, now)
        return member


class EnrolmentServicer(enrolment_pb2_grpc.EnrolmentServiceServicer):
    """Certificates for councils."""

    def __init__(
        self, enrolment: Enrolment, authority: Authority, signing_key: bytes, identity: Identity
    ) -> None:
        self._enrolment = enrolment
        self._authority = authority
        self._signing_key = signing_key
        self._identity = identity

    def Enrol(  # noqa: N802  named by the contract
        self, request: enrolment_pb2.EnrolRequest, context: grpc.ServicerContext
    ) -> enrolment_pb2.EnrolResponse:
        """Exchanges an invitation token and a signing request for a certificate."""

        def work() -> enrolment_pb2.EnrolResponse:
            agree_version(request.versions)
            certificate = self._enrolment.enrol(request.token, request.council, request.csr)
            log.info("enrolled council=%s", GssCode(request.council))
            return enrolment_pb2.EnrolResponse(membership=self._membership(certificate))

        return answered(
            "enrol",
            context,
            work,
            lambda rejection: enrolment_pb2.EnrolResponse(rejection=encode_rejection(rejection)),
        )

    def Renew(  # noqa: N802  named by the contract
        self, request: enrolment_pb2.RenewRequest, context: grpc.ServicerContext
    ) -> enrolment_pb2.RenewResponse:
        """Replaces a certificate before it expires."""

        def work() -> enrolment_pb2.RenewResponse:
            member = self._identity.caller(context)
            check_protocol(request.protocol)
            certificate = self._enrolment.renew(member, request.csr)
            log.info("certificate renewed council=%s", member.council)
            return enrolment_pb2.RenewResponse(membership=self._membership(certificate))

        return answered(
            "renew",
            context,
            work,
            lambda rejection: enrolment_pb2.RenewResponse(rejection=encode_rejection(rejection)),
        )

    def _membership(self, certificate: bytes) -> enrolment_pb2.Membership:
        return enrolment_pb2.Membership(
            certificate=certificate, authority=self._authority.der, signing_key=self._signing_key
        )


class CollectionServicer(collection_pb2_grpc.CollectionServiceServicer):
    """Rounds, and the councils' answers to them."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        identity: Identity,
        clock: Clock,
        limits: CallLimits,
        *,
        call_seconds: int,
        submissions: int,
    ) -> None:
        self._database = database
        self._intake = intake
        self._identity = identity
        self._clock = clock
        self._limits = limits
        self._call_seconds = call_seconds
        self._submissions = submissions
        self._sending: Counter[GssCode] = Counter()
        self._counting = threading.Lock()

    def Negotiate(  # noqa: N802  named by the contract
        self, request: collection_pb2.NegotiateRequest, context: grpc.ServicerContext
    ) -> collection_pb2.NegotiateResponse:
        """Agrees on a wire version."""

        def work() -> collection_pb2.NegotiateResponse:
            self._identity.caller(context)
            return collection_pb2.NegotiateResponse(protocol=agree_version(request.versions))

        return answered(
            "negotiate",
            context,
            work,
            lambda rejection: collection_pb2.NegotiateResponse(
                rejection=encode_rejection(rejection)
            ),
        )

    def ListReceipts(  # noqa: N802  named by the contract
        self, request: collection_pb2.ListReceiptsRequest, context: grpc.ServicerContext
    ) -> Iterator[collection_pb2.ListReceiptsResponse]:
        """What is held of the caller's answers; every receipt if it holds others."""
        place = ExitStack()

        def work() -> list[collection_pb2.ListReceiptsResponse]:
            member = self._identity.caller(context)
            place.enter_context(self._place(member.council))
            check_protocol(request.protocol)
            held = answers_held(self._database, member.council, request.answers_digest)
            return [
                collection_pb2.ListReceiptsResponse(
                    held=collection_pb2.AnswersHeld(answers_digest=held.digest, at=self._clock())
                ),
                *(
                    collection_pb2.ListReceiptsResponse(receipt=_signed(receipt))
                    for receipt in held.receipts
                ),
            ]

        with self._limited(context), place:  # a peer that does not read holds the worker
            yield from answered(
                "list receipts",
                context,
                work,
                lambda rejection: [
                    collection_pb2.ListReceiptsResponse(rejection=encode_rejection(rejection))
                ],
            )

    def ListRounds(  # noqa: N802  named by the contract
        self, request: collection_pb2.ListRoundsRequest, context: grpc.ServicerContext
    ) -> Iterator[collection_pb2.ListRoundsResponse]:
        """Open rounds to which the caller is invited, oldest first."""
        place = ExitStack()

        def work() -> list[collection_pb2.ListRoundsResponse]:
            member = self._identity.caller(context)
            place.enter_context(self._place(member.council))
            check_protocol(request.protocol)
            return [
                collection_pb2.ListRoundsResponse(
                    round=round_pb2.SignedRound(round=found.serialised, signature=found.signature)
                )
                for found in open_rounds_of(self._database, member.council, self._clock())
            ]

        with self._limited(context), place:  # a peer that does not read holds the worker
            yield from answered(
                "list rounds",
                context,
                work,
                lambda rejection: [
                    collection_pb2.ListRoundsResponse(rejection=encode_rejection(rejection))
                ],
            )

    def Submit(  # noqa: N802  named by the contract
        self,
        request_iterator: Iterator[collection_pb2.SubmitRequest],
        context: grpc.ServicerContext,
    ) -> collection_pb2.SubmitResponse:
        """Takes a release."""

        def work() -> collection_pb2.SubmitResponse:
            member = self._identity.caller(context)
            with self._place(member.council):
                part = next(request_iterator, None)
                header = decode_header(part or collection_pb2.SubmitRequest())
                check_protocol(header.protocol)
                receipt = self._intake.accept_release(member.council, header, request_iterator)
            _log_answer("release", member, header.round_id, receipt)
            return collection_pb2.SubmitResponse(receipt=_signed(receipt))

        with self._limited(context):
            return answered(
                "submit",
                context,
                work,
                lambda rejection: collection_pb2.SubmitResponse(
                    rejection=encode_rejection(rejection)
                ),
            )

    def _limited(self, context: grpc.ServicerContext) -> AbstractContextManager[None]:
        """Ends a call after its time: a cell a minute would hold a worker without end."""
        return self._limits.within(self._call_seconds, context.cancel)

    @contextmanager
    def _place(self, council: GssCode) -> Iterator[None]:
        """Counts a long call; one council cannot take every worker with slow ones."""
        with self._counting:
            free = self._sending[council] < self._submissions
            self._sending[council] += free
        if not free:
            raise Problem(
                "too many long calls at once",
                where=council,
                remedy="The node tries again by itself; if it goes on, ask the council why",
                exit_code=ExitCode.UNREACHABLE,
            )
        try:
            yield
        finally:
            with self._counting:
                self._sending[council] -= 1

    def Refuse(  # noqa: N802  named by the contract
        self, request: collection_pb2.RefuseRequest, context: grpc.ServicerContext
    ) -> collection_pb2.RefuseResponse:
        """Takes a refusal."""

        def work() -> collection_pb2.RefuseResponse:
            member = self._identity.caller(context)
            check_protocol(request.refusal.protocol)
            receipt = self._intake.accept_refusal(member.council, request.refusal)
            _log_answer("refusal", member, request.refusal.round_id, receipt)
            return collection_pb2.RefuseResponse(receipt=_signed(receipt))

        return answered(
            "refuse",
            context,
            work,
            lambda rejection: collection_pb2.RefuseResponse(rejection=encode_rejection(rejection)),
        )

    def PublishCatalogue(  # noqa: N802  named by the contract
        self, request: collection_pb2.PublishCatalogueRequest, context: grpc.ServicerContext
    ) -> collection_pb2.PublishCatalogueResponse:
        """Takes what the caller offers."""

        def work() -> collection_pb2.PublishCatalogueResponse:
            member, now = self._identity.caller(context), self._clock()
            check_protocol(request.protocol)
            sent = request.catalogue
            keep_catalogue(self._database, member, sent.catalogue, sent.signature, now)
            log.info("catalogue stored council=%s", member.council)
            return collection_pb2.PublishCatalogueResponse(stored_at=now)

        return answered(
            "publish catalogue",
            context,
            work,
            lambda rejection: collection_pb2.PublishCatalogueResponse(
                rejection=encode_rejection(rejection)
            ),
        )


def answered(
    call: str,
    context: grpc.ServicerContext,
    work: Callable[[], Response],
    refuse: Callable[[Rejection], Response],
) -> Response:
    """The response of `work`, or the rejection it raised as a response.

    Trouble of the coordinator's own becomes a gRPC status, without its text: UNAVAILABLE
    if the same request may succeed later, else INTERNAL.
    """
    try:
        return work()
    except Rejected as rejected:
        reason = rejected.rejection.reason.name
        log.info("rejected call=%s peer=%s reason=%s", call, context.peer(), reason)
        return refuse(rejected.rejection)
    except grpc.RpcError:
        log.info("broken off call=%s peer=%s", call, context.peer())
        raise
    except Problem as problem:
        log.error("failed call=%s problem=%s", call, problem)
        status, detail = grpc.StatusCode.UNAVAILABLE, "the coordinator cannot serve this now"
    except Exception as error:
        log.error("fault call=%s error=%s", call, type(error).__name__, exc_info=_tracing())
        status, detail = grpc.StatusCode.INTERNAL, "a fault in the coordinator"
    context.abort(status, detail)
    raise AssertionError("abort raises")


def _tracing() -> bool:
    return log.isEnabledFor(logging.DEBUG)


def agree_version(message: version_pb2.VersionRange) -> int:
    """The newest wire version that both sides speak.

    Raises:
        Rejected: VERSION, naming the side to upgrade; MALFORMED if the range is none.
    """
    try:
        versions = decode_versions(message)
    except ContractError as error:
        raise Rejected(Rejection(RejectionReason.MALFORMED, str(error))) from error
    agreed = negotiate(SPOKEN, versions)
    if isinstance(agreed, UpgradeSide):
        raise _version_mismatch(versions, agreed)
    return agreed


def check_protocol(protocol: int) -> None:
    """Raises Rejected VERSION unless this wire version is spoken here."""
    if protocol < 1:
        raise Rejected(
            Rejection(RejectionReason.MALFORMED, "protocol: is missing. Negotiate a version first")
        )
    if protocol not in SPOKEN:
        side = UpgradeSide.NODE if protocol < SPOKEN.oldest else UpgradeSide.COORDINATOR
        raise _version_mismatch(VersionRange(protocol, protocol), side)


def _version_mismatch(versions: VersionRange, side: UpgradeSide) -> Rejected:
    who = "the council's node" if side is UpgradeSide.NODE else "the region's coordinator"
    return Rejected(
        Rejection(
            RejectionReason.VERSION,
            f"the node speaks wire versions {versions.oldest} to {versions.newest}, the "
            f"coordinator {SPOKEN.oldest} to {SPOKEN.newest}: upgrade {who}",
            upgrade=side,
        )
    )


def _signed(receipt: StoredReceipt | SignedReceipt) -> release_pb2.SignedReceipt:
    return release_pb2.SignedReceipt(receipt=receipt.receipt, signature=receipt.signature)


def _log_answer(kind: str, member: Member, round_id: str, receipt: StoredReceipt) -> None:
    log.info(
        "%s %s council=%s round=%s state=%s",
        kind,
        "repeated" if receipt.repeated else "stored",
        member.council,
        round_id,
        receipt.state.name.lower(),
    )
