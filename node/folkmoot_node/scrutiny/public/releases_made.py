"""The releases that have left: what was asked, how precisely it was answered, at what loss.

The noisy counts themselves are the region's to publish, which makes tables of them that agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_node.answering.expected_precision import lines_of, marginals_of
from folkmoot_node.evidence.outbox import AnswerKind
from folkmoot_node.home import NodeHome


@dataclass(frozen=True, slots=True)
class ReleaseMade:
    """A release that the coordinator holds.

    Attributes:
        round_id: Of the round, 32 hexadecimal digits.
        title: What the region calls it.
        purpose: For which purpose it was asked.
        at: When it was answered, seconds since 1970-01-01T00:00:00Z.
        loss: zCDP loss of a household, rho; in a series, of the whole series.
        epsilon: The same as epsilon, at the round's delta.
        delta: That delta, as text; "0" for a pure release.
        counted: What was counted and how precisely, a line each.
        sha256: Digest of the release, hexadecimal, which the receipt names.
    """

    round_id: str
    title: str
    purpose: str
    at: int
    loss: str
    epsilon: float
    delta: str
    counted: tuple[str, ...]
    sha256: str


def releases_made(node: NodeHome) -> tuple[ReleaseMade, ...]:
    """All that the coordinator has a receipt for, oldest first; none before enrolment.

    Reads no score: what is said of precision follows from the round alone.
    """
    if node.config.coordinator is None:
        return ()
    book = node.round_book()
    found: list[ReleaseMade] = []
    for known in book.rounds():
        answer = node.outbox.find(known.round_id)
        if answer is None or answer.kind is not AnswerKind.RELEASE or answer.receipt is None:
            continue
        asked = book.question(known)
        marginals = marginals_of(asked, node.config.council)
        words = [one.words for one in marginals]  # precision depends on the rounds before it
        found.append(
            ReleaseMade(
                known.round_id,
                asked.title or "without title",
                asked.purpose,
                answer.stored_at,
                str(asked.loss),
                asked.epsilon_for(),
                str(asked.delta),
                tuple(words if asked.series else lines_of(marginals)),
                answer.digest.hex(),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.at, one.round_id)))
