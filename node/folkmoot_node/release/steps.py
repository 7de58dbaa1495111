"""The steps of answering a round, and who wants to know of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class AnswerStage(Enum):
    """What has just become true while a round is answered."""

    TABULATED = "the households are counted"
    DEBITED = "the loss is in the ledger"
    SAMPLED = "the noise is drawn"
    STORED = "the answer is in the outbox"
    DELIVERED = "the coordinator has the answer"
    ACKNOWLEDGED = "the receipt is in the outbox"


Observer = Callable[[AnswerStage], None]


def ignore(step: AnswerStage) -> None:
    """An observer that does nothing."""
