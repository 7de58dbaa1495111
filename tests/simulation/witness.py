"""An observer of one node who sees only the wire, the signed policies and the clock.

What was spent is counted here from the bytes that left, never from the node's ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from invariants import Invariant, Watch
from noise_watch import NoiseWatch, expected
from questions import Offered
from wire import REFUSE, SUBMIT, Departure

from folkmoot import round_codec
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rounds import Round, round_digest
from folkmoot.v1 import collection_pb2
from folkmoot_node.evidence.signatures import is_round_signature
from folkmoot_node.policies.release_policy import ReleasePolicy
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_operator.problems import Problem


@dataclass(frozen=True)
class Circumstance:
    """What held while the node did something.

    Attributes:
        now: The node's clock, seconds since 1970-01-01T00:00:00Z.
        policy: The release policy in force; None if the file is not validly signed.
        approved: Ids of rounds that an operator may have approved.
        declined: Ids of rounds that an operator has declined.
        extract: Name of the extract that was scored last.
    """

    now: int
    policy: ReleasePolicy | None
    approved: frozenset[str]
    declined: frozenset[str]
    extract: str


@dataclass(frozen=True)
class _Told:
    round_: Round
    since: int


@dataclass
class _Spent:
    """A loss that left; `until` is when the accounting period of its debit ends at least."""

    round_id: str
    nano: int
    until: int
    messages: tuple[bytes, ...]
    judged: bool = False


class Witness:
    """Checks what one node lets out."""

    def __init__(
        self,
        council: str,
        signing_key: bytes,
        stores: Callable[[str], HouseholdStore],
        noise: NoiseWatch,
        watch: Watch,
    ) -> None:
        """Sees nothing yet.

        Args:
            council: GSS code.
            signing_key: The coordinator's Ed25519 public key, 32 bytes.
            stores: The original store of an extract, by its name.
            noise: Where the run's noise is collected.
            watch: Told of what is broken.
        """
        self._council = council
        self._signing_key = signing_key
        self._stores = stores
        self._noise = noise
        self._watch = watch
        self._history: list[Circumstance] = []
        self._told: dict[tuple[str, bytes], _Told] = {}
        self._answers: dict[str, Departure] = {}
        self._spent: list[_Spent] = []
        self.departures: list[Departure] = []

    @property
    def answered(self) -> int:
        """Number of rounds to which some answer left the node."""
        return len(self._answers)

    @property
    def answers_sent(self) -> int:
        """How often an answer left, or a part of one."""
        return sum(one.method in (SUBMIT, REFUSE) and bool(one.messages) for one in self.departures)

    def forget_all_but(self, on_record: Collection[str]) -> None:
        """Nobody can tell any more what was answered to the other rounds.

        A node restored from a backup learns what has left it from the coordinator. What the
        coordinator does not hold, because the answer was lost on the way or its own database
        was restored too, cannot be found by asking: SECURITY.md says so.
        """
        self._answers = {
            round_id: answer for round_id, answer in self._answers.items() if round_id in on_record
        }
        self._spent = [spent for spent in self._spent if spent.round_id in on_record]

    @property
    def released(self) -> int:
        """Number of releases that left the node."""
        return len(self._spent)

    def note(self, circumstance: Circumstance) -> None:
        """Begins to watch what the node does under new circumstances."""
        self._history.append(circumstance)

    def hear(self, offered: Offered) -> None:
        """Notes a round that was sent to the node."""
        if not is_round_signature(self._signing_key, offered.serialised, offered.signature):
            return
        try:
            round_ = round_codec.decode_round(offered.serialised)
        except ContractError:
            return
        digest = round_digest(offered.serialised)
        self._told.setdefault((round_.round_id, digest), _Told(round_, len(self._history) - 1))

    def see(self, departure: Departure) -> None:
        """Judges messages that left the node.

        Raises:
            Broken: If they should not have.
        """
        self.departures.append(departure)
        if departure.method not in (SUBMIT, REFUSE) or not departure.messages:
            return
        round_id, digest = _names(departure)
        told = self._told.get((round_id, digest))
        if told is None:
            text = f"an answer to no round it was told: {round_id}"
            self._watch.broken(Invariant.PERMISSION, text)
            return
        self._check_same(round_id, departure)
        if departure.method == SUBMIT:
            self._check_release(told, departure)

    def _check_same(self, round_id: str, departure: Departure) -> None:
        first = self._answers.setdefault(round_id, departure)
        if first.method != departure.method:
            text = f"round {round_id} was released and refused"
            self._watch.broken(Invariant.ONE_ANSWER, text)
            return
        both = min(len(first.messages), len(departure.messages))
        if first.messages[:both] != departure.messages[:both] or (
            first.whole and departure.whole and len(first.messages) != len(departure.messages)
        ):
            text = f"round {round_id} got two different answers"
            self._watch.broken(Invariant.ONE_ANSWER, text)
        if len(departure.messages) > len(first.messages):
            self._answers[round_id] = departure

    def _check_release(self, told: _Told, departure: Departure) -> None:
        round_ = told.round_
        spent = self._paid_before(round_, departure)
        possible = [
            one for one in self._history[told.since :] if _permits(one, round_, self._council)
        ]
        if not possible:
            text = f"round {round_.round_id} was not permitted at any time"
            self._watch.broken(Invariant.PERMISSION, text)
            possible = self._history[told.since :]
        if spent is None:
            until = min(map(_period_end, possible))
            spent = _Spent(round_.round_id, round_.loss.nano, until, departure.messages)
            self._spent.append(spent)
            if not any(self._affords(one, round_) for one in possible):
                text = f"round {round_.round_id} was more than the policy's loss"
                self._watch.broken(Invariant.BUDGET, text)
        if departure.whole and not spent.judged:
            spent.judged = True
            extracts = {one.extract for one in possible}
            if len(extracts) == 1:  # else it cannot be told which records were counted
                store = self._stores(extracts.pop())
                self._noise.look(
                    np.array(_values(departure), dtype=np.int64),
                    expected(store, round_, self._council),
                    f"round {round_.round_id}",
                )

    def _paid_before(self, round_: Round, departure: Departure) -> _Spent | None:
        """The loss of the same bytes; other bytes of the same round are another loss."""
        for spent in self._spent:
            if spent.round_id == round_.round_id:
                both = min(len(spent.messages), len(departure.messages))
                if spent.messages[:both] == departure.messages[:both]:
                    spent.messages = max(spent.messages, departure.messages, key=len)
                    return spent
        return None

    def _affords(self, circumstance: Circumstance, round_: Round) -> bool:
        """Whether all that left can have been paid for, had the last been paid for now."""
        if circumstance.policy is None:
            return False
        loss = circumstance.policy.loss
        try:
            start, _ = loss.period_of(circumstance.now)
        except Problem:  # before the first accounting period
            return False
        in_period = sum(one.nano for one in self._spent if one.until > start)
        return (
            round_.loss <= loss.per_round
            and in_period <= loss.per_period.nano
            and sum(one.nano for one in self._spent) <= loss.lifetime.nano
        )


def _period_end(circumstance: Circumstance) -> int:
    if circumstance.policy is None:
        return 0
    try:
        return circumstance.policy.loss.period_of(circumstance.now)[1]
    except Problem:
        return 0


def _permits(circumstance: Circumstance, round_: Round, council: str) -> bool:
    """Whether a round may be released, its loss apart."""
    policy = circumstance.policy
    if policy is None or GssCode(council) not in round_.councils:
        return False
    return (
        round_.purpose in policy.purposes
        and datetime.fromtimestamp(circumstance.now, UTC).date() <= policy.sunset
        and round_.delta <= policy.maximum_delta
        and round_.mechanism.name.lower() in policy.mechanisms
        and all(one.name in policy.attributes for one in round_.workload.attributes)
        and round_.workload.cells(GssCode(council)) <= policy.maximum_cells
        and circumstance.now < round_.deadline
        and round_.round_id not in circumstance.declined
        and (not policy.operator_approval or round_.round_id in circumstance.approved)
    )


def _names(departure: Departure) -> tuple[str, bytes]:
    if departure.method == SUBMIT:
        header = collection_pb2.SubmitRequest.FromString(departure.messages[0]).header
        return header.round_id, header.round_digest
    refusal = collection_pb2.RefuseRequest.FromString(departure.messages[0]).refusal
    return refusal.round_id, refusal.round_digest


def _values(departure: Departure) -> list[int]:
    return [
        value
        for message in departure.messages[1:]
        for value in collection_pb2.SubmitRequest.FromString(message).cells.values
    ]
