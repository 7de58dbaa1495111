"""The privacy ledger: what was spent, and the filter that refuses to spend more.

Losses of zCDP mechanisms add up (Bun and Steinke 2016, lemma 7). The filter compares the
sum of whole nano-rho with the policy's caps inside the transaction that records the
debit, so that no two processes can spend the same budget.

There are two caps. The lifetime cap holds over all debits. The other holds over an
accounting period, and periods that overlap count as one: each debit is recorded with the
period of the policy under which it was made, and a newly signed policy, which can begin its
period when it likes, inherits what was spent in every period that is not over. So for
each period in which anything was spent, what was spent in it is within the cap.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from folkmoot.privacy import Rho
from folkmoot.receipt import Receipt
from folkmoot_node.evidence import ledger_clock
from folkmoot_node.evidence.database import Log, StateDatabase
from folkmoot_node.evidence.joint_head import ANCHORS, anchors
from folkmoot_node.policies.release_policy import LossPolicy
from folkmoot_operator.hash_chain import Entry, Head
from folkmoot_operator.problems import ExitCode, Problem

_DEBIT = "debit"
_RECOVERED = "recovered"
INHERITED = "inherited"
"""Kind of an entry that says what councils before this one had spent; see `inheritance`."""


class BudgetExhausted(Exception):
    """A debit would exceed the loss allowed in the accounting period, or for all time.

    Attributes:
        requested: What was asked for.
        remaining: What is left.
    """

    def __init__(self, requested: Rho, remaining: Rho) -> None:
        super().__init__(f"rho {requested} was requested and {remaining} remains")
        self.requested = requested
        self.remaining = remaining


@dataclass(frozen=True, slots=True)
class Debit:
    """One debit.

    Attributes:
        round_id: Round that it paid for.
        round_digest: SHA-256 of the serialised round, 32 bytes.
        rho: Loss.
        at: Seconds since 1970-01-01T00:00:00Z.
        period: First second of the accounting period in which it was made, as the policy
            then in force had it, and first second of the next.
        entry: Digest of the ledger entry, 32 bytes.
        recovered: True if it was entered from a receipt, because the entry that paid was lost.
        signer: Ed25519 public key that had signed the release policy, 32 bytes; empty where the
            entry does not say.
        inherited: True if councils before this one had spent it; it names no round.
    """

    round_id: str
    round_digest: bytes
    rho: Rho
    at: int
    period: tuple[int, int]
    entry: bytes
    recovered: bool
    signer: bytes = b""
    inherited: bool = False

    @property
    def is_for_a_round(self) -> bool:
        """Whether it was made here, to answer a round."""
        return not self.recovered and not self.inherited


@dataclass(frozen=True, slots=True)
class Balance:
    """What was spent and is left, in an accounting period and for all time.

    Attributes:
        period_start: First second of the period.
        period_end: First second of the next.
        cap: Most that may be spent in the period.
        spent: What was spent in it, and in periods of earlier policies that overlap it.
        lifetime_cap: Most that may ever be spent.
        lifetime: What was spent since the node exists.
    """

    period_start: int
    period_end: int
    cap: Rho
    spent: Rho
    lifetime_cap: Rho
    lifetime: Rho

    @property
    def period_remaining(self) -> Rho:
        """What the period's cap leaves; zero if a new policy lowered it."""
        return Rho(max(0, self.cap.nano - self.spent.nano))

    @property
    def lifetime_remaining(self) -> Rho:
        """What the lifetime cap leaves; zero if a new policy lowered it."""
        return Rho(max(0, self.lifetime_cap.nano - self.lifetime.nano))

    @property
    def remaining(self) -> Rho:
        """What may still be spent now: the smaller of the two."""
        return min(self.period_remaining, self.lifetime_remaining)


class Ledger:
    """The privacy ledger of one node."""

    def __init__(self, state: StateDatabase) -> None:
        self._state = state
        self._chain = state.chain("ledger")

    def debits(self) -> tuple[Debit, ...]:
        """All debits, oldest first."""
        return tuple(_debit(entry) for entry in self._chain.entries() if entry.body["rho_nano"])

    def debit_of(self, round_id: str) -> Debit | None:
        """The debit that was made to answer a round, or None."""
        return next(
            (
                debit
                for debit in self.debits()
                if debit.round_id == round_id and debit.is_for_a_round
            ),
            None,
        )

    def signers(self) -> tuple[Debit, ...]:
        """The debits that were the first under another signer than the one before.

        The first debit that names its signer is among them.
        """
        named = [debit for debit in self.debits() if debit.signer]
        before = [b"", *(debit.signer for debit in named)]
        return tuple(
            debit for debit, last in zip(named, before, strict=False) if debit.signer != last
        )

    def recovered(self) -> frozenset[tuple[str, bytes]]:
        """Round id and answer digest of each lost answer that was recovered."""
        return frozenset(
            (entry.body["round_id"], bytes.fromhex(entry.body["answer_digest"]))
            for entry in self._chain.entries()
            if entry.body["kind"] == _RECOVERED
        )

    def paid(self) -> frozenset[tuple[str, bytes]]:
        """Round id and ledger entry of each debit."""
        return frozenset(
            (debit.round_id, debit.entry) for debit in self.debits() if not debit.inherited
        )

    def unaccounted(self, receipts: Iterable[Receipt]) -> tuple[Receipt, ...]:
        """Receipts of releases whose ledger entry is not here, and that were not recovered."""
        paid, recovered = self.paid(), self.recovered()
        return tuple(
            receipt
            for receipt in receipts
            if receipt.is_release
            and (receipt.round_id, receipt.ledger_entry) not in paid
            and (receipt.round_id, receipt.answer_digest) not in recovered
        )

    def balance(self, policy: LossPolicy, moment: int, *, apart_from: str | None = None) -> Balance:
        """What is spent and left in the accounting period that contains `moment`.

        Args:
            policy: Caps and accounting period.
            moment: Seconds since 1970-01-01T00:00:00Z.
            apart_from: Id of a round whose own debit, if it has one, is left out.
        """
        start, end = policy.period_of(moment)
        debits = tuple(debit for debit in self.debits() if debit.round_id != apart_from)
        return Balance(
            period_start=start,
            period_end=end,
            cap=policy.per_period,
            spent=_sum(counted_from(debits, start)),
            lifetime_cap=policy.lifetime,
            lifetime=_sum(debits),
        )

    def in_period(self, policy: LossPolicy, moment: int) -> tuple[Debit, ...]:
        """The debits made in the very accounting period that contains `moment`.

        Those of other periods that overlap it are left out, and those that were entered from
        receipts, since it is not known when they were made.
        """
        period = policy.period_of(moment)
        return tuple(
            debit for debit in self.debits() if debit.period == period and debit.is_for_a_round
        )

    def debit(
        self,
        round_id: str,
        round_digest: bytes,
        rho: Rho,
        policy: LossPolicy,
        policy_digest: bytes,
        moment: int,
        *,
        signer: bytes = b"",
    ) -> Debit:
        """Reserves the loss of a round, durably, once.

        A round that was debited before, for example before a crash, is not debited
        again: the first debit is returned.

        Args:
            round_id: Round to pay for.
            round_digest: SHA-256 of the serialised round, 32 bytes.
            rho: Loss to reserve.
            policy: Caps and accounting period.
            policy_digest: SHA-256 of the release policy under which it is spent.
            moment: Seconds since 1970-01-01T00:00:00Z.
            signer: Ed25519 public key that signed that policy, 32 bytes; empty if unknown.

        Raises:
            BudgetExhausted: If less than `rho` is left. Nothing is recorded.
            Problem: If the chain is broken, the round was debited with other content, or
                the clock is behind the last entry. Nothing is recorded.
        """
        with self._state.transaction() as connection:
            self._chain.verify()
            earlier = self.debit_of(round_id)
            if earlier is not None:
                if (earlier.round_digest, earlier.rho) != (round_digest, rho):
                    raise Problem(
                        f"round {round_id} was debited with other content",
                        remedy="Report it to the region; do not answer the round",
                        exit_code=ExitCode.VERIFICATION,
                    )
                return earlier
            if any(lost == round_id for lost, _ in self.recovered()):
                raise Problem(
                    f"round {round_id} was answered before this node's files were restored",
                    remedy="It is not answered again; nothing needs to be done",
                    exit_code=ExitCode.REFUSED,
                )
            self.check_clock(moment)
            balance = self.balance(policy, moment)
            if rho > balance.remaining:
                raise BudgetExhausted(rho, balance.remaining)
            body = {
                "kind": _DEBIT,
                "round_id": round_id,
                "round_digest": round_digest.hex(),
                "rho_nano": rho.nano,
                "period": [balance.period_start, balance.period_end],
                "release_policy": policy_digest.hex(),
                "signer": signer.hex(),
                # A restored ledger that pays for the same round in the same second would
                # otherwise have the same entry, and two releases would look like one.
                "nonce": secrets.token_hex(16),
                ANCHORS: anchors(self._state),
            }
            return _debit(self._chain.append(connection, moment, body))

    def recover(
        self, receipt: Receipt, policy: LossPolicy, policy_digest: bytes, moment: int
    ) -> Rho:
        """Enters a lost answer from its receipt, durably, once.

        The loss is entered whatever the caps: it is spent. It counts in the accounting
        period of `moment`, since the receipt's own time is the coordinator's word.

        Args:
            receipt: Receipt of the answer, whose signature was checked.
            policy: Caps and accounting period.
            policy_digest: SHA-256 of the release policy in force, 32 bytes.
            moment: Seconds since 1970-01-01T00:00:00Z.

        Returns:
            The loss that is debited with it: zero for a refusal, for a release whose own
            entry is in the ledger, and for an answer that was recovered before.

        Raises:
            Problem: If the chain is broken, the clock is behind the last entry, or no
                accounting period has begun. Nothing is recorded.
        """
        with self._state.transaction() as connection:
            self._chain.verify()
            if (receipt.round_id, receipt.answer_digest) in self.recovered():
                return Rho(0)
            self.check_clock(moment)
            rho = receipt.loss if self.unaccounted((receipt,)) else Rho(0)
            entry = receipt.ledger_entry
            body = {
                "kind": _RECOVERED,
                "round_id": receipt.round_id,
                "round_digest": receipt.round_digest.hex(),
                "answer_digest": receipt.answer_digest.hex(),
                "rho_nano": rho.nano,
                "ledger_entry": entry.hex() if entry else None,
                "received_at": receipt.received_at,
                "period": list(policy.period_of(moment)),
                "release_policy": policy_digest.hex(),
                ANCHORS: anchors(self._state),
            }
            self._chain.append(connection, moment, body)
            return rho

    def noted(self, log: Log) -> frozenset[int]:
        """Lengths of another log of which entries of the ledger name the head."""
        heads = (entry.body.get(ANCHORS, {}).get(log) for entry in self._chain.entries())
        return frozenset(Head.parse(str(head)).length for head in heads if head)

    def ahead_of(self, moment: int) -> int | None:
        """The latest time of an entry after `moment`, which stops debits; None if they go on."""
        decisions = self._state.chain("audit").entries((ledger_clock.ACCEPTED,))
        return ledger_clock.ahead(self._chain.entries(), decisions, moment)

    def check_clock(self, moment: int) -> None:
        """Checks that no entry lies ahead of the clock, unless a person has accepted that.

        Raises:
            Problem: Exit code VERIFICATION, saying when it ends and what to do.
        """
        latest = self.ahead_of(moment)
        if latest is not None:
            raise ledger_clock.behind(latest, str(self._state.path))

    def head(self) -> Head:
        """Length and last digest of the chain, to be noted outside this machine."""
        return self._chain.head()

    def require(self, noted: Head) -> None:
        """Raises Problem unless a head that was noted earlier is in the chain."""
        self._chain.require(noted)

    def verify(self) -> Head:
        """Recomputes the chain; raises Problem if it is broken."""
        return self._chain.verify()


def counted_from(debits: tuple[Debit, ...], start: int) -> tuple[Debit, ...]:
    """The debits of the period that begins at `start` and goes on now, and of all that
    overlap it directly or through others.
    """
    while True:
        counted = tuple(debit for debit in debits if debit.period[1] > start)
        earliest = min((debit.period[0] for debit in counted), default=start)
        if earliest >= start:
            return counted
        start = earliest


def _sum(debits: tuple[Debit, ...]) -> Rho:
    return Rho.total(debit.rho for debit in debits)


def _debit(entry: Entry) -> Debit:
    return Debit(
        round_id=entry.body["round_id"],
        round_digest=bytes.fromhex(entry.body["round_digest"]),
        rho=Rho(entry.body["rho_nano"]),
        at=entry.at,
        period=(entry.body["period"][0], entry.body["period"][1]),
        entry=entry.digest,
        recovered=entry.body["kind"] == _RECOVERED,
        signer=bytes.fromhex(entry.body.get("signer", "")),
        inherited=entry.body["kind"] == INHERITED,
    )
