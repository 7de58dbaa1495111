"""Answers that were checked, stored durably; those that come together share one transaction.

A commit waits for the disk, and only one transaction writes at a time. When the councils of a
region answer within a second, those that wait are stored by whichever of them is next to
write. Each answer is stored whole or not at all, and its receipt leaves after the commit.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, bindparam, insert, select

from folkmoot.answer_codec import encode_receipt
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.receipt import RECEIPT_SIGNATURE_DOMAIN, Receipt
from folkmoot.refusal import Refusal
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.release import Release
from folkmoot.rounds import RoundState
from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, CellsRow, RoundRow
from folkmoot_coordinator.rounds.closing import close_if_answered
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import Problem

_ROUNDS, _ANSWERS = RoundRow.__table__, AnswerRow.__table__
# Made once: SQLAlchemy takes longer to build a statement than SQLite to execute it.
_LOCKED_ROUND = (
    select(_ROUNDS.c.digest, _ROUNDS.c.state, _ROUNDS.c.deadline, _ROUNDS.c.closed_at)
    .where(_ROUNDS.c.round_id == bindparam("round_id"))
    .with_for_update()
)
_EARLIER = select(
    _ANSWERS.c.council, _ANSWERS.c.digest, _ANSWERS.c.receipt, _ANSWERS.c.signature
).where(
    _ANSWERS.c.round_id == bindparam("round_id"),
    _ANSWERS.c.council.in_(bindparam("councils", expanding=True)),
)
_ADD_ANSWERS = insert(AnswerRow.__table__)  # type: ignore[arg-type]  # it is a Table
_ADD_CELLS = insert(CellsRow.__table__)  # type: ignore[arg-type]


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


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A council's answer to a round, checked as far as that does not depend on the time.

    Attributes:
        content: The release or refusal.
        digest: Its `release_digest` or `refusal_digest`, 32 bytes.
    """

    content: Release | Refusal
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Held:
    """An answer that is held, or about to be: its digest, its receipt and the signature."""

    digest: bytes
    receipt: bytes
    signature: bytes


class _Waiting:
    """An answer that waits to be stored, and what became of it."""

    __slots__ = ("answer", "error", "receipt")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.receipt: StoredReceipt | None = None
        self.error: BaseException | None = None

    @property
    def is_settled(self) -> bool:
        return self.receipt is not None or self.error is not None


class AnswerStore:
    """Stores one answer from each council to each round. Threads may share it."""

    def __init__(self, database: Database, signing: SigningKey, clock: Clock) -> None:
        self._database = database
        self._signing = signing
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._queue = threading.Lock()
        self._writing = threading.Lock()

    def store(self, answer: Answer) -> StoredReceipt:
        """Stores an answer, or finds that it is stored already; durable when this returns.

        Raises:
            Rejected: ROUND_CLOSED or ALREADY_ANSWERED.
            Problem: UNREACHABLE if the database cannot be used now.
        """
        mine = _Waiting(answer)
        with self._queue:
            self._waiting.append(mine)
        with self._writing:
            if not mine.is_settled:  # else the one who wrote before has stored it too
                with self._queue:
                    together, self._waiting = self._waiting, []
                self._settle(together)
        if mine.receipt is None:
            assert mine.error is not None
            raise mine.error
        return mine.receipt

    def _settle(self, together: Sequence[_Waiting]) -> None:
        """Stores answers in one transaction; if that fails, each in one of its own."""
        try:
            self._store(together)
        except Problem as problem:  # the database is away, for all of them
            _fail(together, problem)
        except Exception:  # whatever is wrong with one of them is not the others' fault
            for one in together:
                try:
                    self._store([one])
                except Exception as error:
                    _fail([one], error)
        except BaseException as error:
            _fail(together, error)
            raise

    def _store(self, together: Sequence[_Waiting]) -> None:
        settled: list[tuple[_Waiting, StoredReceipt | Rejected]] = []
        in_order = sorted(together, key=_round_of)  # every process locks rounds in this order
        with self._database.connection(writes=True) as connection:
            for round_id, waiting in groupby(in_order, key=_round_of):
                settled += self._store_in_round(connection, round_id, list(waiting))
        for one, outcome in settled:  # durable from here on
            if isinstance(outcome, Rejected):
                one.error = outcome
            else:
                one.receipt = outcome

    def _store_in_round(
        self, connection: Connection, round_id: str, waiting: Sequence[_Waiting]
    ) -> list[tuple[_Waiting, StoredReceipt | Rejected]]:
        row = connection.execute(_LOCKED_ROUND, {"round_id": round_id}).one()
        now = self._clock()
        state = RoundState(row.state)
        councils = sorted({one.answer.content.council for one in waiting})
        held = {
            found.council: _Held(found.digest, found.receipt, found.signature)
            for found in connection.execute(_EARLIER, {"round_id": round_id, "councils": councils})
        }
        added: list[tuple[Answer, _Held]] = []
        settled: list[tuple[_Waiting, _Held | Rejected, bool]] = []
        for one in waiting:
            answer, council = one.answer, one.answer.content.council
            found = held.get(council)
            repeated = found is not None
            if found is None and is_open(state, row.deadline, now):
                found = held[council] = self._receipt(answer, row.digest, now)
                added.append((answer, found))
            outcome: _Held | Rejected
            if found is None:
                outcome = round_closed(row.closed_at, row.deadline)
            elif found.digest != answer.digest:
                outcome = already_answered(council)
            else:
                outcome = found
            settled.append((one, outcome, repeated))
        if added:
            _insert(connection, added, now)
            state = close_if_answered(connection, round_id, row.digest, now)
        return [
            (
                one,
                found
                if isinstance(found, Rejected)
                else StoredReceipt(found.receipt, found.signature, repeated, state),
            )
            for one, found, repeated in settled
        ]

    def _receipt(self, answer: Answer, round_digest: bytes, now: int) -> _Held:
        content = answer.content
        receipt = encode_receipt(
            Receipt(
                round_id=content.round_id,
                council=content.council,
                answer_digest=answer.digest,
                received_at=now,
                round_digest=round_digest,
                loss=content.loss if isinstance(content, Release) else Rho(0),
                ledger_entry=content.ledger_entry if isinstance(content, Release) else None,
            )
        )
        return _Held(answer.digest, receipt, self._signing.sign(RECEIPT_SIGNATURE_DOMAIN, receipt))


def _insert(connection: Connection, added: Sequence[tuple[Answer, _Held]], now: int) -> None:
    answers, cells = [], []
    for answer, held in added:
        content = answer.content
        key = {"round_id": content.round_id, "council": content.council}
        row = key | {
            "digest": held.digest,
            "received_at": now,
            "receipt": held.receipt,
            "signature": held.signature,
        }
        if isinstance(content, Refusal):
            answers.append(
                row
                | {
                    "reason": content.reason.value,
                    "attribute_number": content.attribute_number or None,
                    "ledger_entry": None,
                }
            )
            continue
        released = {"reason": None, "attribute_number": None, "ledger_entry": content.ledger_entry}
        answers.append(row | released)
        measured = content.row
        cells.append(
            key
            | {
                "counts": content.counts.little_endian(),
                "series_step": measured.step if measured else None,
                "series_cohort": measured.cohort if measured else None,
                "scores_of": content.as_of,
            }
        )
    connection.execute(_ADD_ANSWERS, answers)
    if cells:
        connection.execute(_ADD_CELLS, cells)


def _fail(together: Sequence[_Waiting], error: BaseException) -> None:
    for one in together:
        one.error = error


def _round_of(one: _Waiting) -> str:
    return one.answer.content.round_id


def is_open(state: RoundState, deadline: int, now: int) -> bool:
    """True if a round takes answers now."""
    return state is RoundState.OPEN and now < deadline


def round_closed(closed_at: int | None, deadline: int) -> Rejected:
    """What an answer gets that comes too late."""
    closed = min(closed_at or deadline, deadline)
    return rejected(
        RejectionReason.ROUND_CLOSED,
        f"the round closed at {to_text(closed)}; nothing was stored",
    )


def already_answered(council: GssCode) -> Rejected:
    """What a council gets that answers again with something else."""
    return rejected(
        RejectionReason.ALREADY_ANSWERED,
        f"{council} has answered this round with other bytes; the first answer stands",
    )


def rejected(reason: RejectionReason, detail: str) -> Rejected:
    """A rejection to be raised."""
    return Rejected(Rejection(reason, detail))
