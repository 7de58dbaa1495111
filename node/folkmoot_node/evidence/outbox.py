"""The outbox: each round's one answer, kept as the very bytes that are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from folkmoot import answer_codec
from folkmoot.geography import GssCode
from folkmoot.receipt import Receipt
from folkmoot.refusal import Refusal, RefusalReason, refusal_digest
from folkmoot.release import Release, release_digest
from folkmoot.v1 import collection_pb2, release_pb2
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_operator.problems import ExitCode, Problem

_LENGTH = 4
"""Bytes of the length before each frame, big-endian."""
_FRAMES = 5
"""Column of the frames."""


class AnswerKind(Enum):
    """What a council can answer."""

    RELEASE = "release"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer to a round.

    Attributes:
        round_id: Round answered.
        round_digest: SHA-256 of the serialised round, 32 bytes.
        kind: Release or refusal.
        reason: Why, if a refusal.
        digest: `release_digest` or `refusal_digest`, 32 bytes.
        frames: The messages to send, serialised, in order; none if the answer is known from
            its receipt alone, because this node's files were restored after it left.
        stored_at: Seconds since 1970-01-01T00:00:00Z.
        receipt: The coordinator's serialised receipt, or None while there is none.
        receipt_signature: Its signature, or None.
        closed: Why it will not be delivered any more, or None.
    """

    round_id: str
    round_digest: bytes
    kind: AnswerKind
    reason: RefusalReason | None
    digest: bytes
    frames: tuple[bytes, ...]
    stored_at: int
    receipt: bytes | None
    receipt_signature: bytes | None
    closed: str | None

    @property
    def is_pending(self) -> bool:
        """True while it has to be delivered."""
        return self.receipt is None and self.closed is None

    @property
    def is_recovered(self) -> bool:
        """True if the answer itself is not here, only its receipt."""
        return not self.frames

    def is_receipt(self, receipt: Receipt) -> bool:
        """True if a receipt says of this answer what the answer says."""
        said = (receipt.round_id, receipt.answer_digest, receipt.round_digest)
        if said != (self.round_id, self.digest, self.round_digest):
            return False
        if self.is_recovered:
            return receipt.is_release == (self.kind is AnswerKind.RELEASE)
        if self.kind is AnswerKind.REFUSAL:
            return not receipt.is_release
        header = self.header()
        return (receipt.loss.nano, receipt.ledger_entry) == (
            header.loss.rho_nano,
            header.ledger_entry,
        )

    def header(self) -> release_pb2.ReleaseHeader:
        """The header of a release, from its first message; raises if it is none."""
        return answer_codec.decode_header(collection_pb2.SubmitRequest.FromString(self.frames[0]))

    def reads_as(self) -> ReadAnswer:
        """What the messages say; raises in many ways if they were tampered with."""
        if self.kind is AnswerKind.REFUSAL:
            (frame,) = self.frames
            message = collection_pb2.RefuseRequest.FromString(frame).refusal
            refusal = answer_codec.decode_refusal(message)
            return ReadAnswer(
                refusal_digest(refusal),
                refusal.council,
                refusal.round_id,
                refusal.round_digest,
                refusal.reason,
                _pack(_refusal_frames(refusal, message.protocol)),
            )
        header = self.header()
        parts = [collection_pb2.SubmitRequest.FromString(frame) for frame in self.frames[1:]]
        release = answer_codec.decode_release(header, parts, header.cells)
        return ReadAnswer(
            release_digest(release),
            release.council,
            release.round_id,
            release.round_digest,
            None,
            _pack(_release_frames(release, header.protocol)),
        )


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What the messages of an answer say.

    Attributes:
        digest: `release_digest` or `refusal_digest`, 32 bytes.
        council: Who answers.
        round_id: Round answered.
        round_digest: SHA-256 of the serialised round, 32 bytes.
        reason: Why, if a refusal.
        packed: The messages written again, as the outbox keeps them.
    """

    digest: bytes
    council: GssCode
    round_id: str
    round_digest: bytes
    reason: RefusalReason | None
    packed: bytes


@dataclass(frozen=True, slots=True)
class HeldReceipt:
    """The receipt of an answer.

    Attributes:
        serialised: The receipt as the coordinator signed it.
        signature: The coordinator's signature, 64 bytes.
    """

    serialised: bytes
    signature: bytes


class Outbox:
    """The answers of one node. An answer, once stored, never changes."""

    def __init__(self, state: StateDatabase) -> None:
        self._state = state

    def find(self, round_id: str) -> Answer | None:
        """The answer to a round, or None."""
        row = self._state.reader.execute(
            "SELECT * FROM outbox WHERE round_id = ?", (round_id,)
        ).fetchone()
        return _answer(row) if row else None

    def answers(self) -> tuple[Answer, ...]:
        """All answers, oldest first."""
        rows = self._state.reader.execute("SELECT * FROM outbox ORDER BY stored_at, rowid")
        return tuple(map(_answer, rows.fetchall()))

    def stored(self) -> tuple[tuple[Answer, bytes], ...]:
        """All answers, oldest first, each with its messages as they lie in the file."""
        rows = self._state.reader.execute("SELECT * FROM outbox ORDER BY stored_at, rowid")
        return tuple((_answer(row), bytes(row[_FRAMES])) for row in rows.fetchall())

    def pending(self) -> tuple[Answer, ...]:
        """Answers that have to be delivered, oldest first."""
        return tuple(self.undelivered())

    def undelivered(self) -> Iterator[Answer]:
        """The same, each read when it is its turn: together they may be large."""
        rows = self._state.reader.execute(
            "SELECT round_id FROM outbox WHERE receipt IS NULL AND closed IS NULL "
            "ORDER BY stored_at, rowid"
        ).fetchall()
        for which in rows:
            row = self._state.reader.execute("SELECT * FROM outbox WHERE round_id = ?", which)
            yield _answer(row.fetchone())

    def counted(self) -> dict[tuple[str, RefusalReason | None], int]:
        """How many answers have each kind, and each reason if they are refusals."""
        rows = self._state.reader.execute(
            "SELECT kind, reason, count(*) FROM outbox GROUP BY kind, reason"
        )
        return {
            (str(kind), None if reason is None else RefusalReason(reason)): int(number)
            for kind, reason, number in rows.fetchall()
        }

    def owed(self) -> int:
        """How many answers have no receipt yet."""
        (number,) = self._state.reader.execute(
            "SELECT count(*) FROM outbox WHERE receipt IS NULL AND closed IS NULL"
        ).fetchone()
        return int(number)

    def rounds(self) -> dict[bytes, str]:
        """Id of each round that has an answer, by the SHA-256 of the round, 32 bytes."""
        rows = self._state.reader.execute("SELECT round_digest, round_id FROM outbox")
        return dict(rows.fetchall())

    def digests(self) -> dict[str, bytes]:
        """Digest of each answer, by round."""
        rows = self._state.reader.execute("SELECT round_id, answer_digest FROM outbox")
        return dict(rows.fetchall())

    def receipts(self) -> tuple[HeldReceipt, ...]:
        """The receipts of all answers that have one, oldest first."""
        rows = self._state.reader.execute(
            "SELECT receipt, receipt_signature FROM outbox WHERE receipt IS NOT NULL "
            "ORDER BY stored_at, rowid"
        )
        return tuple(HeldReceipt(*row) for row in rows.fetchall())

    def store_release(
        self,
        release: Release,
        protocol: int,
        moment: int,
        confirm: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Stores a release, durably, unless the round has an answer already.

        Args:
            release: The release.
            protocol: Wire version.
            moment: Seconds since 1970-01-01T00:00:00Z.
            confirm: Called in the transaction; what it raises leaves nothing stored.

        Returns:
            The round's answer: this one, or the one that was first.
        """
        return self._store(
            release.round_id,
            release.round_digest,
            AnswerKind.RELEASE,
            None,
            release_digest(release),
            _release_frames(release, protocol),
            moment,
            confirm,
        )

    def store_refusal(self, refusal: Refusal, protocol: int, moment: int) -> Answer:
        """Stores a refusal, durably, unless the round has an answer already."""
        return self._store(
            refusal.round_id,
            refusal.round_digest,
            AnswerKind.REFUSAL,
            refusal.reason,
            refusal_digest(refusal),
            _refusal_frames(refusal, protocol),
            moment,
        )

    def _store(
        self,
        round_id: str,
        round_digest: bytes,
        kind: AnswerKind,
        reason: RefusalReason | None,
        digest: bytes,
        frames: Iterable[bytes],
        moment: int,
        confirm: Callable[[], None] = lambda: None,
    ) -> Answer:
        packed = _pack(frames)
        with self._state.transaction() as connection:
            confirm()
            connection.execute(
                "INSERT INTO outbox (round_id, round_digest, kind, reason, answer_digest, "
                "frames, stored_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (round_id, round_digest, kind.value, reason, digest, packed, moment),
            )
        answer = self.find(round_id)
        assert answer is not None
        return answer

    def store_recovered(self, receipt: Receipt, held: HeldReceipt, moment: int) -> None:
        """Marks a round as answered by an answer that is not here, unless it has one.

        Args:
            receipt: What the receipt says.
            held: The receipt as it was signed.
            moment: Seconds since 1970-01-01T00:00:00Z.
        """
        kind = AnswerKind.RELEASE if receipt.is_release else AnswerKind.REFUSAL
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO outbox (round_id, round_digest, kind, answer_digest, frames, "
                "stored_at, receipt, receipt_signature) VALUES (?, ?, ?, ?, x'', ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (
                    receipt.round_id,
                    receipt.round_digest,
                    kind.value,
                    receipt.answer_digest,
                    moment,
                    held.serialised,
                    held.signature,
                ),
            )

    def acknowledge(self, round_id: str, receipt: bytes, signature: bytes) -> None:
        """Keeps the receipt of an answer. A second receipt changes nothing."""
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE outbox SET receipt = ?, receipt_signature = ? "
                "WHERE round_id = ? AND receipt IS NULL",
                (receipt, signature, round_id),
            )

    def close(self, round_id: str, why: str) -> None:
        """Gives up delivering an answer that the coordinator will never accept."""
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE outbox SET closed = ? WHERE round_id = ? AND receipt IS NULL",
                (why, round_id),
            )

    def verify(self) -> int:
        """Checks that each stored answer has the digest recorded with it.

        Returns:
            Number of answers.

        Raises:
            Problem: Exit code VERIFICATION, naming the round.
        """
        answers = self.answers()
        for answer in answers:
            try:
                intact = _digest_of(answer) == answer.digest
            except Exception:  # bytes that were tampered with may fail in any way
                intact = False
            if not intact:
                raise Problem(
                    f"the stored answer to round {answer.round_id} was changed",
                    where=str(self._state.path),
                    remedy="Stop releasing and compare with a backup",
                    exit_code=ExitCode.VERIFICATION,
                )
        return len(answers)


def _digest_of(answer: Answer) -> bytes:
    if answer.is_recovered:
        return answer_codec.decode_receipt(answer.receipt or b"").answer_digest
    return answer.reads_as().digest


def _release_frames(release: Release, protocol: int) -> list[bytes]:
    return [part.SerializeToString() for part in answer_codec.encode_release(release, protocol)]


def _refusal_frames(refusal: Refusal, protocol: int) -> list[bytes]:
    request = collection_pb2.RefuseRequest(refusal=answer_codec.encode_refusal(refusal, protocol))
    return [request.SerializeToString()]


def _pack(frames: Iterable[bytes]) -> bytes:
    return b"".join(len(frame).to_bytes(_LENGTH, "big") + frame for frame in frames)


def _unpack(packed: bytes) -> tuple[bytes, ...]:
    frames, at = [], 0
    while at < len(packed):
        size = int.from_bytes(packed[at : at + _LENGTH], "big")
        frames.append(packed[at + _LENGTH : at + _LENGTH + size])
        at += _LENGTH + size
    return tuple(frames)


def _answer(row: tuple[Any, ...]) -> Answer:
    round_id, round_digest, kind, reason, digest, frames, stored_at, receipt, signed, closed = row
    return Answer(
        round_id=round_id,
        round_digest=round_digest,
        kind=AnswerKind(kind),
        reason=RefusalReason(reason) if reason is not None else None,
        digest=digest,
        frames=_unpack(frames),
        stored_at=stored_at,
        receipt=receipt,
        receipt_signature=signed,
        closed=closed,
    )
