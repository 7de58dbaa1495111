"""Whether the evidence is whole: each log, answer, round and receipt, and that they agree.

The logs and the outbox lie in one file that the node's account can write. What holds them
together is what is signed outside the node, and what each says of the others:

- A round is signed by the coordinator, and so is a receipt, which names the answer, the round,
  the loss and the ledger entry that paid.
- A ledger entry that pays names the heads of the other logs at that moment, and so the receipt
  vouches for these too, up to there.
- An answer names the ledger entry that paid, and the egress log the bytes that were sent.
- A head that was noted elsewhere vouches for a log up to there (`JointHead`).

What nothing outside vouches for is counted in `Verified.unchecked`, for people to read.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from folkmoot import answer_codec, round_codec
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.receipt import Receipt
from folkmoot.rounds import Round, round_digest
from folkmoot_node.evidence.answer_faults import fault_of, unpaid
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.evidence.inheritance import unexplained
from folkmoot_node.evidence.joint_head import JointHead, broken_anchors
from folkmoot_node.evidence.ledger import Debit, Ledger
from folkmoot_node.evidence.outbox import Answer, AnswerKind, HeldReceipt, Outbox
from folkmoot_node.evidence.regions import Regions
from folkmoot_node.evidence.round_book import TAKEN_BACK, Decision
from folkmoot_node.evidence.round_table import FACTS, RoundFacts
from folkmoot_node.evidence.signatures import genuine_receipt, is_round_signature
from folkmoot_operator.accounts import Operator
from folkmoot_operator.hash_chain import PRUNED, Head
from folkmoot_operator.problems import ExitCode, Problem

_MAX_NAMED = 20
"""Faults that a message names."""
_SENT = {"Submit": AnswerKind.RELEASE, "Refuse": AnswerKind.REFUSAL}
_ROUND = "round "


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked, and held.

    Attributes:
        ledger: Where it ends.
        egress: Where the egress log ends.
        audit: Where the audit log ends.
        answers: Answers in the outbox.
        receipts: Receipts that were checked.
        rounds: Rounds whose signature was checked.
        unchecked: What nothing vouches for, as sentences; empty if everything was checked.
    """

    ledger: Head
    egress: Head
    audit: Head
    answers: int
    receipts: int
    rounds: int
    unchecked: tuple[str, ...]

    @property
    def head(self) -> JointHead:
        """One head over the three logs."""
        return JointHead.of(self.ledger, self.egress, self.audit)


class Verification:
    """Looks through a node's state file once."""

    def __init__(self, state: StateDatabase, council: GssCode, signing_key: bytes | None) -> None:
        """Prepares; nothing is read yet.

        Args:
            state: The node's state.
            council: Whose node it is.
            signing_key: The coordinator's Ed25519 public key, 32 bytes; None if the node has
                none.
        """
        self._state = state
        self._council = council
        self._ledger, self._outbox = Ledger(state), Outbox(state)
        self._egress = EgressLog(state, lambda: 0)
        self._signing_key = signing_key
        self._rounds: dict[str, bytes] = {}
        self._of_region: dict[str, bytes | None] = {}
        self._unchecked: dict[str, int] = {}
        self._receipts = 0

    @cached_property
    def _regions(self) -> Regions:
        return Regions.of(self._state, self._signing_key)

    @cached_property
    def _debited(self) -> dict[str, Debit]:
        """The debits that were made to answer rounds, by round."""
        return {one.round_id: one for one in self._ledger.debits() if one.is_for_a_round}

    @cached_property
    def _recovered(self) -> frozenset[tuple[str, bytes]]:
        return self._ledger.recovered()

    @cached_property
    def _paid(self) -> frozenset[tuple[str, bytes]]:
        return self._ledger.paid()

    def run(self, *, thorough: bool = True) -> Verified:
        """Checks everything.

        Args:
            thorough: Whether rounds are decoded too, which takes seconds for large ones.

        Raises:
            Problem: Exit code VERIFICATION, naming each place that does not hold.
        """
        path = self._state.path
        self._state.check_pages()
        ledger, egress, audit = (self._state.chain(name) for name in ("ledger", "egress", "audit"))
        heads = [_guarded(path, chain.verify) for chain in (ledger, egress, audit)]
        faults: list[str] = []
        for check in (
            self._guards,
            self._pruned,
            lambda: self._regions.faults(),
            lambda: self._each_round(thorough=thorough),
            self._debits,
            lambda: broken_anchors(self._state),
            self._answers,
            self._lost_answers,
            self._departures,
        ):
            try:
                faults += check()
            except Problem as problem:
                faults.append(problem.problem)
            except Exception as error:  # what was tampered with may fail in any way
                faults.append(f"what is written cannot be read ({type(error).__name__})")
        if faults:
            named = faults[:_MAX_NAMED]
            further = len(faults) - len(named)
            raise Problem(
                "\n".join([*named, *([f"and {further} more"] if further else [])]),
                where=str(path),
                remedy="Stop releasing. Compare with a backup and with the receipts, and find "
                "out who could write to this file",
                exit_code=ExitCode.VERIFICATION,
            )
        return Verified(
            ledger=heads[0],
            egress=heads[1],
            audit=heads[2],
            answers=len(self._outbox.digests()),
            receipts=self._receipts,
            rounds=len(self._rounds),
            unchecked=tuple(
                what.format(number) for what, number in self._unchecked.items() if number
            ),
        )

    def _pruned(self) -> Iterator[str]:
        """Entries that were left out by rule, which only old visits may be."""
        for name in ("ledger", "audit"):
            for entry in self._state.chain(name).entries((PRUNED,)):
                yield f"{name} entry {entry.sequence} says that others were pruned: none ever are"
        for entry in self._state.chain("egress").entries((PRUNED,)):
            for first, last, _ in entry.body["gaps"]:
                self._note(
                    "What {} entries about visits said that were pruned by rule", last - first + 1
                )

    def _guards(self) -> Iterator[str]:
        """The file's own structure, and the triggers that forbid changes."""
        for (said,) in self._state.reader.execute("PRAGMA integrity_check(5)"):
            if said != "ok":
                yield f"the file is damaged: {said}"
        for name in sorted(self._state.missing_guards()):
            yield f"{name} is missing or was changed: it keeps entries as they were written"

    def _each_round(self, *, thorough: bool) -> Iterator[str]:
        last = self._last_decisions()
        rows = self._state.reader.execute(
            "SELECT round_id, round_digest, signature, first_seen, decision, decided_by, "  # noqa: S608
            f"serialised, {FACTS} FROM rounds ORDER BY rowid"
        ).fetchall()
        for row in rows:
            round_id, digest, signature, first_seen, decision, decided_by, serialised, *facts = row
            self._rounds[round_id] = digest
            if round_digest(serialised) != digest:
                yield f"round {round_id} was changed: it is not what its digest says"
                continue
            key = next(
                (k for k in self._regions.keys if is_round_signature(k, serialised, signature)),
                None,
            )
            self._of_region[round_id] = key
            if key is None:
                if not self._regions.may_be_of_another(first_seen):
                    yield f"round {round_id} does not have the coordinator's signature"
                    continue
                self._note(
                    "The signatures of {} rounds: they may come from a region that this node was "
                    "in before, whose key is not on record"
                )
            if thorough:
                yield from self._facts_of(round_id, serialised, tuple(facts))
            if last.get(round_id, (None, None)) != (decision, decided_by):
                yield (f"the decision about round {round_id} is not the one that the audit log has")

    def _facts_of(
        self, round_id: str, serialised: bytes, facts: tuple[object, ...]
    ) -> Iterator[str]:
        try:
            round_ = round_codec.decode_round(serialised)
        except ContractError as error:
            yield f"round {round_id} cannot be read ({error})"
            return
        if round_.round_id != round_id:
            yield f"round {round_id} is kept under the id of another"
        if RoundFacts.of(round_).columns != facts:
            yield f"what stands beside round {round_id} is not what the round says"
        yield from self._charges(round_)

    def _charges(self, round_: Round) -> Iterator[str]:
        debit = self._debited.get(round_.round_id)
        if debit is not None and debit.rho not in round_.charges:
            yield f"the ledger has rho {debit.rho} for round {round_.round_id}: it asks otherwise"

    def _last_decisions(self) -> dict[str, tuple[str | None, str | None]]:
        """Decision and who decided, by round, as the audit log has them."""
        last: dict[str, tuple[str | None, str | None]] = {}
        words = (*(decision.value for decision in Decision), TAKEN_BACK)
        for entry in self._state.chain("audit").entries([_ROUND + word for word in words]):
            decided = str(entry.body["action"]).removeprefix(_ROUND)
            known = decided, str(Operator.of_body(entry.body))
            last[str(entry.body["round_id"])] = (None, None) if decided == TAKEN_BACK else known
        return last

    def _debits(self) -> Iterator[str]:
        if wrong := unexplained(list(self._state.chain("ledger").entries())):
            yield wrong
        answered = self._outbox.digests()
        for round_id, debit in self._debited.items():
            known = self._rounds.get(round_id)
            if known is None:
                yield f"the ledger paid for round {round_id}, which is not kept"
            elif known != debit.round_digest:
                yield f"the ledger paid for another round {round_id} than the one kept"
            if round_id not in answered:
                self._note("What became of {} rounds that were paid for and have no answer")
        lost = {(one.receipt.round_id, one.receipt.answer_digest) for one in self._lost()}
        for round_id, digest in self._recovered:
            if answered.get(round_id) != digest and (round_id, digest) not in lost:
                yield f"the lost answer to round {round_id} was recovered, and is not on record"

    def _answers(self) -> Iterator[str]:
        for answer, packed in self._outbox.stored():
            name = f"the stored answer to round {answer.round_id}"
            if answer.is_recovered:
                if (answer.round_id, answer.digest) not in self._recovered:
                    yield f"{name} is known by its receipt alone, and the ledger has no entry of it"
            else:
                problem = fault_of(answer, packed, self._council)
                if problem:
                    yield f"{name} {problem}"
                    continue
                kept = self._rounds.get(answer.round_id)
                if kept != answer.round_digest:
                    what = "a round that is not kept" if kept is None else "another round"
                    yield f"{name} is to {what}"
                if answer.kind is AnswerKind.RELEASE:
                    yield from unpaid(answer, self._debited.get(answer.round_id), self._recovered)
            yield from self._receipt_of(answer)

    def _receipt_of(self, answer: Answer) -> Iterator[str]:
        if answer.receipt is None:
            if answer.receipt_signature is not None or answer.is_recovered:
                yield f"the receipt for round {answer.round_id} was removed"
            self._note("Whether the coordinator holds {} answers: there are no receipts for them")
            return
        held = HeldReceipt(answer.receipt, answer.receipt_signature or b"")
        receipt = self._genuine(held)
        if receipt is None:
            of_region = self._of_region.get(answer.round_id)
            if of_region is None and self._regions.may_be_of_another(answer.stored_at):
                self._note(
                    "{} receipts: they may come from a region that this node was in before, whose "
                    "key is not on record"
                )
                return
            yield (
                f"the receipt for round {answer.round_id} is not the coordinator's for this council"
            )
            return
        self._receipts += 1
        if not answer.is_receipt(receipt):
            yield (
                f"the receipt for round {answer.round_id} is not the coordinator's for this answer"
            )
        elif (
            receipt.is_release
            and (receipt.round_id, receipt.ledger_entry) not in self._paid
            and (receipt.round_id, receipt.answer_digest) not in self._recovered
        ):
            yield f"the ledger entry that paid for round {answer.round_id} is missing"

    def _genuine(self, held: HeldReceipt) -> Receipt | None:
        for key in self._regions.keys:
            receipt = genuine_receipt(key, self._council, held)
            if receipt is not None:
                return receipt
        return None

    def _lost(self) -> tuple[_Lost, ...]:
        rows = self._state.reader.execute(
            "SELECT round_id, answer_digest, receipt, receipt_signature, found_at "
            "FROM lost_answers ORDER BY rowid"
        )
        return tuple(
            _Lost(
                round_id, digest, answer_codec.decode_receipt(receipt), receipt, signature, found_at
            )
            for round_id, digest, receipt, signature, found_at in rows.fetchall()
        )

    def _lost_answers(self) -> Iterator[str]:
        for lost in self._lost():
            receipt = self._genuine(HeldReceipt(lost.serialised, lost.signature))
            if receipt is None and self._regions.may_be_of_another(lost.found_at):
                self._note("{} receipts of lost answers: they may come from a region before")
            elif receipt is None or (receipt.round_id, receipt.answer_digest) != lost.columns:
                yield f"the receipt of the lost answer to round {lost.round_id} was changed"

    def _departures(self) -> Iterator[str]:
        answers = {answer.round_id: answer for answer in self._outbox.answers()}
        recovered = {round_id for round_id, _ in self._recovered}
        sent: dict[str, set[bytes]] = {}
        for departure in self._egress.departures():
            if departure.method.rpartition("/")[2] in _SENT:
                sent.setdefault(departure.round_id, set()).add(departure.sha256)
        for round_id in sent.keys() - answers.keys() - recovered:
            yield f"the egress log has an answer to round {round_id} that is not in the outbox"
        for round_id, answer in answers.items():
            if answer.is_recovered:
                continue
            digest = hashlib.sha256(b"".join(answer.frames)).digest()
            if sent.get(round_id, {digest}) != {digest}:
                yield (
                    f"the egress log has other bytes for round {round_id} than the outbox: one of "
                    "them was changed"
                )
            elif round_id not in sent and answer.receipt is not None:
                yield (
                    f"the egress log does not have the answer to round {round_id}, for which there "
                    "is a receipt: entries were cut off or rewritten"
                )

    def _note(self, what: str, number: int = 1) -> None:
        self._unchecked[what] = self._unchecked.get(what, 0) + number


@dataclass(frozen=True, slots=True)
class _Lost:
    round_id: str
    digest: bytes
    receipt: Receipt
    serialised: bytes
    signature: bytes
    found_at: int

    @property
    def columns(self) -> tuple[str, bytes]:
        return self.round_id, self.digest


def _guarded(path: Path, verify: Callable[[], Head]) -> Head:
    try:
        return verify()
    except (sqlite3.DatabaseError, TypeError, ValueError, KeyError) as error:
        raise Problem(
            f"a log cannot be read ({type(error).__name__})",
            where=str(path),
            remedy="Stop releasing, and compare with a backup",
            exit_code=ExitCode.VERIFICATION,
        ) from None
