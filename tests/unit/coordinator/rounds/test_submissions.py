"""Intake under any sequence of answers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot.answer_codec import decode_header, encode_release
from folkmoot.geography import GssCode
from folkmoot.refusal import RefusalReason
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.release import NoisyCounts, Release
from folkmoot.rounds import RoundState
from folkmoot.v1 import collection_pb2, release_pb2
from folkmoot_coordinator.rounds.closing import close_due_rounds, close_round, state_after
from folkmoot_coordinator.rounds.progress import council_responses
from folkmoot_coordinator.rounds.round_store import StoredRound

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

COUNCILS = (GssCode("E08000001"), GssCode("E08000002"))
Step = tuple[str, int, int]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("release"), st.integers(0, 1), st.integers(0, 1)),
        st.tuples(st.just("refuse"), st.integers(0, 1), st.integers(0, 1)),
        st.tuples(st.just("wait"), st.just(0), st.sampled_from([1, 1800, 3600])),
        st.tuples(st.just("close due"), st.just(0), st.just(0)),
    ),
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_each_council_has_one_answer_and_one_receipt_whatever_happens(
    office: Office, steps: list[Step]
) -> None:
    """First answer before closing stands; its copies get its receipt; all else is refused."""
    stored = office.open()
    deadline = stored.round_.deadline
    answers: dict[GssCode, tuple[Step, bytes]] = {}
    for step in steps:
        kind, number, detail = step
        council = COUNCILS[number]
        if kind == "wait":
            office.clock.now += detail
            continue
        if kind == "close due":
            close_due_rounds(office.database, office.clock())
            continue
        is_open = office.clock() < deadline and len(answers) < len(COUNCILS)
        outcome = _answer(office, stored, step)
        if council in answers:
            repeated = answers[council][0] == step
            expected = answers[council][1] if repeated else RejectionReason.ALREADY_ANSWERED
            assert outcome == expected
        elif is_open:
            assert isinstance(outcome, bytes)
            answers[council] = (step, outcome)
        else:
            assert outcome is RejectionReason.ROUND_CLOSED
    _check_state(office, stored, answers)


def _answer(office: Office, stored: StoredRound, step: Step) -> bytes | RejectionReason:
    kind, number, detail = step
    council = COUNCILS[number]
    try:
        if kind == "release":
            cells = stored.round_.plan(council).rows
            receipt = office.release(stored, council, [detail] * cells)
        else:
            reason = (RefusalReason.DECLINED, RefusalReason.SUNSET)[detail]
            receipt = office.refuse(stored, council, reason)
    except Rejected as error:
        return error.rejection.reason
    return receipt.receipt + receipt.signature


def _check_state(
    office: Office, stored: StoredRound, answers: dict[GssCode, tuple[Step, bytes]]
) -> None:
    kinds = {"release": "released", "refuse": "refused"}
    for response in council_responses(office.database, stored.round_):
        expected = answers.get(response.council)
        assert response.answer == (kinds[expected[0][0]] if expected else "waiting")
    released = sum(step[0] == "release" for step, _ in answers.values())
    state = office.again(stored).state
    if len(answers) == len(COUNCILS):
        assert state is state_after(stored.round_, released)
    else:
        assert state in (RoundState.OPEN, state_after(stored.round_, released))


def test_nothing_is_read_from_a_submission_whose_header_is_refused(office: Office) -> None:
    class Unread:
        def __iter__(self) -> Iterator[collection_pb2.SubmitRequest]:
            pytest.fail("cells were read")

    stored = office.open()
    header = release_pb2.ReleaseHeader(council="E08000009", round_id=stored.round_.round_id)
    for council, reason in (
        (COUNCILS[0], RejectionReason.COUNCIL),
        (GssCode("E08000009"), RejectionReason.ROUND_UNKNOWN),
    ):
        with pytest.raises(Rejected) as caught:
            office.intake.accept_release(council, header, Unread())
        assert caught.value.rejection.reason is reason


@pytest.mark.parametrize("how", ["deadline", "by hand"])
def test_a_round_that_closes_during_the_upload_takes_nothing(office: Office, how: str) -> None:
    stored = office.open()
    council = COUNCILS[0]
    release = Release(
        stored.round_.round_id,
        stored.digest,
        council,
        stored.round_.mechanism,
        stored.round_.loss,
        bytes(32),
        NoisyCounts(array("q", [0] * stored.round_.plan(council).rows)),
    )
    header, *chunks = encode_release(release, 1)

    class ClosingMeanwhile:
        def __iter__(self) -> Iterator[collection_pb2.SubmitRequest]:
            if how == "deadline":
                office.clock.now = stored.round_.deadline
            else:
                close_round(office.database, release.round_id, office.clock())
            yield from chunks

    with pytest.raises(Rejected) as caught:
        office.intake.accept_release(council, decode_header(header), ClosingMeanwhile())
    assert caught.value.rejection.reason is RejectionReason.ROUND_CLOSED
    assert council_responses(office.database, stored.round_)[0].answer == "waiting"


def test_a_receipt_that_cannot_be_signed_stores_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stored = office.open()

    def broken(*_: object) -> bytes:
        raise OSError("the key is gone")

    monkeypatch.setattr(office.signing, "sign", broken)
    with pytest.raises(OSError, match="the key is gone"):
        office.release(stored, COUNCILS[0])
    monkeypatch.undo()
    assert council_responses(office.database, stored.round_)[0].answer == "waiting"
    assert not office.release(stored, COUNCILS[0]).repeated
