"""The privacy ledger: what was spent, and the filter that refuses to spend more.

Losses of zCDP mechanisms add up (Bun and Steinke 2016, lemma 7). The filter compares the
sum of whole nano-rho with the policy's caps inside the transaction that records the
debit, so that no two processes can spend the same budget.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.privacy import Rho
from folkmoot_node.chain import Entry, HashChain, Head
from folkmoot_node.release_policy import LossPolicy
from folkmoot_node.state import StateDatabase
from folkmoot_operator.problems import ExitCode, Problem


class BudgetExhausted(Exception):
    """A debit would exceed the loss allowed in the accounting period.

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
        entry: Digest of the ledger entry, 32 bytes.
    """

    round_id: str
    round_digest: bytes
    rho: Rho
    at: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class Balance:
    """The state of an accounting period.

    Attributes:
        period_start: First second of the period.
        period_end: First second of the next.
        cap: Most that may be spent in it.
        spent: What was spent in it.
        lifetime: What was spent since the node exists.
    """

    period_start: int
    period_end: int
    cap: Rho
    spent: Rho
    lifetime: Rho

    @property
    def remaining(self) -> Rho:
        """What may still be spent in the period; zero if a new policy lowered the cap."""
        return Rho(max(0, self.cap.nano - self.spent.nano))


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
        """The state of the accounting period that contains `moment`.

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
            spent=Rho(sum(debit.rho.nano for debit in debits if debit.at >= start)),
            lifetime=Rho(sum(debit.rho.nano for debit in debits)),
        )

    def in_period(self, policy: LossPolicy, moment: int) -> tuple[Debit, ...]:
        """The debits of the accounting period that contains `moment`."""
        start, _ = policy.period_of(moment)
        return tuple(debit for debit in self.debits() if debit.at >= start)

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
                "release_policy": policy_digest.hex(),
            }
            return _debit(self._chain.append(connection, moment, body))

    def verify(self) -> Head:
        """Recomputes the chain; raises Problem if it is broken."""
        return self._chain.verify()


def _debit(entry: Entry) -> Debit:
    return Debit(
        round_id=entry.body["round_id"],
        round_digest=bytes.fromhex(entry.body["round_digest"]),
        rho=Rho(entry.body["rho_nano"]),
        at=entry.at,
        entry=entry.digest,
    )
