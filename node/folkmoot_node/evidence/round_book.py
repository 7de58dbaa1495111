"""Rounds the node has heard of: kept as signed, judged once, decided by people."""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from dataclasses import dataclass
from enum import Enum
from typing import Any

from folkmoot.errors import ContractError
from folkmoot.rounds import Round, round_digest
from folkmoot_node.evidence import round_table
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.outbox import Answer, AnswerKind, Outbox
from folkmoot_node.evidence.round_cache import RoundCache
from folkmoot_node.evidence.round_table import RoundFacts
from folkmoot_node.evidence.signatures import is_round_signature
from folkmoot_operator.accounts import Operator, body_of_account
from folkmoot_operator.problems import ExitCode, Problem

MAX_ROUNDS_A_DAY = 1_000
"""Rounds kept in 24 hours, so that a coordinator cannot fill the node's disk at once."""
MAX_BYTES_A_DAY = 64 * 2**20
"""Bytes of the rounds kept in 24 hours. A round of a region has some tens of kilobytes."""
MAX_BYTES_OPEN = 64 * 2**20
"""Bytes of the rounds that are open and have no answer: each visit may decode them all."""
MAX_BYTES_IN_VAIN = 8 * 2**20
"""Bytes of rounds that turn out not to be well formed, after which no more are decoded."""
_DAY = 86_400
TAKEN_BACK = "decision taken back"
"""What the audit log says of a decision that does not hold any more."""


class Decision(Enum):
    """What an operator decided about a round."""

    APPROVED = "approved"
    DECLINED = "declined"


class RoundStatus(Enum):
    """Where a round stands at this node."""

    WAITING_FOR_APPROVAL = "waiting for approval"
    WAITING_FOR_SCORES = "waiting since a scoring run was stopped"
    READY = "ready to answer"
    DECLINED = "declined, not sent yet"
    EXPIRED = "deadline passed without an answer"
    RELEASED = "released, not delivered yet"
    REFUSED = "refused, not delivered yet"
    RELEASE_DELIVERED = "released, receipt held"
    REFUSAL_DELIVERED = "refused, receipt held"
    RECOVERED = "answered before this node's files were restored, receipt held"
    UNDELIVERABLE = "answered, but the coordinator did not accept it"

    @property
    def is_for_a_person(self) -> bool:
        """True while nothing happens until a person decides."""
        return self in {RoundStatus.WAITING_FOR_APPROVAL, RoundStatus.WAITING_FOR_SCORES}


@dataclass(frozen=True, slots=True)
class KnownRound:
    """A round whose signature was checked when it was first seen.

    It is not decoded: a node keeps all rounds, and each may be large. See
    `RoundBook.question`.

    Attributes:
        round_id: 32 hexadecimal digits.
        facts: What is known of it without decoding it.
        digest: SHA-256 of the serialised round, 32 bytes.
        signature: Of the coordinator that sent it, 64 bytes.
        first_seen: Seconds since 1970-01-01T00:00:00Z.
        decision: What an operator decided, or None.
        decided_by: Who decided, or None.
        decided_at: When, or None.
    """

    round_id: str
    facts: RoundFacts
    digest: bytes
    signature: bytes
    first_seen: int
    decision: Decision | None
    decided_by: str | None
    decided_at: int | None

    def status(
        self, answer: Answer | None, *, approval: bool, now: int, stopped: bool = False
    ) -> RoundStatus:
        """Where the round stands.

        Args:
            answer: Its answer, or None.
            approval: True if the release policy asks for an operator's approval.
            now: Seconds since 1970-01-01T00:00:00Z.
            stopped: True if rounds wait for a scoring run to end well.
        """
        if answer is not None:
            if answer.is_recovered:
                return RoundStatus.RECOVERED
            released = answer.kind is AnswerKind.RELEASE
            if answer.receipt is not None:
                return RoundStatus.RELEASE_DELIVERED if released else RoundStatus.REFUSAL_DELIVERED
            if answer.closed is not None:
                return RoundStatus.UNDELIVERABLE
            return RoundStatus.RELEASED if released else RoundStatus.REFUSED
        if now >= self.facts.deadline:
            return RoundStatus.EXPIRED
        if self.decision is Decision.DECLINED:
            return RoundStatus.DECLINED
        if approval and self.decision is None:
            return RoundStatus.WAITING_FOR_APPROVAL
        return RoundStatus.WAITING_FOR_SCORES if stopped else RoundStatus.READY


class RoundBook:
    """The rounds one node has heard of."""

    def __init__(
        self, state: StateDatabase, signing_key: bytes, cache: RoundCache | None = None
    ) -> None:
        """Opens the book.

        Args:
            state: The node's state.
            signing_key: The coordinator's Ed25519 public key, 32 bytes.
            cache: What this process has verified and decoded so far.
        """
        self._state = state
        self._signing_key = signing_key
        self._cache = cache or RoundCache()
        self._in_vain = 0

    def receive(self, serialised: bytes, signature: bytes, now: int) -> KnownRound:
        """Checks and keeps a round as the coordinator sent it.

        It is decoded last, after what is quicker to check: its size, whether it is known or
        known to be malformed, its signature, and whether there is room for it.

        Raises:
            Problem: If the signature is wrong, another round was seen under the same id, or
                the coordinator has sent too many. Nothing is kept.
            ContractError: If the round is not well formed.
        """
        digest = round_digest(serialised)
        kept = self._select("WHERE round_digest = ?", (digest,))
        if kept:  # the coordinator lists a round at each visit while it is open
            return kept[0]
        if not self._is_genuine(serialised, signature):
            raise Problem(
                "a round is not signed by this region's coordinator",
                where="coordinator",
                remedy="Report it to the region; the round is ignored",
                exit_code=ExitCode.REFUSED,
            )
        self._require_room(len(serialised), now)
        round_ = self._decode_new(digest, serialised)
        with self._state.transaction() as connection:
            self._require_room(len(serialised), now)  # another process may have received some
            round_table.insert(connection, round_, serialised, signature, now)
        known = self.find(round_.round_id)
        assert known is not None
        if known.digest != digest:
            raise Problem(
                f"round {round_.round_id} came again with other content",
                where="coordinator",
                remedy="Report it to the region; the first round stands",
                exit_code=ExitCode.REFUSED,
            )
        self._cache.note_genuine(self._signing_key, digest, signature)
        return known

    def _decode_new(self, digest: bytes, serialised: bytes) -> Round:
        if self._in_vain > MAX_BYTES_IN_VAIN and not self._cache.is_malformed(digest):
            raise Problem(
                "the coordinator sends rounds that cannot be read; this one is not looked at",
                where="coordinator",
                remedy="Report it to the region; it is read at a later visit",
                exit_code=ExitCode.REFUSED,
            )
        new = not self._cache.is_malformed(digest)
        try:
            return self._cache.decoded(digest, lambda: serialised)
        except ContractError:
            self._in_vain += len(serialised) if new else 0
            raise

    def _require_room(self, size: int, now: int) -> None:
        """Checks that a new round may be kept: so many, and so large, rounds are not honest.

        Raises:
            Problem: If the coordinator has opened too many in a day, or has too many open.
        """
        lately, lately_bytes, open_bytes = round_table.sizes(self._state.reader, now - _DAY, now)
        too_much = ""
        if lately >= MAX_ROUNDS_A_DAY:
            too_much = f"opened more than {MAX_ROUNDS_A_DAY} rounds in a day"
        elif lately_bytes + size > MAX_BYTES_A_DAY:
            too_much = f"opened rounds of more than {MAX_BYTES_A_DAY // 2**20} MiB in a day"
        elif open_bytes + size > MAX_BYTES_OPEN:
            too_much = f"has rounds of more than {MAX_BYTES_OPEN // 2**20} MiB without an answer"
        if too_much:
            raise Problem(
                f"the coordinator {too_much}",
                where="coordinator",
                remedy="Report it to the region; no more are kept today",
                exit_code=ExitCode.REFUSED,
            )

    def question(self, known: KnownRound) -> Round:
        """The round itself, decoded.

        Raises:
            Problem: Exit code VERIFICATION, if its bytes are not those that were signed.
        """

        def read() -> bytes:
            serialised = self._serialised(known)
            if round_digest(serialised) != known.digest:
                raise Problem(
                    f"round {known.round_id} in the node's state file was changed",
                    where=str(self._state.path),
                    remedy="Stop releasing and compare with a backup",
                    exit_code=ExitCode.VERIFICATION,
                )
            return serialised

        return self._cache.decoded(known.digest, read)

    def find(self, round_id: str) -> KnownRound | None:
        """The round of that id, of whatever region, or None."""
        row = self._state.reader.execute(f"{_SELECT} WHERE round_id = ?", (round_id,)).fetchone()
        return _known(row) if row else None

    def resolve(self, prefix: str) -> KnownRound:
        """The round whose id begins with `prefix`, or the newest for `latest`.

        Raises:
            Problem: If there is none, or more than one.
        """
        if prefix == "latest":
            found = self.rounds()[-1:]
        else:
            found = tuple(known for known in self.rounds() if known.round_id.startswith(prefix))
        if len(found) != 1:
            raise Problem(
                f"{len(found) or 'no'} rounds have an id that begins with {prefix[:40]!r}",
                remedy="See `folkmoot-node rounds list`",
                exit_code=ExitCode.USAGE,
            )
        return found[0]

    def unanswered(self, outbox: Outbox, since: int) -> tuple[KnownRound, ...]:
        """Rounds without an answer whose deadline is after `since`, the first seen first."""
        answered = outbox.digests()
        return self._select(
            "WHERE deadline > ? ORDER BY first_seen, rowid", (since,), apart_from=answered
        )

    def undecided(self, outbox: Outbox, now: int) -> tuple[KnownRound, ...]:
        """Rounds without decision and answer, among them those that ended within a day."""
        waiting = self.unanswered(outbox, now - _DAY)
        return tuple(known for known in waiting if known.decision is None)

    def rounds(self) -> tuple[KnownRound, ...]:
        """All rounds of this region, in the order in which they were first seen."""
        return self._select("ORDER BY first_seen, rowid")

    def is_of_this_region(self, round_id: str) -> bool:
        """True if the round was signed by the coordinator this node is enrolled with now."""
        return bool(self._select("WHERE round_id = ?", (round_id,)))

    def _select(
        self, which: str, values: tuple[Any, ...] = (), apart_from: Container[str] = ()
    ) -> tuple[KnownRound, ...]:
        """The rounds of this region among those selected, without those of some ids."""
        rows = self._state.reader.execute(f"{_SELECT} {which}", values).fetchall()
        return tuple(
            known
            for known in map(_known, rows)
            if known.round_id not in apart_from and self._is_of_this_region(known)
        )

    def _is_of_this_region(self, known: KnownRound) -> bool:
        def verify() -> bool:
            serialised = self._serialised(known)
            return round_digest(serialised) == known.digest and self._is_genuine(
                serialised, known.signature
            )

        return self._cache.is_genuine(self._signing_key, known.digest, known.signature, verify)

    def _serialised(self, known: KnownRound) -> bytes:
        serialised: bytes
        (serialised,) = self._state.reader.execute(
            "SELECT serialised FROM rounds WHERE round_id = ?", (known.round_id,)
        ).fetchone()
        return serialised

    def _is_genuine(self, serialised: bytes, signature: bytes) -> bool:
        return is_round_signature(self._signing_key, serialised, signature)

    def decide(
        self,
        known: KnownRound,
        decision: Decision,
        who: Operator | str,
        now: int,
        outbox: Outbox,
    ) -> None:
        """Records what an operator decided, here and in the audit log.

        Args:
            known: The round.
            decision: What was decided.
            who: Who decided.
            now: Seconds since 1970-01-01T00:00:00Z.
            outbox: The answers.

        Raises:
            Problem: If the round was answered, or decided before.
        """
        with self._state.transaction() as connection:
            current = self.find(known.round_id)
            if outbox.find(known.round_id) is not None:
                problem = "was answered already"
            elif current is not None and current.decision is not None:
                problem = f"was {current.decision.value} already by {current.decided_by}"
            else:
                connection.execute(
                    "UPDATE rounds SET decision = ?, decided_by = ?, decided_at = ? "
                    "WHERE round_id = ?",
                    (decision.value, str(who), now, known.round_id),
                )
                self._note(connection, decision.value, who, known, now)
                return
        raise Problem(
            f"round {known.round_id} {problem}",
            remedy="See `folkmoot-node rounds show`",
            exit_code=ExitCode.REFUSED,
        )

    def undecide(self, known: KnownRound, who: Operator | str, now: int, outbox: Outbox) -> None:
        """Takes a decision back, while the round has no answer; the audit log has it.

        Args:
            known: The round.
            who: Who takes it back.
            now: Seconds since 1970-01-01T00:00:00Z.
            outbox: The answers.

        Raises:
            Problem: If the round was answered, or nothing was decided.
        """
        with self._state.transaction() as connection:
            current = self.find(known.round_id)
            if (
                outbox.find(known.round_id) is None
                and current is not None
                and current.decision is not None
            ):
                connection.execute(
                    "UPDATE rounds SET decision = NULL, decided_by = NULL, decided_at = NULL "
                    "WHERE round_id = ?",
                    (known.round_id,),
                )
                self._note(connection, TAKEN_BACK, who, known, now)
                return
        raise Problem(
            f"nothing can be taken back for round {known.round_id}",
            remedy="An answered round cannot be recalled; see `folkmoot-node rounds show`",
            exit_code=ExitCode.REFUSED,
        )

    def _note(
        self,
        connection: sqlite3.Connection,
        done: str,
        who: Operator | str,
        known: KnownRound,
        now: int,
    ) -> None:
        body = {"action": f"round {done}", **body_of_account(who), "round_id": known.round_id}
        self._state.chain("audit").append(connection, now, body)


_SELECT = (
    "SELECT round_id, round_digest, signature, first_seen, decision, decided_by, decided_at, "  # noqa: S608
    f"{round_table.FACTS} FROM rounds"
)


def _known(row: tuple[Any, ...]) -> KnownRound:
    round_id, digest, signature, first_seen, decision, decided_by, decided_at, *facts = row
    return KnownRound(
        round_id=round_id,
        facts=RoundFacts.of_columns(tuple(facts)),
        digest=digest,
        signature=signature,
        first_seen=first_seen,
        decision=Decision(decision) if decision else None,
        decided_by=decided_by,
        decided_at=decided_at,
    )
