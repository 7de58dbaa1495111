"""Answers to rounds: checked, stored once, and receipted.

What is not accepted leaves no trace. The same answer gets the same receipt for ever, so a
node whose receipt was lost simply sends again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from folkmoot.codec import decode_refusal, decode_release, encode_receipt
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.receipt import RECEIPT_SIGNATURE_DOMAIN, Receipt
from folkmoot.refusal import Refusal, refusal_digest
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.release import Release, release_digest
from folkmoot.rounds import RoundState
from folkmoot.v1 import collection_pb2, release_pb2
from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, CellsRow, InvitedRow, RoundRow
from folkmoot_coordinator.rounds.round_store import StoredRound, close_if_answered, stored_round
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.moments import to_text


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A receipt as it was first given.

    Attributes:
        receipt: Serialised receipt.
        signature: Ed25519, 64 bytes.
        repeated: True if the answer had been stored before.
        state: Where the round stands after the answer.
    """

    receipt: bytes
    signature: bytes
    repeated: bool
    state: RoundState


@dataclass(frozen=True, slots=True)
class _Answer:
    council: GssCode
    digest: bytes
    release: Release | None
    refusal: Refusal | None


class Intake:
    """Accepts one answer from each council to each round."""

    def __init__(self, database: Database, signing: SigningKey, clock: Clock) -> None:
        self._database = database
        self._signing = signing
        self._clock = clock

    def accept_release(
        self,
        council: GssCode,
        header: release_pb2.ReleaseHeader,
        parts: Iterable[collection_pb2.SubmitRequest],
    ) -> StoredReceipt:
        """Stores a release, or finds that it is stored already.

        What the header says is checked before any cell is read; memory is bounded by the
        number of cells that the round has for this council.

        Args:
            council: Who is calling, from its certificate.
            header: First message of the submission.
            parts: The messages after it.

        Raises:
            Rejected: With the first reason found.
        """
        stored, earlier = self._find(council, header.council, header.round_id)
        if earlier is not None and earlier.digest != header.release_digest:
            raise _already_answered(council)
        if earlier is None:
            _check_open(stored, self._clock())
        _check_round_digest(stored, header.round_digest)
        _check_terms(stored, header)
        cells = stored.round_.plan(council).rows
        release = decode_release(header, parts, cells)
        return self._store(_Answer(council, release_digest(release), release, None), stored)

    def accept_refusal(self, council: GssCode, message: release_pb2.Refusal) -> StoredReceipt:
        """Stores a refusal, or finds that it is stored already.

        Args:
            council: Who is calling, from its certificate.
            message: The refusal.

        Raises:
            Rejected: With the first reason found.
        """
        stored, earlier = self._find(council, message.council, message.round_id)
        try:
            refusal = decode_refusal(message)
        except ContractError as error:
            raise _rejected(RejectionReason.MALFORMED, str(error)) from error
        digest = refusal_digest(refusal)
        if earlier is not None and earlier.digest != digest:
            raise _already_answered(council)
        if earlier is None:
            _check_open(stored, self._clock())
        _check_round_digest(stored, refusal.round_digest)
        return self._store(_Answer(council, digest, None, refusal), stored)

    def _find(
        self, council: GssCode, claimed: str, round_id: str
    ) -> tuple[StoredRound, AnswerRow | None]:
        if claimed != council:
            raise _rejected(
                RejectionReason.COUNCIL,
                f"the answer names {claimed[:20]!r}; the certificate is bound to {council}",
            )
        with self._database.reading() as session:
            row = session.scalar(
                select(RoundRow)
                .join(InvitedRow, InvitedRow.round_id == RoundRow.round_id)
                .where(RoundRow.round_id == round_id, InvitedRow.council == council)
            )
            if row is None:
                raise _rejected(
                    RejectionReason.ROUND_UNKNOWN,
                    f"there is no round {round_id[:40]!r} to which {council} is invited",
                )
            return stored_round(row), session.get(AnswerRow, (round_id, council))

    def _store(self, answer: _Answer, stored: StoredRound) -> StoredReceipt:
        round_id = stored.round_.round_id
        try:
            with self._database.writing() as session:
                row = session.scalars(
                    select(RoundRow).where(RoundRow.round_id == round_id).with_for_update()
                ).one()
                earlier = session.get(AnswerRow, (round_id, answer.council))
                if earlier is not None:
                    return _repeat(earlier, answer, RoundState(row.state))
                now = self._clock()
                _check_open(stored_round(row), now)
                return self._insert(session, row, answer, now)
        except IntegrityError:  # another process stored an answer in between
            with self._database.reading() as session:
                earlier = session.get(AnswerRow, (round_id, answer.council))
                if earlier is None:
                    raise
                return _repeat(earlier, answer, stored.state)

    def _insert(self, session: Session, row: RoundRow, answer: _Answer, now: int) -> StoredReceipt:
        release, refusal = answer.release, answer.refusal
        receipt = encode_receipt(
            Receipt(
                round_id=row.round_id,
                council=answer.council,
                answer_digest=answer.digest,
                received_at=now,
                round_digest=row.digest,
                loss=release.loss if release else Rho(0),
                ledger_entry=release.ledger_entry if release else None,
            )
        )
        signature = self._signing.sign(RECEIPT_SIGNATURE_DOMAIN, receipt)
        session.add(
            AnswerRow(
                round_id=row.round_id,
                council=answer.council,
                digest=answer.digest,
                reason=refusal.reason.value if refusal else None,
                ledger_entry=release.ledger_entry if release else None,
                received_at=now,
                receipt=receipt,
                signature=signature,
            )
        )
        session.flush()
        if release is not None:
            session.add(
                CellsRow(
                    round_id=row.round_id,
                    council=answer.council,
                    counts=release.counts.little_endian(),
                    series_step=release.row.step if release.row else None,
                    series_cohort=release.row.cohort if release.row else None,
                )
            )
            session.flush()
        return StoredReceipt(
            receipt, signature, repeated=False, state=close_if_answered(session, row, now)
        )


def _repeat(earlier: AnswerRow, answer: _Answer, state: RoundState) -> StoredReceipt:
    if earlier.digest != answer.digest:
        raise _already_answered(answer.council)
    return StoredReceipt(earlier.receipt, earlier.signature, repeated=True, state=state)


def _check_open(stored: StoredRound, now: int) -> None:
    if stored.state is not RoundState.OPEN or stored.round_.deadline <= now:
        closed = min(stored.closed_at or stored.round_.deadline, stored.round_.deadline)
        raise _rejected(
            RejectionReason.ROUND_CLOSED,
            f"the round closed at {to_text(closed)}; nothing was stored",
        )


def _check_round_digest(stored: StoredRound, digest: bytes) -> None:
    if digest != stored.digest:
        raise _rejected(
            RejectionReason.ROUND_DIGEST,
            "the answer is to other round bytes than those signed here; fetch the round again",
        )


def _check_terms(stored: StoredRound, header: release_pb2.ReleaseHeader) -> None:
    round_ = stored.round_
    if header.mechanism != round_.mechanism.value:
        raise _rejected(
            RejectionReason.LOSS,
            f"mechanism {header.mechanism} was used; the round asks for "
            f"{round_.mechanism.value} ({round_.mechanism.name})",
        )
    if Rho(header.loss.rho_nano) not in round_.charges:
        raise _rejected(
            RejectionReason.LOSS,
            f"the release states a loss of {header.loss.rho_nano} nano-rho; the round asks for "
            f"{' or '.join(str(charge.nano) for charge in round_.charges)}",
        )
    position = round_.series.position if round_.series else 0
    in_series = 1 <= header.series_cohort <= header.series_step <= position
    in_none = position == header.series_step == header.series_cohort == 0
    if not (in_series or in_none):
        raise _rejected(
            RejectionReason.MALFORMED,
            f"series step {header.series_step} and cohort {header.series_cohort} do not fit the "
            "round",
        )


def _already_answered(council: GssCode) -> Rejected:
    return _rejected(
        RejectionReason.ALREADY_ANSWERED,
        f"{council} has answered this round with other bytes; the first answer stands",
    )


def _rejected(reason: RejectionReason, detail: str) -> Rejected:
    return Rejected(Rejection(reason, detail))
