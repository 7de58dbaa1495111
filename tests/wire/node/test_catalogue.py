"""What a council has signed is published once for each signature, and nothing else is in it."""

from __future__ import annotations

from datetime import date

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from stage import COUNCIL, Stage, ask, ask_for_approval
from typer.testing import CliRunner

from folkmoot import catalogue_codec, round_codec
from folkmoot.catalogue import CATALOGUE_SIGNATURE_DOMAIN, Catalogue
from folkmoot.privacy import Rho
from folkmoot.rejection import Rejection, RejectionReason
from folkmoot.rounds import Mechanism
from folkmoot_node.answering.event import Event
from folkmoot_node.cli import app
from folkmoot_node.home import open_home
from folkmoot_node.running.serve import visit
from folkmoot_node.store.use import open_scores

CALL = "/folkmoot.v1.CollectionService/PublishCatalogue"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.coordinator.protocol = 3
    return stage


def visited(stage: Stage) -> list[Event]:
    events: list[Event] = []
    with open_home(stage.home) as home:
        visit(home, events.append)
    return events


def sent(stage: Stage) -> list[Catalogue]:
    return [catalogue_codec.decode_catalogue(one.catalogue) for one in stage.coordinator.catalogues]


def calls(stage: Stage) -> int:
    with open_home(stage.home) as home:
        return sum(one.method == CALL for one in home.egress.departures())


def test_it_says_what_was_signed(stage: Stage) -> None:
    visited(stage)
    [catalogue] = sent(stage)
    assert catalogue.council == COUNCIL
    assert catalogue.attributes == {"band": ("none", "high"), "lsoa": ()}
    assert catalogue.purposes == {"winter_support"}
    assert catalogue.mechanisms == {Mechanism.DISCRETE_GAUSSIAN}
    caps = (catalogue.per_round, catalogue.per_period, catalogue.lifetime)
    assert caps == (Rho.of("0.5"), Rho.of("1"), Rho.of("2"))
    with open_home(stage.home) as home:
        signed = home.release_policy().policy.sunset
    assert catalogue.sunset == min(signed, date(2099, 12, 31))
    assert {one.name for one in catalogue.plugins} >= {"folkmoot-plugin-extracts"}


def test_it_is_the_same_whatever_was_spent_and_whoever_was_scored(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    visited(stage)
    [before] = stage.coordinator.catalogues
    assert stage.coordinator.submissions, "something was spent"
    with open_home(stage.home) as home, open_scores(home.config, home.today()):
        home.config.store_path.unlink()  # no scores at all
    (stage.home / "extracts" / "council_tax.csv").write_text("UPRN,Arrears,Support,LSOA\n")
    ask_for_approval(stage)
    visited(stage)
    assert stage.coordinator.catalogues[1].catalogue == before.catalogue


def test_it_is_signed_by_the_key_of_the_certificate(stage: Stage) -> None:
    visited(stage)
    [signed] = stage.coordinator.catalogues
    certificate = x509.load_pem_x509_certificate((stage.home / "keys" / "node.crt").read_bytes())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    content = CATALOGUE_SIGNATURE_DOMAIN + signed.catalogue
    key.verify(signed.signature, content, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signed.signature, content + b"x", ec.ECDSA(hashes.SHA256()))


def test_it_is_sent_once_for_each_signature_and_recorded(stage: Stage) -> None:
    assert calls(stage) == 0
    visited(stage)
    visited(stage)
    assert (len(sent(stage)), calls(stage)) == (1, 1)
    ask_for_approval(stage)  # a person signs
    visited(stage)
    visited(stage)
    assert (len(sent(stage)), calls(stage)) == (2, 2)


def test_a_command_that_reaches_the_coordinator_sends_it(stage: Stage) -> None:
    done = CliRunner().invoke(app, ["rounds", "list", "--home", str(stage.home)])
    assert done.exit_code == 0, done.output
    assert len(sent(stage)) == 1


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_coordinator_of_before_is_not_asked(stage: Stage, protocol: int) -> None:
    stage.coordinator.protocol = protocol
    visited(stage)
    assert calls(stage) == 0


def test_a_coordinator_without_the_call_is_passed_over(stage: Stage) -> None:
    stage.coordinator.knows_catalogues = False
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    assert not [event for event in visited(stage) if event.is_problem]
    assert len(stage.coordinator.submissions) == 1
    stage.coordinator.knows_catalogues = True
    visited(stage)
    assert len(sent(stage)) == 1, "after an upgrade"


def test_one_that_is_not_accepted_holds_up_no_answer(stage: Stage) -> None:
    stage.coordinator.rejects_catalogues = Rejection(RejectionReason.MALFORMED, "no")
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    [problem] = [event for event in visited(stage) if event.is_problem]
    assert "the catalogue was not published" in problem.text
    assert len(stage.coordinator.submissions) == 1


def test_nothing_is_published_that_nobody_signed(stage: Stage) -> None:
    policy = stage.home / "release-policy.toml"
    policy.write_text(policy.read_text() + "# changed\n")
    visited(stage)
    assert calls(stage) == 0


def test_it_waits_until_the_policy_can_be_joined_to_sources(stage: Stage) -> None:
    settings = stage.home / "node.toml"
    whole = settings.read_text()
    settings.write_text(whole.replace('kind = "extracts"', 'kind = "extract"'))
    visited(stage)
    assert calls(stage) == 0
    settings.write_text(whole)
    visited(stage)
    assert len(sent(stage)) == 1


def test_the_region_is_told_whose_signature_counts(stage: Stage) -> None:
    """Once more when the coordinator has learnt to keep it; see `folkmoot.versions.POLICY_KEYS`."""
    public = (stage.home / "keys" / "policy-signing.pub").read_text()
    visited(stage)
    stage.coordinator.protocol = 4
    visited(stage)
    visited(stage)
    assert [one.policy_key.hex() for one in sent(stage)] == ["", public]
