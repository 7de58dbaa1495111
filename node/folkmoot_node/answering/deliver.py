"""Delivering answers: each until there is a receipt, and again where the coordinator lost it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from folkmoot.rejection import RejectionReason
from folkmoot.rounds import round_digest
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.witnesses import leave_head
from folkmoot_node.evidence.outbox import Answer, HeldReceipt
from folkmoot_node.evidence.pauses import require_running
from folkmoot_node.evidence.round_book import MAX_ROUNDS_A_DAY
from folkmoot_node.evidence.signatures import check_receipt
from folkmoot_node.federation.client import CoordinatorClient
from folkmoot_node.federation.rejected import RejectedByCoordinator
from folkmoot_node.release.steps import AnswerStage
from folkmoot_node.signals import events
from folkmoot_operator.problems import ExitCode

if TYPE_CHECKING:
    from folkmoot.v1 import release_pb2
    from folkmoot_node.home import NodeHome

_NOT_ITS_FAULT = {RejectionReason.CERTIFICATE, RejectionReason.VERSION}
"""Rejections of the node rather than of the answer, which is kept and sent again."""


def deliver(home: NodeHome, client: CoordinatorClient) -> Iterator[Event]:
    """Sends every answer that has no receipt yet, and keeps the receipts.

    Raises:
        Problem: If the coordinator cannot be reached or this node is paused; what is owed is sent
            next time.
    """
    book = home.round_book()
    for answer in home.outbox.undelivered():
        require_running(home, "no answer is sent")
        if not book.is_of_this_region(answer.round_id):
            text = "belongs to another region; its answer is kept and not sent"
            yield Event(answer.round_id, text, True, events.ANSWER_OF_ANOTHER_REGION)
            continue
        try:
            signed = client.deliver(answer)
        except RejectedByCoordinator as error:
            if error.exit_code is ExitCode.UNREACHABLE or error.rejection.reason in _NOT_ITS_FAULT:
                raise
            home.outbox.close(answer.round_id, error.rejection.reason.name)
            text = f"the coordinator did not accept: {error}"
            yield Event(answer.round_id, text, True, events.ANSWER_NOT_ACCEPTED)
            continue
        home.observe(AnswerStage.DELIVERED)
        _check(home, answer, signed)
        home.outbox.acknowledge(answer.round_id, signed.receipt, signed.signature)
        home.observe(AnswerStage.ACKNOWLEDGED)
        text = f"{answer.kind.value} delivered, receipt held"
        yield Event(answer.round_id, text, kind=events.ANSWER_DELIVERED)
    for what in leave_head(home):
        yield Event("", what, True, events.HEAD_NOT_WITNESSED)


def send_again(
    home: NodeHome, client: CoordinatorClient, protocol: int, lost_there: frozenset[str]
) -> Iterator[Event]:
    """Sends answers that the coordinator has lost, the same bytes, where the round is open.

    The first receipt is kept: it proves that the answer had been stored.

    Args:
        home: The node.
        client: The coordinator.
        protocol: Wire version.
        lost_there: Rounds whose answer has a receipt here and is not held there.

    Raises:
        Problem: If the coordinator cannot be reached.
    """
    if not lost_there:
        return
    asked = home.outbox.rounds()
    for listed in islice(client.rounds(protocol), MAX_ROUNDS_A_DAY):
        round_id = asked.pop(round_digest(listed.round), None)  # each once a visit
        answer = home.outbox.find(round_id) if round_id in lost_there else None
        if answer is None:
            continue
        if answer.is_recovered:
            text = "the coordinator has lost the answer, and this node's files do not hold it"
            text = f"{text}; the round is not answered again"
            yield Event(answer.round_id, text, True, events.ANSWER_LOST)
            continue
        require_running(home, "no answer is sent")
        try:
            _check(home, answer, client.deliver(answer))
        except RejectedByCoordinator as error:
            if error.exit_code is ExitCode.UNREACHABLE or error.rejection.reason in _NOT_ITS_FAULT:
                raise
            text = f"the coordinator has lost the answer: {error}"
            yield Event(answer.round_id, text, True, events.ANSWER_LOST)
            continue
        text = "the coordinator had lost the answer; the same bytes were sent again, and are held"
        yield Event(answer.round_id, text, True, events.ANSWER_SENT_AGAIN)


def _check(home: NodeHome, answer: Answer, signed: release_pb2.SignedReceipt) -> None:
    held = HeldReceipt(signed.receipt, signed.signature)
    check_receipt(home.identity().signing_key, home.config.council, answer, held)
