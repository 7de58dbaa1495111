"""Rounds, and the councils' answers to them, over the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from folkmoot.answer_codec import decode_header
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.v1 import collection_pb2, release_pb2, round_pb2
from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.pauses import PauseWatch
from folkmoot_coordinator.membership.caller import Member
from folkmoot_coordinator.membership.catalogues import keep_catalogue
from folkmoot_coordinator.rounds.answers import StoredReceipt
from folkmoot_coordinator.rounds.receipts import SignedReceipt, answers_held
from folkmoot_coordinator.rounds.round_store import open_rounds_of
from folkmoot_coordinator.rounds.submissions import Intake
from folkmoot_coordinator.server.methods import Method
from folkmoot_coordinator.server.wire_versions import agree_version, check_protocol
from folkmoot_coordinator.signals import events, metrics
from folkmoot_operator.events import emit
from folkmoot_operator.metrics import count

_SERVICE = "/folkmoot.v1.CollectionService/"


class CollectionService:
    """What enrolled councils call. Nothing is decided here."""

    def __init__(self, database: Database, intake: Intake, clock: Clock) -> None:
        self._database = database
        self._intake = intake
        self._clock = clock
        self._pauses = PauseWatch(database)

    def methods(self) -> tuple[Method, ...]:
        """What it serves."""
        wire = collection_pb2
        return (
            Method(
                f"{_SERVICE}Negotiate",
                wire.NegotiateRequest,
                wire.NegotiateResponse,
                self._negotiate,
            ),
            Method(
                f"{_SERVICE}ListReceipts",
                wire.ListReceiptsRequest,
                wire.ListReceiptsResponse,
                self._list_receipts,
            ),
            Method(
                f"{_SERVICE}ListRounds",
                wire.ListRoundsRequest,
                wire.ListRoundsResponse,
                self._list_rounds,
            ),
            Method(
                f"{_SERVICE}Submit",
                wire.SubmitRequest,
                wire.SubmitResponse,
                self._begin_submission,
                in_parts=True,
            ),
            Method(f"{_SERVICE}Refuse", wire.RefuseRequest, wire.RefuseResponse, self._refuse),
            Method(
                f"{_SERVICE}PublishCatalogue",
                wire.PublishCatalogueRequest,
                wire.PublishCatalogueResponse,
                self._publish_catalogue,
            ),
        )

    def _negotiate(
        self, request: collection_pb2.NegotiateRequest, _: Member
    ) -> Iterable[collection_pb2.NegotiateResponse]:
        """Agrees on a wire version."""
        return (collection_pb2.NegotiateResponse(protocol=agree_version(request.versions)),)

    def _list_receipts(
        self, request: collection_pb2.ListReceiptsRequest, member: Member
    ) -> Iterable[collection_pb2.ListReceiptsResponse]:
        """What is held of the caller's answers; every receipt if it holds others."""
        check_protocol(request.protocol)
        held = answers_held(self._database, member.council, request.answers_digest)
        return (
            collection_pb2.ListReceiptsResponse(
                held=collection_pb2.AnswersHeld(answers_digest=held.digest, at=self._clock())
            ),
            *(
                collection_pb2.ListReceiptsResponse(receipt=_signed(receipt))
                for receipt in held.receipts
            ),
        )

    def _list_rounds(
        self, request: collection_pb2.ListRoundsRequest, member: Member
    ) -> Iterable[collection_pb2.ListRoundsResponse]:
        """Open rounds to which the caller is invited, oldest first."""
        check_protocol(request.protocol)
        return [
            collection_pb2.ListRoundsResponse(
                round=round_pb2.SignedRound(round=found.serialised, signature=found.signature)
            )
            for found in open_rounds_of(self._database, member.council, self._clock())
        ]

    def _begin_submission(
        self, first: collection_pb2.SubmitRequest, member: Member
    ) -> _ReleaseSubmission:
        """Checks what the header of a release says."""
        header = decode_header(first)
        check_protocol(header.protocol)
        self._require_running()
        return _ReleaseSubmission(self._intake, member, header, self._require_running)

    def _refuse(
        self, request: collection_pb2.RefuseRequest, member: Member
    ) -> Iterable[collection_pb2.RefuseResponse]:
        """Takes a refusal."""
        check_protocol(request.refusal.protocol)
        self._require_running()
        receipt = self._intake.accept_refusal(member.council, request.refusal)
        _log_answer("refusal", member, request.refusal.round_id, receipt)
        return (collection_pb2.RefuseResponse(receipt=_signed(receipt)),)

    def _require_running(self) -> None:
        """Refuses answers for now while people have stopped the coordinator.

        Of the reasons that every version knows, this one is nearest; that it passes is what counts.
        """
        pause = self._pauses.pause()
        if pause is not None:
            detail = f"no answer is taken now: the coordinator is {pause}. Send it again later"
            raise Rejected(Rejection(RejectionReason.ROUND_CLOSED, detail, transient=True))

    def _publish_catalogue(
        self, request: collection_pb2.PublishCatalogueRequest, member: Member
    ) -> Iterable[collection_pb2.PublishCatalogueResponse]:
        """Takes what the caller offers."""
        check_protocol(request.protocol)
        sent, now = request.catalogue, self._clock()
        keep_catalogue(self._database, member, sent.catalogue, sent.signature, now)
        emit(events.CATALOGUE_STORED, council=member.council)
        return (collection_pb2.PublishCatalogueResponse(stored_at=now),)


class _ReleaseSubmission:
    """A release whose cells are still to come."""

    def __init__(
        self,
        intake: Intake,
        member: Member,
        header: release_pb2.ReleaseHeader,
        require_running: Callable[[], None],
    ) -> None:
        self._require_running = require_running
        self._member = member
        self._round_id = header.round_id
        self._release = intake.begin_release(member.council, header)

    def add(self, message: collection_pb2.SubmitRequest) -> None:
        """Takes the next cells."""
        self._release.add(message)

    def finish(self) -> Iterable[collection_pb2.SubmitResponse]:
        """The receipt, once the release is stored."""
        self._require_running()
        receipt = self._release.store()
        _log_answer("release", self._member, self._round_id, receipt)
        return (collection_pb2.SubmitResponse(receipt=_signed(receipt)),)


def _signed(receipt: StoredReceipt | SignedReceipt) -> release_pb2.SignedReceipt:
    return release_pb2.SignedReceipt(receipt=receipt.receipt, signature=receipt.signature)


def _log_answer(kind: str, member: Member, round_id: str, receipt: StoredReceipt) -> None:
    result = "repeated" if receipt.repeated else "stored"
    count(metrics.SUBMISSIONS, kind=kind, result=result)
    emit(
        events.SUBMISSION,
        kind=kind,
        result=result,
        council=member.council,
        round=round_id,
        state=receipt.state.name.lower(),
    )
