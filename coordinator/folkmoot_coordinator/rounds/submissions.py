"""Answers to rounds: checked, stored once, and receipted.

What is not accepted leaves no trace. The same answer always gets the same receipt, so a
node whose receipt was lost simply sends again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import bindparam, select

from folkmoot.answer_codec import ReleaseReader, decode_refusal
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.refusal import refusal_digest
from folkmoot.rejection import RejectionReason
from folkmoot.rounds import Round, RoundState
from folkmoot.v1 import collection_pb2, release_pb2
from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, InvitedRow, RoundRow
from folkmoot_coordinator.rounds.answers import (
    Answer,
    AnswerStore,
    StoredReceipt,
    already_answered,
    is_open,
    rejected,
    round_closed,
)
from folkmoot_coordinator.rounds.decoded_rounds import DecodedRound
from folkmoot_coordinator.rounds.round_store import decoded_round
from folkmoot_coordinator.signing import SigningKey

_ROUNDS, _INVITED, _ANSWERS = RoundRow.__table__, InvitedRow.__table__, AnswerRow.__table__
# Made once: SQLAlchemy takes longer to build a statement than SQLite to execute it.
_ASKED = (
    select(
        _ROUNDS.c.digest,
        _ROUNDS.c.state,
        _ROUNDS.c.deadline,
        _ROUNDS.c.closed_at,
        _ANSWERS.c.digest.label("answered"),
    )
    .select_from(
        _ROUNDS.join(_INVITED, _INVITED.c.round_id == _ROUNDS.c.round_id).outerjoin(
            _ANSWERS,
            (_ANSWERS.c.round_id == _INVITED.c.round_id)
            & (_ANSWERS.c.council == _INVITED.c.council),
        )
    )
    .where(_ROUNDS.c.round_id == bindparam("round_id"), _INVITED.c.council == bindparam("council"))
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A round to which a council is invited, and the digest of its answer if there is one."""

    decoded: DecodedRound
    state: RoundState
    deadline: int
    closed_at: int | None
    answered: bytes | None


class ReleaseInTransit:
    """A release whose header was accepted."""

    def __init__(self, answers: AnswerStore, reader: ReleaseReader, digest: bytes) -> None:
        self._answers = answers
        self._reader = reader
        self._digest = digest

    def add(self, part: collection_pb2.SubmitRequest) -> None:
        """Takes the next cells; raises Rejected."""
        self._reader.add(part)

    def store(self) -> StoredReceipt:
        """Stores the release when all its cells have come, or finds that it is stored.

        Raises:
            Rejected: With the first reason found.
        """
        # That the digest is the release's is checked here.
        return self._answers.store(Answer(self._reader.finish(), self._digest))


class Intake:
    """Accepts one answer from each council to each round."""

    def __init__(self, database: Database, signing: SigningKey, clock: Clock) -> None:
        self._database = database
        self._answers = AnswerStore(database, signing, clock)
        self._clock = clock

    def begin_release(
        self, council: GssCode, header: release_pb2.ReleaseHeader
    ) -> ReleaseInTransit:
        """Takes a release whose cells are still to come, or that is stored already.

        What the header says is checked before any cell is read; memory is bounded by the
        number of cells that the round has for this council.

        Args:
            council: Who is calling, from its certificate.
            header: First message of the submission.

        Raises:
            Rejected: With the first reason found.
        """
        asked = self._find(council, header.council, header.round_id)
        self._check_unanswered(asked, council, header.release_digest)
        _check_round_digest(asked.decoded, header.round_digest)
        _check_terms(asked.decoded.round_, header)
        reader = ReleaseReader(header, asked.decoded.rows(council), _as_int64)
        return ReleaseInTransit(self._answers, reader, header.release_digest)

    def accept_release(
        self,
        council: GssCode,
        header: release_pb2.ReleaseHeader,
        parts: Iterable[collection_pb2.SubmitRequest],
    ) -> StoredReceipt:
        """Stores a release whose messages are at hand; arguments as of `begin_release`."""
        release = self.begin_release(council, header)
        for part in parts:
            release.add(part)
        return release.store()

    def accept_refusal(self, council: GssCode, message: release_pb2.Refusal) -> StoredReceipt:
        """Stores a refusal, or finds that it is stored already.

        Args:
            council: Who is calling, from its certificate.
            message: The refusal.

        Raises:
            Rejected: With the first reason found.
        """
        asked = self._find(council, message.council, message.round_id)
        try:
            refusal = decode_refusal(message)
        except ContractError as error:
            raise rejected(RejectionReason.MALFORMED, str(error)) from error
        digest = refusal_digest(refusal)
        self._check_unanswered(asked, council, digest)
        _check_round_digest(asked.decoded, refusal.round_digest)
        held = len(asked.decoded.round_.workload.attributes)
        if refusal.attribute_number > held:
            raise rejected(
                RejectionReason.MALFORMED,
                f"attribute {refusal.attribute_number} is refused; the round has {held}",
            )
        return self._answers.store(Answer(refusal, digest))

    def _find(self, council: GssCode, claimed: str, round_id: str) -> _Asked:
        if claimed != council:
            raise rejected(
                RejectionReason.COUNCIL,
                f"the answer names {claimed[:20]!r}; the certificate is bound to {council}",
            )
        with self._database.connection(writes=False) as connection:
            named = {"round_id": round_id, "council": council}
            # PostgreSQL takes no text with a null character, and calls it a fault.
            row = connection.execute(_ASKED, named).one_or_none() if round_id.isalnum() else None
            if row is None:
                raise rejected(
                    RejectionReason.ROUND_UNKNOWN,
                    f"there is no round {round_id[:40]!r} to which {council} is invited",
                )
            decoded = decoded_round(connection, round_id, row.digest)
        return _Asked(decoded, RoundState(row.state), row.deadline, row.closed_at, row.answered)

    def _check_unanswered(self, asked: _Asked, council: GssCode, digest: bytes) -> None:
        """Raises Rejected unless this may be the council's first answer, or its copy."""
        if asked.answered is None:
            if not is_open(asked.state, asked.deadline, self._clock()):
                raise round_closed(asked.closed_at, asked.deadline)
        elif asked.answered != digest:
            raise already_answered(council)


def _check_round_digest(decoded: DecodedRound, digest: bytes) -> None:
    if digest != decoded.digest:
        raise rejected(
            RejectionReason.ROUND_DIGEST,
            "the answer is to other round bytes than those signed here; fetch the round again",
        )


def _check_terms(round_: Round, header: release_pb2.ReleaseHeader) -> None:
    if header.mechanism != round_.mechanism.value:
        raise rejected(
            RejectionReason.LOSS,
            f"mechanism {header.mechanism} was used; the round asks for "
            f"{round_.mechanism.value} ({round_.mechanism.name})",
        )
    # Numbers are compared, for a peer may send one that is no loss at all.
    if header.loss.rho_nano not in {charge.nano for charge in round_.charges}:
        raise rejected(
            RejectionReason.LOSS,
            f"the release states a loss of {header.loss.rho_nano} nano-rho; the round asks for "
            f"{' or '.join(str(charge.nano) for charge in round_.charges)}",
        )
    position = round_.series.position if round_.series else 0
    in_series = 1 <= header.series_cohort <= header.series_step <= position
    in_none = position == header.series_step == header.series_cohort == 0
    if not (in_series or in_none):
        raise rejected(
            RejectionReason.MALFORMED,
            f"series step {header.series_step} and cohort {header.series_cohort} do not fit the "
            "round",
        )


def _as_int64(values: Sequence[int]) -> bytes:
    """The native int64 of a packed field; five times as fast as `array` reads it."""
    return np.array(values, dtype=np.int64).tobytes()
