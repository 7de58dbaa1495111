"""Nodes broken on purpose, each in a way that has happened somewhere, to test the simulation.

A breakage patches the node's code; the invariant beside it must be seen to fail.
"""

from __future__ import annotations

import dataclasses
import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import council
import numpy as np
import pytest
from invariants import Invariant

from folkmoot import answer_codec
from folkmoot.privacy import Rho
from folkmoot.release import NoisyCounts, release_digest
from folkmoot.v1 import collection_pb2
from folkmoot_node.answering.reconcile import Comparison
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.evidence.ledger import Balance, Debit, Ledger
from folkmoot_node.evidence.outbox import Answer, AnswerKind, Outbox
from folkmoot_node.evidence.round_book import RoundBook
from folkmoot_node.federation import client as coordinator_client
from folkmoot_node.home import NodeHome
from folkmoot_node.policies.release_policy import SignedReleasePolicy, load_unsigned
from folkmoot_node.release import admission
from folkmoot_node.release import mechanism as release
from folkmoot_node.release.admission import AdmissionContext, Objection
from folkmoot_node.running.serve import visit
from folkmoot_operator.hash_chain import GENESIS, HashChain
from folkmoot_operator.problems import ExitCode, Problem

Patch = pytest.MonkeyPatch
Sampler = Callable[[list[int]], list[int]]


def skips_the_debit(patch: Patch) -> None:
    def debit(
        self: Ledger,
        round_id: str,
        digest: bytes,
        rho: Rho,
        policy: Any,
        _: bytes,
        now: int,
        *,
        signer: bytes,
    ) -> Debit:
        entry = hashlib.sha256(round_id.encode()).digest()
        period = policy.period_of(now)
        return Debit(round_id, digest, rho, now, period, entry, recovered=False, signer=signer)

    patch.setattr(Ledger, "debit", debit)


def counts_only_the_last_debit(patch: Patch) -> None:
    original = Ledger.balance

    def balance(self: Ledger, *arguments: Any, **named: Any) -> Balance:
        last = self.debits()[-1:]
        with Patch.context() as inner:
            inner.setattr(Ledger, "debits", lambda _: last)
            return original(self, *arguments, **named)

    patch.setattr(Ledger, "balance", balance)


def forgets_spending_after_a_new_policy(patch: Patch) -> None:
    """The lifetime cap and earlier periods are not looked at."""
    original = Ledger.balance

    def balance(self: Ledger, policy: Any, moment: int, **named: Any) -> Balance:
        found = original(self, policy, moment, **named)
        spent = sum(debit.rho.nano for debit in self.debits() if debit.at >= found.period_start)
        return dataclasses.replace(found, spent=Rho(spent), lifetime=Rho(spent))

    patch.setattr(Ledger, "balance", balance)


def ignores_the_limit_of_a_round(patch: Patch) -> None:
    original = admission.judge

    def judge(round_: Any, context: AdmissionContext) -> Objection | None:
        policy = context.release_policy
        loss = policy.loss.model_copy(update={"per_round": policy.loss.per_period})
        policy = policy.model_copy(update={"loss": loss})
        return original(round_, dataclasses.replace(context, release_policy=policy))

    patch.setattr(admission, "judge", judge)


def asks_no_operator(patch: Patch) -> None:
    original = NodeHome.release_policy

    def release_policy(self: NodeHome) -> SignedReleasePolicy:
        signed = original(self)
        policy = signed.policy.model_copy(update={"operator_approval": False})
        return dataclasses.replace(signed, policy=policy)

    patch.setattr(NodeHome, "release_policy", release_policy)


def believes_unsigned_policies(patch: Patch) -> None:
    def release_policy(self: NodeHome) -> SignedReleasePolicy:
        policy, digest = load_unsigned(self.config.release_policy)
        return SignedReleasePolicy(policy, digest, "nobody", "never")

    patch.setattr(NodeHome, "release_policy", release_policy)


def believes_any_signature(patch: Patch) -> None:
    patch.setattr(RoundBook, "_is_genuine", lambda *_: True)


def forgets_what_was_not_delivered(patch: Patch) -> None:
    """The outbox is lost at each start, as if it had been kept in memory."""
    original = StateDatabase.__init__

    def begin(self: StateDatabase, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        self.reader.execute("DROP TRIGGER IF EXISTS outbox_stays")
        self.reader.execute("DELETE FROM outbox WHERE receipt IS NULL")

    patch.setattr(StateDatabase, "__init__", begin)


def redraws_noise_on_retry(patch: Patch) -> None:
    original = Outbox.undelivered
    draws = iter(range(1, 10**9))

    def undelivered(self: Outbox) -> Iterator[Answer]:
        for answer in original(self):
            is_release = answer.kind is AnswerKind.RELEASE
            yield _with_other_noise(answer, next(draws)) if is_release else answer

    patch.setattr(Outbox, "undelivered", undelivered)


def _with_other_noise(answer: Answer, draw: int) -> Answer:
    parts = [collection_pb2.SubmitRequest.FromString(frame) for frame in answer.frames]
    header = answer_codec.decode_header(parts[0])
    found = answer_codec.decode_release(header, parts[1:], header.cells)
    counts = NoisyCounts(array("q", [value + draw for value in found.counts.values]))
    changed = dataclasses.replace(found, counts=counts)
    frames = [
        part.SerializeToString() for part in answer_codec.encode_release(changed, header.protocol)
    ]
    return dataclasses.replace(answer, frames=tuple(frames), digest=release_digest(changed))


def tests_no_sampler(patch: Patch) -> None:
    """Not a breakage by itself: what the self-test would stop has to be caught without it, too."""
    patch.setattr(release, "require_sound_sampler", lambda *_: None)


def _sampler(patch: Patch, change: Callable[[Sampler], Sampler], factor: int = 1) -> None:
    tests_no_sampler(patch)
    original = release._gaussian
    patch.setattr(
        release,
        "_gaussian",
        lambda rho, squared: change(original(Rho(rho.nano * factor), squared)),
    )


def asks_for_no_receipts(patch: Patch) -> None:
    """A node whose files were restored does not learn what has left it."""
    patch.setattr(
        "folkmoot_node.answering.visit.reconcile", lambda *_: Comparison(0, frozenset(), 0)
    )


def recovers_without_a_debit(patch: Patch) -> None:
    patch.setattr(Ledger, "unaccounted", lambda *_: ())


def halves_the_noise(patch: Patch) -> None:
    _sampler(patch, lambda sampler: sampler, factor=4)


def adds_no_noise(patch: Patch) -> None:
    _sampler(patch, lambda _: lambda exact: exact)


def adds_no_noise_to_totals(patch: Patch) -> None:
    """The number of households is taken for public."""
    _sampler(patch, lambda sampler: lambda exact: exact if len(exact) == 1 else sampler(exact))


def leaves_out_areas_where_nobody_is(patch: Patch) -> None:
    """Which areas there are is taken from the records."""
    original = release._measure

    def measure(counts: Any, plan: Any, *settings: Any) -> NoisyCounts:
        drawn = original(counts, plan, *settings).values
        held = sum(int(np.count_nonzero(table)) for table in counts._tables)
        return NoisyCounts(array("q", drawn[: max(1, min(held, len(drawn)))]))

    patch.setattr(release, "_measure", measure)


def draws_the_same_noise_again(patch: Patch) -> None:
    drawn: dict[int, list[int]] = {}

    def change(sampler: Sampler) -> Sampler:
        def sample(exact: list[int]) -> list[int]:
            noise = drawn.setdefault(len(exact), sampler([0] * len(exact)))
            return [count + one for count, one in zip(exact, noise, strict=True)]

        return sample

    _sampler(patch, change)


def logs_each_answer_once(patch: Patch) -> None:
    """A retry leaves the node without a record."""
    original = EgressLog.record

    def record(
        self: EgressLog, method: str, address: str, messages: Any, round_id: str = ""
    ) -> None:
        if round_id and any(one.round_id == round_id for one in self.departures()):
            return
        original(self, method, address, messages, round_id)

    patch.setattr(EgressLog, "record", record)


def logs_after_sending(patch: Patch) -> None:
    """What was sent before the process died is not in the log."""
    original = coordinator_client.CoordinatorClient.deliver

    def deliver(self: Any, answer: Answer) -> Any:
        late: list[tuple[Any, ...]] = []
        with Patch.context() as inner:
            inner.setattr(self._egress, "record", lambda *record: late.append(record))
            receipt = original(self, answer)
        for record in late:
            self._egress.record(*record)
        return receipt

    patch.setattr(coordinator_client.CoordinatorClient, "deliver", deliver)


def begins_the_chain_anew(patch: Patch) -> None:
    """Each process begins its logs without looking at what is there."""
    original = HashChain.append
    begun: set[int] = set()

    def append(self: HashChain, connection: Any, at: int, body: Any) -> Any:
        if id(connection) in begun:
            return original(self, connection, at, body)
        begun.add(id(connection))
        with Patch.context() as inner:
            digest = "folkmoot_operator.hash_chain.entry_digest"
            inner.setattr(digest, lambda number, when, text, _: _plain(number, when, text))
            return original(self, connection, at, body)

    patch.setattr(HashChain, "append", append)


def _plain(number: int, at: int, text: str) -> bytes:
    return hashlib.sha256(GENESIS + f"{number}\n{at}\n{text}\n".encode()).digest()


def tries_rejected_answers_for_ever(patch: Patch) -> None:
    patch.setattr(Outbox, "close", lambda *_: None)


def gives_up_for_good(patch: Patch) -> None:
    """After one fault the node has to be mended by hand."""

    def stubborn(node: NodeHome, report: Any) -> None:
        mark = node.config.home / "gave-up"
        if mark.exists():
            raise Problem("gave up", remedy="Mend it by hand", exit_code=ExitCode.UNREACHABLE)
        try:
            visit(node, report)
        except Problem:
            mark.touch()
            raise

    patch.setattr(council, "visit", stubborn)


def falls_over_a_round_it_cannot_read(patch: Patch) -> None:
    patch.setattr("folkmoot_node.answering.visit.ContractError", ZeroDivisionError)


Breakage = Callable[[Patch], None]
BREAKAGES: Sequence[tuple[Breakage, Invariant]] = (
    (skips_the_debit, Invariant.BUDGET),
    (counts_only_the_last_debit, Invariant.BUDGET),
    (forgets_spending_after_a_new_policy, Invariant.BUDGET),
    (ignores_the_limit_of_a_round, Invariant.BUDGET),
    (recovers_without_a_debit, Invariant.BUDGET),
    (asks_no_operator, Invariant.PERMISSION),
    (believes_unsigned_policies, Invariant.PERMISSION),
    (believes_any_signature, Invariant.PERMISSION),
    (forgets_what_was_not_delivered, Invariant.ONE_ANSWER),
    (redraws_noise_on_retry, Invariant.ONE_ANSWER),
    (asks_for_no_receipts, Invariant.ONE_ANSWER),
    (halves_the_noise, Invariant.NOISE),
    (adds_no_noise, Invariant.NOISE),
    (adds_no_noise_to_totals, Invariant.NOISE),
    (leaves_out_areas_where_nobody_is, Invariant.NOISE),
    (draws_the_same_noise_again, Invariant.NOISE),
    (skips_the_debit, Invariant.RECORDS),
    (logs_each_answer_once, Invariant.RECORDS),
    (logs_after_sending, Invariant.RECORDS),
    (begins_the_chain_anew, Invariant.RECORDS),
    (tries_rejected_answers_for_ever, Invariant.LIVENESS),
    (gives_up_for_good, Invariant.LIVENESS),
    (falls_over_a_round_it_cannot_read, Invariant.LIVENESS),
)
