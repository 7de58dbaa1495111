"""What the door needs: the office that answers, and the question that it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from folkmoot.geography import GssCode
from folkmoot.refusal import Refusal
from folkmoot.rounds import Round
from folkmoot.versions import NUMBERED_REFUSALS, SPOKEN
from folkmoot_node.evidence.database import Clock
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_node.evidence.outbox import Answer, Outbox
from folkmoot_node.release.admission import AdmissionContext, Objection
from folkmoot_node.release.steps import Observer, ignore


@dataclass(frozen=True, slots=True)
class Office:
    """Where a node pays for its answers and keeps them.

    Attributes:
        ledger: Where the loss is debited.
        outbox: Where the answer is stored.
        clock: Gives the time.
        observe: Told after each step.
        protocol: Wire version in which answers are written, as agreed with the coordinator.
    """

    ledger: Ledger
    outbox: Outbox
    clock: Clock
    observe: Observer = ignore
    protocol: int = SPOKEN.newest

    def refuse(
        self, round_id: str, round_digest: bytes, council: GssCode, objection: Objection
    ) -> Answer:
        """Stores a refusal as the answer to a round, unless it has an answer.

        Args:
            round_id: The round.
            round_digest: SHA-256 of the serialised round, 32 bytes.
            council: This council.
            objection: Why it is refused.

        Returns:
            The round's answer: this one, or the one that was first.
        """
        number = objection.attribute_number if self.protocol >= NUMBERED_REFUSALS else 0
        refusal = Refusal(round_id, round_digest, council, objection.reason, number)
        return self.outbox.store_refusal(refusal, self.protocol, self.clock())


@dataclass(frozen=True, slots=True)
class Question:
    """A round, and what the node knows when it judges it.

    Attributes:
        round: The round, whose signature was checked.
        digest: SHA-256 of the serialised round, 32 bytes.
        context: What the node knows, for the policy check.
        policy_digest: SHA-256 of the signed release policy, 32 bytes.
        scores_of: Reference date of the scores.
        signer: Ed25519 public key that signed the release policy, 32 bytes; empty if unknown.
    """

    round: Round
    digest: bytes
    context: AdmissionContext
    policy_digest: bytes
    scores_of: date | None = None
    signer: bytes = b""
