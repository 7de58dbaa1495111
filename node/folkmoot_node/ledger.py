"""The privacy ledger: what was spent, and the filter that refuses to spend more.

Losses of zCDP mechanisms add up (Bun and Steinke 2016, lemma 7). The filter compares the
sum of whole nano-rho with the policy's caps inside the transaction that records the
debit, so that no two processes can spend the same budget.

There are two caps. The lifetime cap holds over all debits. The other holds over an
accounting period, and periods that overlap count as one: each debit is recorded with the
period of the policy under which it was made, and a policy signed anew, which can begin its
period when it likes, inherits what was spent in every period that is not over. So for
each period in which anything was spent, what was spent in it is within the cap.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.privacy import Rho
from folkmoot_node.chain import Entry, HashChain, Head
from folkmoot_node.release_policy import LossPolicy
from folkmoot_node.state import StateDatabase
from folkmoot_operator.problems import ExitCode, Problem


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
    """

    round_id: str
    round_digest: bytes
    rho: Rho
    at: int
    period: tuple[int, int]
    entry: bytes


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
        self._chain = HashChain(state, "ledger")

    def debits(self) -> tuple[Debit, ...]:
        """All debits, oldest first."""
        return tuple(
            _debit(entry) for entry in self._chain.entries() if entry.body["kind"] == "debit"
        )

    def debit_of(self, round_id: str) -> Debit | None:
        """The debit of a round, or None."""
        return next((debit for debit in self.debits() if debit.round_id == round_id), None)

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
            spent=_sum(_counted(debits, start)),
            lifetime_cap=policy.lifetime,
            lifetime=_sum(debits),
        )

    def debit(
        self,
        round_id: str,
        round_digest: bytes,
        rho: Rho,
        policy: LossPolicy,
        policy_digest: bytes,
        moment: int,
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
            last = max((debit.at for debit in self.debits()), default=0)
            if moment < last:
                raise Problem(
                    "the machine's clock is behind the last entry of the ledger, so the "
                    "accounting period cannot be told",
                    where=str(self._state.path),
                    remedy="Set the clock",
                    exit_code=ExitCode.VERIFICATION,
                )
            balance = self.balance(policy, moment)
            if rho > balance.remaining:
                raise BudgetExhausted(rho, balance.remaining)
            body = {
                "kind": "debit",
                "round_id": round_id,
                "round_digest": round_digest.hex(),
                "rho_nano": rho.nano,
                "period": [balance.period_start, balance.period_end],
                "release_policy": policy_digest.hex(),
            }
            return _debit(self._chain.append(connection, moment, body))

    def verify(self) -> Head:
        """Recomputes the chain; raises Problem if it is broken."""
        return self._chain.verify()


def _counted(debits: tuple[Debit, ...], start: int) -> tuple[Debit, ...]:
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
    return Rho(sum(debit.rho.nano for debit in debits))


def _debit(entry: Entry) -> Debit:
    return Debit(
        round_id=entry.body["round_id"],
        round_digest=bytes.fromhex(entry.body["round_digest"]),
        rho=Rho(entry.body["rho_nano"]),
        at=entry.at,
        period=(entry.body["period"][0], entry.body["period"][1]),
        entry=entry.digest,
    )
