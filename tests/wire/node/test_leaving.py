"""A council leaves: evidence is kept, keys are destroyed, and a signed paper proves it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from stage import COUNCIL, Stage, ask

from folkmoot import round_codec
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.membership.certificate_authority import IssuedCertificate
from folkmoot_coordinator.membership.councils import enrolled, record_certificate
from folkmoot_coordinator.membership.leaving import end_membership
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence.fitted_policies import PROPOSED
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.home import open_home
from folkmoot_node.operations.leaving import CERTIFICATE, FOLDER, Step, check_certificate, leave
from folkmoot_node.scrutiny.approval import approve
from folkmoot_node.scrutiny.gather.configuration import gather_configuration
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signatures import create_key
from tests.commands import Done, help_of, run_inside

WHY = "the programme has ended"


def node(stage: Stage, *arguments: object) -> Done:
    return run_inside("folkmoot-node", *arguments, "--home", stage.home)


@pytest.fixture
def answered(stage: Stage) -> Stage:
    """A node that has answered a round, with something of every kind that is destroyed."""
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as opened, opened.connect() as client:
        list(poll(opened, client))
    (stage.home / "quarantine").mkdir(exist_ok=True)
    (stage.home / "quarantine" / "council_tax.csv").write_text("rejected\n")
    create_key(stage.home / "keys" / "witness.key")
    return stage


def go(stage: Stage) -> Done:
    return node(stage, "leave", "--reason", WHY, "--yes")


def test_what_is_destroyed_is_gone_and_what_is_evidence_is_kept(answered: Stage) -> None:
    home = answered.home
    said = go(answered).said()
    for gone in (
        "keys/store.key", "store/households.duckdb", "quarantine", "keys/node.key",
        "keys/policy-signing.key", "keys/witness.key",
    ):  # fmt: skip
        assert not (home / gone).exists(), gone
        assert f"Destroyed: {gone}" in said or f"({gone}," in said
    assert (home / "extracts" / "council_tax.csv").exists()
    assert "Remains: extracts in extracts/" in said
    assert "councils left FILE" in said
    evidence = home / FOLDER / "evidence"
    debit = json.loads((evidence / "ledger.jsonl").read_text().splitlines()[0])
    assert json.loads(debit["body"])["kind"] == "debit"
    [answer] = [json.loads(line) for line in (evidence / "answers.jsonl").read_text().splitlines()]
    assert answer["kind"] == "release"
    assert answer["receipt"]
    assert (evidence / "state.sqlite").stat().st_size > 0
    assert (evidence / "SHA256SUMS").exists()
    assert all(path.stat().st_mode & 0o077 == 0 for path in evidence.iterdir())


def test_what_was_approved_or_fitted_stays_and_is_named(answered: Stage) -> None:
    home = answered.home
    with open_home(home) as opened:
        configured = gather_configuration(opened)
        approve(opened, configured, configured, "A. Singh", "review", current_operator())
        with opened.state.transaction() as connection:
            opened.audit.append(connection, opened.clock(), {"action": PROPOSED})
    said = go(answered).said()
    assert any((home / "scrutiny" / "approved").iterdir())
    assert "in scrutiny/approved/: no figure over households is in it" in said
    assert "Remains: points that `fit` worked out from residents' records" in said
    assert "Remains: files that commands wrote where people said, such as lists of" in said
    signed = check_certificate(home / FOLDER / CERTIFICATE, None, None).body["remains"]
    assert any("scrutiny/approved/" in one for one in signed)
    listed = help_of("folkmoot-node", "leave")
    for named in ("scrutiny/approved", "points that fit worked out", "households kept for rounds"):
        assert named in listed


def test_a_node_that_approved_and_fitted_nothing_is_told_of_neither(answered: Stage) -> None:
    said = go(answered).said()
    assert "scrutiny/approved" not in said
    assert "points that" not in said


def test_a_key_that_only_services_get_is_named(answered: Stage) -> None:
    (answered.home / "keys" / "store.key").unlink()  # as docs/services.md says, for a credential
    said = go(answered).said()
    assert "Destroyed: keys/store.key" not in said
    assert "Remains: the key of the store" in said


def test_what_a_link_leads_to_is_not_said_to_be_destroyed(answered: Stage, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (answered.home / "quarantine").rename(elsewhere)
    (answered.home / "quarantine").symlink_to(elsewhere)
    said = go(answered).said()
    assert (elsewhere / "council_tax.csv").exists()
    assert "Destroyed: quarantine" not in said
    assert "rejected records, which lies outside the node's folder" in said


def test_what_the_settings_name_outside_stays(answered: Stage) -> None:
    outside = answered.home.parent / "rejected"
    (answered.home / "quarantine").rename(outside)
    settings = answered.home / "node.toml"
    text = settings.read_text()
    assert 'folder = "quarantine"' in text
    text = text.replace('folder = "quarantine"', 'folder = "../rejected"')
    settings.write_text(text)
    said = go(answered).said()
    assert (outside / "council_tax.csv").exists()
    assert "rejected records, which lies outside the node's folder" in said


def test_the_certificate_is_checked_with_the_public_certificate_alone(
    answered: Stage, tmp_path: Path
) -> None:
    public = tmp_path / "node.crt"
    shutil.copy(KeyFiles(answered.home / "keys").certificate, public)
    go(answered)
    left = tmp_path / "elsewhere"
    shutil.copytree(answered.home / FOLDER, left)
    shutil.rmtree(answered.home)
    verify = "folkmoot-node", "leave", "verify", left / CERTIFICATE
    done = run_inside(*verify, "--certificate", public)
    assert "Evidence: " in done.said()
    assert "NOT CHECKED" not in done.stderr
    assert "NOT CHECKED: whose certificate" in run_inside(*verify).stderr
    found = json.loads(run_inside(*verify, "--certificate", public, "--json").said())
    assert found["valid"] is True
    assert found["council"] == COUNCIL
    assert found["reason"] == WHY
    assert found["logs"]["ledger"]["entries"] == 1
    assert {one["path"] for one in found["destroyed"]} >= {"keys/store.key", "quarantine"}

    (left / "evidence" / "ledger.jsonl").write_text("")
    changed = run_inside(*verify, "--certificate", public)
    assert changed.code == ExitCode.VERIFICATION
    assert "ledger.jsonl" in changed.stderr


@pytest.mark.parametrize("field", ["reason", "left_at", "destroyed", "logs", "evidence"])
def test_a_certificate_that_was_changed_is_refused(answered: Stage, field: str) -> None:
    go(answered)
    path = answered.home / FOLDER / CERTIFICATE
    document = json.loads(path.read_text())
    document["statement"][field] = []
    path.write_text(json.dumps(document))
    with pytest.raises(Problem) as caught:
        check_certificate(path, None, None)
    assert caught.value.exit_code is ExitCode.VERIFICATION


def test_another_certificate_is_told_from_the_nodes(answered: Stage, tmp_path: Path) -> None:
    go(answered)
    path = answered.home / FOLDER / CERTIFICATE
    other = answered.authority.pem
    with pytest.raises(Problem, match="another certificate has signed it"):
        check_certificate(path, other, None)


class Killed(BaseException):
    """Stands for a signal that ends the process."""


@pytest.mark.parametrize("step", list(Step))
def test_it_goes_on_wherever_it_was_killed(answered: Stage, step: Step) -> None:
    def done(at: Step) -> None:
        if at is step:
            raise Killed

    with open_home(answered.home) as opened, pytest.raises(Killed):
        leave(opened, WHY, current_operator(), done)
    assert not answered.coordinator.submissions[1:]
    go(answered).said()
    left = answered.home / FOLDER
    found = check_certificate(left / CERTIFICATE, None, left / "evidence")
    paths = {one["path"] for one in found.body["destroyed"]}
    assert paths >= {"keys/store.key", "store/households.duckdb", "quarantine"}
    assert found.body["destroyed_after_signing"] == [
        "keys/node.key", "keys/policy-signing.key", "keys/witness.key"
    ]  # fmt: skip
    assert not (answered.home / "keys" / "node.key").exists()
    before = (left / CERTIFICATE).read_bytes()
    go(answered).said()
    assert (left / CERTIFICATE).read_bytes() == before, "to repeat it changes nothing"


def doctor(stage: Stage) -> tuple[int, dict[str, dict[str, str]]]:
    done = node(stage, "doctor", "--json")
    return done.code, {one["check"]: one for one in json.loads(done.stdout)}


def test_the_doctor_says_where_the_certificate_is_and_advises_nothing_else(
    answered: Stage,
) -> None:
    go(answered)
    code, found = doctor(answered)
    certificate = answered.home / FOLDER / CERTIFICATE
    assert code == ExitCode.OK
    assert str(certificate) in found["left"]["detail"]
    assert WHY in found["left"]["detail"]
    assert [one["remedy"] for one in found.values() if one["remedy"]] == []
    assert {"evidence", "database", "disk"} <= set(found)
    certificate.unlink()
    code, found = doctor(answered)
    assert (code, found["left"]["state"]) == (ExitCode.OK, "warn")


@pytest.mark.parametrize("step", [Step.STOPPED, Step.SIGNED])
def test_the_doctor_says_that_leaving_was_interrupted(answered: Stage, step: Step) -> None:
    def done(at: Step) -> None:
        if at is step:
            raise Killed

    with open_home(answered.home) as opened, pytest.raises(Killed):
        leave(opened, WHY, current_operator(), done)
    code, found = doctor(answered)
    assert (code, found["left"]["state"]) == (ExitCode.SETTINGS, "fail")
    assert found["left"]["command"] == "folkmoot-node leave --reason TEXT"


def test_nothing_goes_on_after_it(answered: Stage) -> None:
    go(answered)
    assert node(answered, "score").code == ExitCode.REFUSED
    refused = node(answered, "resume", "--reason", "we come back")
    assert refused.code == ExitCode.REFUSED
    assert "make a new node" in refused.stderr
    assert "has left its region" in node(answered, "ledger", "show").stderr + refused.stderr


def test_a_node_of_no_region_loses_nothing(scored_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "alone"
    shutil.copytree(scored_home, home)
    done = run_inside("folkmoot-node", "leave", "--reason", WHY, "--yes", "--home", home)
    assert done.code == ExitCode.SETTINGS
    assert (home / "keys" / "store.key").exists()
    assert not (home / FOLDER).exists()
    with open_home(home) as opened:
        assert opened.pause() is None


def test_serve_that_runs_is_stopped_first(answered: Stage) -> None:
    from folkmoot_node.home import SERVE_LOCK
    from folkmoot_operator import file_lock

    with file_lock.alone(answered.home / SERVE_LOCK, "folkmoot-node serve"):
        done = go(answered)
    assert done.code == ExitCode.REFUSED
    assert (answered.home / "keys" / "store.key").exists()


def test_without_yes_it_asks_and_says_what_goes(answered: Stage) -> None:
    from typer.testing import CliRunner

    from folkmoot_node.cli import app

    done = CliRunner().invoke(
        app, ["leave", "--reason", WHY, "--home", str(answered.home)], input="n\n"
    )
    assert done.exit_code == 1
    assert "key of the store" in done.output
    assert (answered.home / "keys" / "store.key").exists()


@pytest.fixture
def region(answered: Stage, tmp_path: Path) -> Database:
    """A region's database that knows the certificate of the stage's node."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    certificate = x509.load_pem_x509_certificate(
        KeyFiles(answered.home / "keys").certificate.read_bytes()
    )
    database = Database(f"sqlite:///{tmp_path / 'region.sqlite'}")
    database.create()
    with database.writing() as session:
        record_certificate(
            session,
            IssuedCertificate(
                council=COUNCIL,
                serial=f"{certificate.serial_number:x}",
                certificate=certificate.public_bytes(Encoding.DER),
                key_digest=bytes(32),
                issued_at=int(certificate.not_valid_before_utc.timestamp()),
                expires_at=int(certificate.not_valid_after_utc.timestamp()),
            ),
        )
    return database


def test_the_region_ends_the_membership_by_the_certificate(
    answered: Stage, region: Database
) -> None:
    import time

    now = int(time.time())
    go(answered)
    path = answered.home / FOLDER / CERTIFICATE
    found = end_membership(region, path, now)
    assert (found.council, found.certificates) == (COUNCIL, 1)
    [council] = enrolled(region, now)
    assert council.valid_certificates == 0
    end_membership(region, path, now)
    [entry] = audit_log.entries(region, ("council left",))
    assert entry.body["council"] == COUNCIL

    document = json.loads(path.read_text())
    document["statement"]["council"] = "E08000001"
    path.write_text(json.dumps(document))
    with pytest.raises(Problem):
        end_membership(region, path, now)


def test_a_certificate_that_the_region_never_gave_ends_nothing(
    answered: Stage, tmp_path: Path
) -> None:
    go(answered)
    database = Database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    database.create()
    with pytest.raises(Problem, match="gave E08000009 no such certificate") as caught:
        end_membership(database, answered.home / FOLDER / CERTIFICATE, 0)
    assert caught.value.exit_code is ExitCode.VERIFICATION
