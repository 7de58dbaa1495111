"""A certificate that has ended is replaced when a person of the region approves it."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest
from inviting import COUNCIL, Inviting

from folkmoot.rejection import RejectionReason
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.membership.enrolling_again import MOST_WAITING
from folkmoot_node.federation.client import CoordinatorClient
from folkmoot_node.federation.identity import (
    KeyFiles,
    create_request_again,
    load_identity,
    sign_as_node,
)
from folkmoot_node.federation.rejected import RejectedByCoordinator
from folkmoot_node.federation.trusted_authority import key_digest
from folkmoot_node.home import open_home
from folkmoot_operator.key_files import certificate_in
from tests.commands import Done, run_inside

Regions = tuple[Inviting, Inviting]


def end(region: Inviting, home: Path) -> None:
    """The certificate has ended, and there is no other of its key."""
    (home / "keys" / "node.key").unlink()
    region.certify(home, days_left=-1)


def again(home: Path) -> Done:
    return run_inside("folkmoot-node", "enrol", "--again", "--home", home, "--json")


def evidence(home: Path) -> list[object]:
    """What must stay: the ledger, the answers with their receipts, the rounds."""
    with sqlite3.connect(home / "state.sqlite") as state:
        return [
            state.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("ledger", "outbox", "rounds")
        ]


def decide(region: Inviting, what: str, fingerprint: str, council: str = COUNCIL) -> Done:
    return run_inside(
        "folkmoot-coordinator", "councils", what, council,
        "--fingerprint", fingerprint, "--home", region.home,
    )  # fmt: skip


def test_the_region_approves_and_the_ledger_stays(member: Path, regions: Regions) -> None:
    region = regions[0]
    end(region, member)
    before = evidence(member)
    refused = run_inside("folkmoot-node", "renew", "--home", member)
    assert refused.code == 3
    assert "enrol --again" in refused.stderr

    asked = again(member)
    assert asked.code == 5
    fingerprint = json.loads(asked.stdout)["fingerprint"]
    assert again(member).stdout == asked.stdout, "asking again is the same request"
    (waits,) = json.loads(region.coordinator("councils", "requests", "--json"))
    assert (waits["council"], waits["fingerprint"]) == (COUNCIL, fingerprint)
    assert (
        fingerprint in run_inside("folkmoot-coordinator", "councils", "--home", region.home).stderr
    )
    assert fingerprint in run_inside("folkmoot-coordinator", "doctor", "--home", region.home).stdout

    wrong = decide(region, "approve", "0000 0000 0000 0000 0000 0000")
    assert wrong.code == 5
    assert decide(region, "approve", fingerprint, "E08000001").code == 5
    assert decide(region, "approve", fingerprint.replace(" ", "").upper()).code == 0
    audit = region.coordinator("audit", "show", "--action", "enrolment approved", "--json")
    assert fingerprint in audit

    granted = again(member)
    assert granted.code == 0, granted.stderr
    assert load_identity(KeyFiles(member / "keys")).not_after.timestamp() > time.time() + 29 * DAY
    assert evidence(member) == before
    assert run_inside("folkmoot-node", "rounds", "list", "--home", member).code == 0
    with open_home(member) as home:
        assert any(entry.body["action"] == "enrolled again" for entry in home.audit.entries())
    assert json.loads(region.coordinator("councils", "requests", "--json")) == []


def test_a_refused_request_stays_refused(member: Path, regions: Regions) -> None:
    region = regions[0]
    end(region, member)
    fingerprint = json.loads(again(member).stdout)["fingerprint"]
    assert decide(region, "refuse", fingerprint).code == 0
    done = again(member)
    assert done.code == 5
    assert "refused the request" in done.stderr
    assert decide(region, "approve", fingerprint).code == 5


def test_a_valid_and_a_revoked_certificate_get_no_other(member: Path, regions: Regions) -> None:
    region = regions[0]
    done = again(member)
    assert done.code == 5
    assert "folkmoot-node renew" in done.stderr
    end(region, member)
    assert json.loads(again(member).stdout)["waits"]
    region.coordinator("councils", "revoke", COUNCIL)
    assert json.loads(region.coordinator("councils", "requests", "--json")) == []
    done = again(member)
    assert done.code == 5
    assert "revoked" in done.stderr


def test_another_key_than_that_of_the_certificate_opens_nothing(
    member: Path, regions: Regions
) -> None:
    """A certificate is public; whoever has only that cannot ask."""
    region = regions[0]
    end(region, member)
    with open_home(member) as home:
        identity, settings = home.identity(), home.coordinator()
        request = create_request_again(identity.files, home.config.council)
        signed = sign_as_node(identity, b"another domain", request)
        ended = key_digest(certificate_in(identity.certificate))
        with (
            CoordinatorClient.for_newcomer(
                settings.enrolment_address, identity.authority, home.egress
            ) as client,
            pytest.raises(RejectedByCoordinator) as caught,
        ):
            client.enrol_again(ended, request, signed)
    assert caught.value.rejection.reason is RejectionReason.MALFORMED
    assert json.loads(region.coordinator("councils", "requests", "--json")) == []


def test_a_council_has_a_few_requests_at_one_time(member: Path, regions: Regions) -> None:
    region = regions[0]
    end(region, member)
    prints = []
    for _ in range(MOST_WAITING + 2):
        (member / "keys" / "node.next.key").unlink(missing_ok=True)
        prints.append(json.loads(again(member).stdout)["fingerprint"])
    found = {
        one["fingerprint"]
        for one in json.loads(region.coordinator("councils", "requests", "--json"))
    }
    assert len(found) == MOST_WAITING
    assert prints[-1] in found
    region.coordinator("councils", "revoke", COUNCIL)
