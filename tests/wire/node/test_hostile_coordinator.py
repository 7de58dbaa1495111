"""A node against a coordinator that lies, fails, repeats itself or asks too much."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import grpc
import pytest
from stage import COUNCIL, Stage, ask

from folkmoot import answer_codec, round_codec
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.receipt import Receipt
from folkmoot.refusal import RefusalReason
from folkmoot.rejection import Rejection, RejectionReason
from folkmoot.versions import UpgradeSide
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.membership.certificate_authority import SigningRequest
from folkmoot_coordinator.signing import SigningKey
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.visit import poll
from folkmoot_node.federation.identity import KeyFiles, create_request, keep_membership
from folkmoot_node.home import NodeHome, open_home
from folkmoot_operator.problems import ExitCode, Problem


def visit(home: NodeHome) -> list[Event]:
    with home.connect() as client:
        return list(poll(home, client))


def test_an_honest_coordinator_gets_one_release(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        events = visit(home) + visit(home)
        assert not any(event.is_problem for event in events)
        assert len(stage.coordinator.submissions) == 1
        assert home.ledger.balance(home.release_policy().policy.loss, home.clock()).spent == Rho.of(
            "0.1"
        )


@pytest.mark.parametrize("status", ["UNAVAILABLE", "INTERNAL", "UNKNOWN"])
def test_a_lost_answer_is_sent_again_byte_for_byte(stage: Stage, status: str) -> None:
    stage.coordinator.fail_with = grpc.StatusCode[status]
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    stage.coordinator.fail_submissions = 2
    with open_home(stage.home) as home:
        for _ in range(2):
            with pytest.raises(Problem) as caught:
                visit(home)
            assert caught.value.exit_code is ExitCode.UNREACHABLE
        visit(home)
        assert len(home.ledger.debits()) == 1
    assert len(stage.coordinator.submissions) == 3
    assert len(set(stage.coordinator.submissions)) == 1


def test_a_round_signed_by_somebody_else_is_ignored(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stage.coordinator.other_key = SigningKey.create(tmp_path / "other")
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        (event,) = visit(home)
        assert event.is_problem
        assert "not signed" in event.text
        assert home.round_book().rounds() == ()
    assert not stage.coordinator.submissions


def test_the_same_id_with_another_question_gets_no_second_answer(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        visit(home)
        stage.coordinator.rounds = [round_codec.encode_round(ask(title="Again"))]
        (event,) = visit(home)
        assert event.is_problem
        assert "other content" in event.text
        assert len(home.ledger.debits()) == 1
    assert len(stage.coordinator.submissions) == 1


def test_the_same_question_under_new_ids_is_paid_each_time_until_nothing_is_left(
    stage: Stage,
) -> None:
    with open_home(stage.home) as home:
        for number in range(1, 5):
            stage.coordinator.rounds.append(
                round_codec.encode_round(
                    ask(number, loss=Rho.of("0.4"), title=f"Relabelled {number}")
                )
            )
            visit(home)
        assert home.balance().spent == Rho.of("0.8")
    assert len(stage.coordinator.submissions) == 2
    assert {refusal.reason for refusal in stage.coordinator.refusals} == {
        RefusalReason.BUDGET_EXHAUSTED
    }


def test_a_forged_receipt_is_not_believed_and_the_answer_is_kept(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    forgeries = [
        lambda receipt: dataclasses.replace(receipt, answer_digest=b"x" * 32),
        lambda receipt: dataclasses.replace(receipt, council=GssCode("E08000001")),
        lambda receipt: dataclasses.replace(receipt, round_id="f" * 32),
        lambda receipt: dataclasses.replace(receipt, round_digest=b"x" * 32),
        lambda receipt: dataclasses.replace(receipt, loss=Rho.of("0.01")),
        lambda receipt: dataclasses.replace(receipt, ledger_entry=b"x" * 32),
        lambda receipt: dataclasses.replace(receipt, loss=Rho.of("0"), ledger_entry=None),
    ]
    with open_home(stage.home) as home:
        for forge in forgeries:
            stage.coordinator.forge = forge
            with pytest.raises(Problem) as caught:
                visit(home)
            assert caught.value.exit_code is ExitCode.VERIFICATION
            assert len(home.outbox.pending()) == 1
        stage.coordinator.forge = lambda receipt: receipt
        visit(home)
        assert home.outbox.pending() == ()
    assert len(set(stage.coordinator.submissions)) == 1


@pytest.mark.parametrize(
    "side, words",
    [
        (UpgradeSide.NODE, "Upgrade folkmoot-node"),
        (UpgradeSide.COORDINATOR, "upgrade folkmoot-coordinator"),
    ],
)
def test_a_version_mismatch_says_which_side_to_upgrade(
    stage: Stage, side: UpgradeSide, words: str
) -> None:
    stage.coordinator.rejection = Rejection(RejectionReason.VERSION, "no common version", side)
    with open_home(stage.home) as home, pytest.raises(Problem) as caught:
        visit(home)
    assert words in caught.value.remedy
    assert caught.value.exit_code is ExitCode.REFUSED


def test_a_version_nobody_offered_is_not_spoken(stage: Stage) -> None:
    stage.coordinator.protocol = 7
    with open_home(stage.home) as home, pytest.raises(Problem) as caught:
        visit(home)
    assert "version 7" in caught.value.problem


def test_a_malformed_round_is_reported_and_the_next_is_answered(stage: Stage) -> None:
    stage.coordinator.rounds = [b"\xff\x00 nonsense", round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        events = visit(home)
    assert [event.is_problem for event in events] == [True, False, False]
    assert len(stage.coordinator.submissions) == 1


def test_an_attribute_outside_the_policy_is_refused_with_a_reason(stage: Stage) -> None:
    workload = Workload((Attribute("ethnicity", ("a", "b")),), (Marginal(("ethnicity",)),))
    stage.coordinator.rounds = [round_codec.encode_round(ask(workload=workload))]
    with open_home(stage.home) as home:
        visit(home)
        visit(home)
        assert home.ledger.debits() == ()
    (refusal,) = stage.coordinator.refusals
    assert refusal.reason == RefusalReason.ATTRIBUTE


def test_altered_domains_change_nothing_but_the_cells(stage: Stage) -> None:
    """Codes no household has are released too, as noise; nothing tells them apart."""
    made_up = Workload(
        (Attribute("lsoa", (), {COUNCIL: tuple(f"E0199{i:04}" for i in range(500))}),),
        (Marginal(("lsoa",)),),
    )
    stage.coordinator.rounds = [round_codec.encode_round(ask(workload=made_up))]
    with open_home(stage.home) as home:
        visit(home)
        (answer,) = home.outbox.answers()
        from folkmoot.v1 import collection_pb2

        values = [
            value
            for frame in answer.frames[1:]
            for value in collection_pb2.SubmitRequest.FromString(frame).cells.values
        ]
    assert len(values) == 500 + 1  # the contrast of 500 areas, and the total
    assert sum(value != 0 for value in values) > 250


def test_a_round_past_its_deadline_is_not_paid_for(stage: Stage) -> None:
    now = int(time.time())
    stage.coordinator.rounds = [
        round_codec.encode_round(ask(opened_at=now - 100, deadline=now - 50))
    ]
    with open_home(stage.home) as home:
        assert visit(home) == []
        assert home.ledger.debits() == ()
        assert home.outbox.answers() == ()


def test_an_expired_certificate_says_what_to_do(stage: Stage) -> None:
    files = KeyFiles(stage.home / "keys")
    request = SigningRequest.parse(create_request(files, COUNCIL))
    long_ago = int(time.time()) - 100 * 86_400
    granted = stage.authority.issue_node_certificate(request, COUNCIL, long_ago, 30)
    keep_membership(
        files, granted.certificate, stage.authority.der, stage.coordinator.signing.public
    )
    with open_home(stage.home) as home, pytest.raises(Problem) as caught:
        visit(home)
    assert "expired" in caught.value.problem
    assert "enrol" in caught.value.remedy


def test_a_server_of_another_authority_is_not_spoken_to(stage: Stage, tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    from folkmoot_coordinator.membership.certificate_authority import Authority

    (tmp_path / "impostor").mkdir()
    impostor = Authority.create(tmp_path / "impostor", "Test", int(time.time()))
    certificate = x509.load_der_x509_certificate(impostor.der)
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    (stage.home / "keys" / "region-ca.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    with open_home(stage.home) as home, pytest.raises(Problem) as caught:
        visit(home)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert "not by this region's authority" in caught.value.problem
    assert not stage.coordinator.submissions


def test_every_message_is_in_the_egress_log_before_it_is_sent(stage: Stage) -> None:
    import hashlib

    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    stage.coordinator.fail_submissions = 1
    with open_home(stage.home) as home:
        with pytest.raises(Problem):
            visit(home)
        recorded = {entry.sha256 for entry in home.egress.departures()}
        assert hashlib.sha256(stage.coordinator.submissions[0]).digest() in recorded
        home.egress.verify()


def test_nothing_travels_beside_the_messages(stage: Stage) -> None:
    """gRPC metadata hold nothing but the library's own name and encodings."""
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        visit(home)
    assert stage.coordinator.metadata
    for metadata in stage.coordinator.metadata:
        assert set(metadata) <= {"user-agent", "grpc-accept-encoding", "accept-encoding"}


def test_a_receipt_that_was_changed_afterwards_is_found(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home:
        visit(home)
        assert home.verify_evidence().receipts == 1
        with home.state.transaction() as connection:
            connection.execute("DROP TRIGGER outbox_keeps")
            connection.execute(
                "UPDATE outbox SET receipt = ?",
                (
                    answer_codec.encode_receipt(
                        Receipt(f"{1:032x}", COUNCIL, b"x" * 32, 1, b"r" * 32, Rho(1), b"e" * 32)
                    ),
                ),
            )
        with pytest.raises(Problem) as caught:
            home.verify_evidence()
    assert caught.value.exit_code is ExitCode.VERIFICATION
