"""Answers that come together share a transaction, and nothing else."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection

from folkmoot.answer_codec import decode_receipt
from folkmoot.geography import GssCode
from folkmoot.refusal import Refusal, RefusalReason, refusal_digest
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.release import NoisyCounts, Release, release_digest
from folkmoot.rounds import RoundState
from folkmoot_coordinator.publication.round_result import released_counts
from folkmoot_coordinator.rounds.answers import Answer, AnswerStore, StoredReceipt
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.progress import council_responses
from folkmoot_coordinator.rounds.round_store import StoredRound
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.conftest import small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")


def release(stored: StoredRound, council: GssCode, value: int = 1) -> Answer:
    content = Release(
        stored.round_.round_id,
        stored.digest,
        council,
        stored.round_.mechanism,
        stored.round_.loss,
        bytes(32),
        NoisyCounts(array("q", [value] * stored.round_.plan(council).rows)),
    )
    return Answer(content, release_digest(content))


def refusal(stored: StoredRound, council: GssCode) -> Answer:
    content = Refusal(stored.round_.round_id, stored.digest, council, RefusalReason.DECLINED)
    return Answer(content, refusal_digest(content))


class Queue:
    """Holds the first transaction until all answers wait; counts transactions that write."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = AnswerStore(office.database, office.signing, office.clock)
        self.transactions = 0
        self._connection = office.database.connection
        monkeypatch.setattr(office.database, "connection", self._counted)

    @contextmanager
    def _counted(self, *, writes: bool) -> Iterator[Connection]:
        self.transactions += writes
        with self._connection(writes=writes) as connection:
            yield connection

    def together(self, answers: list[Answer]) -> list[StoredReceipt | Exception]:
        """What becomes of answers that all wait before the first of them is stored."""
        outcomes: list[Any] = [None] * len(answers)

        def store(at: int) -> None:
            try:
                outcomes[at] = self.store.store(answers[at])
            except Exception as error:
                outcomes[at] = error

        threads = [threading.Thread(target=store, args=(at,)) for at in range(len(answers))]
        self.transactions = 0
        with self.store._writing:
            for thread in threads:
                thread.start()
            while len(self.store._waiting) < len(answers):
                threading.Event().wait(0.001)
        for thread in threads:
            thread.join()
        return outcomes


@pytest.fixture
def queue(office: Office, monkeypatch: pytest.MonkeyPatch) -> Queue:
    return Queue(office, monkeypatch)


def test_answers_that_wait_share_one_transaction_and_close_their_rounds(
    office: Office, queue: Queue
) -> None:
    first, second = office.open(), office.open()
    answers = [
        release(first, BOLTON, 5),
        refusal(second, BOLTON),
        refusal(first, BURY),
        release(second, BURY, 7),
    ]
    receipts = queue.together(answers)
    assert queue.transactions == 1
    for answer, receipt in zip(answers, receipts, strict=True):
        assert isinstance(receipt, StoredReceipt)
        assert (receipt.repeated, receipt.state) == (False, RoundState.PARTIAL)
        said = decode_receipt(receipt.receipt)
        assert (said.answer_digest, said.council) == (answer.digest, answer.content.council)
        assert said.round_id == answer.content.round_id
        assert said.is_release == isinstance(answer.content, Release)
    for stored, council, value in ((first, BOLTON, 5), (second, BURY, 7)):
        [(found, counts)] = released_counts(office.database, stored).items()
        assert (found, set(counts.tolist())) == (council, {value})
        assert office.again(stored).state is RoundState.PARTIAL


def test_copies_that_wait_together_are_stored_once(office: Office, queue: Queue) -> None:
    stored = office.open()
    same = [queue.store.store(release(stored, BOLTON)).receipt]
    outcomes = queue.together(
        [release(stored, BURY), release(stored, BURY), release(stored, BURY, 2),
         release(stored, BOLTON), refusal(stored, BOLTON)]
    )  # fmt: skip
    bury = [one for one in outcomes[:3] if isinstance(one, StoredReceipt)]
    assert len({one.receipt for one in bury}) == 1
    assert sum(not one.repeated for one in bury) == 1
    [refused] = {one.rejection.reason for one in outcomes if isinstance(one, Rejected)}
    assert refused is RejectionReason.ALREADY_ANSWERED
    assert [one.receipt for one in outcomes[3:4] if isinstance(one, StoredReceipt)] == same


def test_an_answer_that_cannot_be_stored_does_not_fail_the_others(
    office: Office, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = office.open(small_round((BOLTON, BURY, TRAFFORD), opened_at=office.clock()))
    sign = office.signing.sign

    def broken_for_bury(domain: bytes, message: bytes) -> bytes:
        if BURY.encode() in message:
            raise OSError("the key is gone")
        return sign(domain, message)

    monkeypatch.setattr(office.signing, "sign", broken_for_bury)
    outcomes = queue.together([release(stored, one) for one in (BOLTON, BURY, TRAFFORD)])
    assert isinstance(outcomes[0], StoredReceipt)
    assert isinstance(outcomes[1], OSError)
    assert isinstance(outcomes[2], StoredReceipt)
    found = {one.council: one.answer for one in council_responses(office.database, stored.round_)}
    assert found == {BOLTON: "released", BURY: "waiting", TRAFFORD: "released"}


def test_a_database_that_is_away_fails_all_that_wait_and_keeps_none_of_them(
    office: Office, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = office.open()
    connection = office.database.connection

    @contextmanager
    def away(*, writes: bool) -> Iterator[Connection]:
        with connection(writes=writes) as opened:
            yield opened
            if writes:  # when it would be committed
                raise Problem("away", remedy="Wait", exit_code=ExitCode.UNREACHABLE)

    with monkeypatch.context() as patch:
        patch.setattr(office.database, "connection", away)
        outcomes = queue.together([release(stored, BOLTON), release(stored, BURY)])
    assert all(isinstance(one, Problem) for one in outcomes)
    assert {one.answer for one in council_responses(office.database, stored.round_)} == {"waiting"}
    again = queue.together([release(stored, BOLTON), release(stored, BURY)])
    assert [isinstance(one, StoredReceipt) and one.repeated for one in again] == [False, False]


@pytest.mark.parametrize("close", [True, False])
def test_a_round_that_closes_while_answers_wait_takes_none_of_them(
    office: Office, queue: Queue, close: bool
) -> None:
    stored = office.open()
    kept = queue.store.store(release(stored, BOLTON))
    late: list[Callable[[], object]] = [
        lambda: close_round(office.database, stored.round_.round_id, office.clock()),
        lambda: setattr(office.clock, "now", stored.round_.deadline),
    ]
    late[not close]()
    first, second = queue.together([release(stored, BOLTON), release(stored, BURY)])
    assert isinstance(first, StoredReceipt), "what was stored before is receipted again"
    assert first.receipt == kept.receipt
    assert isinstance(second, Rejected)
    assert second.rejection.reason is RejectionReason.ROUND_CLOSED
