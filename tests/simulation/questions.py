"""What a coordinator asks, honestly or not.

A hostile coordinator holds the region's signing key. It asks for other areas than there
are, for parts of what it had, for the same under another title or another id, for more than
the policy allows; it puts another question under an id that was used; it sends rounds with
signatures that are not its own, and bytes that are no round.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from enum import Enum

from region import AREAS, RISK_POLICY

from folkmoot import round_codec
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import NO_EPSILON, Delta, Epsilon, Rho
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, Mechanism, Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.signing import SigningKey

BAND = Attribute("band", ("none", "high"))
LOSSES = tuple(map(Rho.of, ("0.001", "0.05", "0.3", "0.5", "0.7")))
"""The last is above every policy's limit for a round."""
DEADLINES = (3_600, 2 * 86_400, 40 * 86_400)
"""Seconds a round is open."""


class Question(Enum):
    """What a round asks."""

    BANDS_BY_AREA = "band by area"
    BANDS_AND_AREAS = "band, area, and both: marginals that overlap"
    PART_OF_AN_AREA = "one area of each council, one band"
    MADE_UP_AREAS = "areas most of which nobody lives in"
    TOTAL = "the number of households"
    UNKNOWN_ATTRIBUTE = "an attribute that no policy permits"
    OTHER_PURPOSE = "for a purpose that no policy permits"
    OTHER_RISK_POLICY = "under another risk policy than the nodes score by"
    LARGE_DELTA = "with a delta above every policy's"
    OTHER_MECHANISM = "with a kind of noise that no policy permits"


def _areas(councils: Sequence[str]) -> Attribute:
    return Attribute("lsoa", (), {GssCode(council): AREAS[council] for council in councils})


def _made_up(councils: Sequence[str]) -> Attribute:
    return Attribute(
        "lsoa",
        (),
        {
            GssCode(council): (
                *AREAS[council],
                *(f"E01{council[-3:]}{number:03}" for number in range(17)),
            )
            for council in councils
        },
    )


def _workload(question: Question, councils: Sequence[str]) -> Workload:
    areas = _areas(councils)
    if question is Question.BANDS_AND_AREAS:
        names = (("band",), ("lsoa",), ("band", "lsoa"))
        return Workload((BAND, areas), tuple(map(Marginal, names)))
    if question is Question.PART_OF_AN_AREA:
        one = {council: codes[:1] for council, codes in areas.by_council.items()}
        attributes = (Attribute("band", ("high",)), Attribute("lsoa", (), one))
        return Workload(attributes, (Marginal(("lsoa", "band")),))
    if question is Question.MADE_UP_AREAS:
        return Workload((_made_up(councils),), (Marginal(("lsoa",)),))
    if question is Question.TOTAL:
        return Workload((), (Marginal(()),))
    if question is Question.UNKNOWN_ATTRIBUTE:
        return Workload((Attribute("religion", ("a", "b")),), (Marginal(("religion",)),))
    return Workload((BAND, areas), (Marginal(("band", "lsoa")),))


def ask(
    number: int, question: Question, councils: Sequence[str], loss: Rho, now: int, seconds: int
) -> Round:
    """A round; `number` becomes its id."""
    councils = sorted(councils)
    pure = question is Question.OTHER_MECHANISM
    epsilon = Epsilon.of("0.5") if pure else NO_EPSILON
    return Round(
        round_id=hashlib.sha256(f"round {number}".encode()).hexdigest()[:32],
        title=f"Round {number}",
        purpose="marketing" if question is Question.OTHER_PURPOSE else "winter_support",
        councils=tuple(map(GssCode, councils)),
        minimum_councils=1,
        policy_digest=hashlib.sha256(
            b"another" if question is Question.OTHER_RISK_POLICY else RISK_POLICY.encode()
        ).digest(),
        workload=_workload(question, councils),
        loss=epsilon.rho if pure else loss,
        mechanism=Mechanism.DISCRETE_LAPLACE if pure else Mechanism.DISCRETE_GAUSSIAN,
        epsilon=epsilon,
        delta=Delta.of("1e-3" if question is Question.LARGE_DELTA else "1e-6"),
        opened_at=now,
        deadline=now + seconds,
    )


class Malice(Enum):
    """What a hostile coordinator does with a round that it asked before."""

    OTHER_LOSS = "the same id, another loss"
    OTHER_WORKLOAD = "the same id, other cells"
    OTHER_TITLE = "the same id, another title"
    LATER_DEADLINE = "the same id, a later deadline"
    NEW_ID = "the same question under a new id"
    RELABELLED = "the same question under a new id and title"
    OTHER_ORDER = "the same cells in another order under a new id"
    FORGED_SIGNATURE = "signed by somebody else"
    SIGNATURE_OF_ANOTHER_ROUND = "signed, but not these bytes"
    NONSENSE = "signed bytes that are no round"
    CUT_SHORT = "the first half of a round, signed"
    UNKNOWN_FIELD = "a round with a field that nobody knows, signed"


_SAME_ID = {
    Malice.OTHER_LOSS, Malice.OTHER_WORKLOAD, Malice.OTHER_TITLE, Malice.LATER_DEADLINE,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Offered:
    """A round as it is put on the wire: bytes and signature."""

    serialised: bytes
    signature: bytes


def twist(
    malice: Malice, honest: Round, number: int, signing: SigningKey, stranger: SigningKey
) -> Offered:
    """What the coordinator makes of `honest`; `number` becomes the id where it is new."""
    changed = honest
    if malice is Malice.OTHER_LOSS:
        changed = dataclasses.replace(honest, loss=Rho(honest.loss.nano + 1_000))
    elif malice is Malice.OTHER_WORKLOAD:
        changed = dataclasses.replace(honest, workload=Workload((BAND,), (Marginal(("band",)),)))
    elif malice is Malice.OTHER_TITLE:
        changed = dataclasses.replace(honest, title="Another title")
    elif malice is Malice.LATER_DEADLINE:
        changed = dataclasses.replace(honest, deadline=honest.deadline + 86_400)
    elif malice is Malice.OTHER_ORDER:
        workload = honest.workload
        turned = tuple(
            dataclasses.replace(marginal, attributes=marginal.attributes[::-1])
            for marginal in workload.marginals[::-1]
        )
        changed = dataclasses.replace(honest, workload=Workload(workload.attributes, turned))
    if malice not in _SAME_ID:
        new = hashlib.sha256(f"round {number}".encode()).hexdigest()[:32]
        title = f"Relabelled {number}" if malice is Malice.RELABELLED else honest.title
        changed = dataclasses.replace(changed, round_id=new, title=title)
    serialised = round_codec.encode_round(changed)
    signed = serialised
    if malice is Malice.NONSENSE:
        serialised = signed = b"\xff\x00" + serialised[::-1]
    elif malice is Malice.CUT_SHORT:
        serialised = signed = serialised[: len(serialised) // 2]
    elif malice is Malice.UNKNOWN_FIELD:
        serialised = signed = serialised + b"\xba\x3e\x01x"  # field 999, one byte
    elif malice is Malice.SIGNATURE_OF_ANOTHER_ROUND:
        signed = round_codec.encode_round(honest)
    key = stranger if malice is Malice.FORGED_SIGNATURE else signing
    return Offered(serialised, key.sign(ROUND_SIGNATURE_DOMAIN, signed))
