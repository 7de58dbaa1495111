"""A region changes its certificate authority: real TLS, two nodes, and one that comes too late."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from inviting import COUNCIL, Inviting, running

from folkmoot_node.federation.identity import KeyFiles
from tests.commands import Done, run_inside


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Inviting]:
    """A region of its own, since its authority changes."""
    with running(tmp_path / "region", "North") as made:
        yield made


def joined(region: Inviting, scored_home: Path, place: Path) -> Path:
    """A node of the council; a council may have several."""
    shutil.copytree(scored_home, place)
    node("enrol", region.invite(), home=place).said()
    return place


def node(*words: object, home: Path) -> Done:
    return run_inside("folkmoot-node", *words, "--home", home)


def trusts(home: Path) -> bytes:
    pem = KeyFiles(home / "keys").authority.read_bytes()
    (only,) = x509.load_pem_x509_certificates(pem)
    return only.fingerprint(only.signature_hash_algorithm)  # type: ignore[arg-type]


def change_of(region: Inviting) -> dict[str, object]:
    found: dict[str, object] = json.loads(region.coordinator("authority", "status", "--json"))
    return found


def test_nodes_come_along_and_one_that_is_too_late_is_invited(
    region: Inviting, scored_home: Path, tmp_path: Path
) -> None:
    early, away, late = (
        joined(region, scored_home, tmp_path / name) for name in ("early", "away", "late")
    )
    before = trusts(early)
    not_changing = run_inside("folkmoot-coordinator", "authority", "finish", "--home", region.home)
    assert not_changing.code == 5

    region.coordinator("authority", "change")
    # The running coordinator has taken it up: each node is served as before, and moves by renewal.
    assert node("rounds", "list", home=early).code == 0
    assert trusts(early) == before
    refused = run_inside("folkmoot-coordinator", "authority", "finish", "--home", region.home)
    assert refused.code == 5
    assert COUNCIL in refused.stderr
    node("renew", home=early).said()
    after = trusts(early)
    assert after != before
    assert node("rounds", "list", home=early).code == 0  # the port is bridged
    assert change_of(region)["change"]["moved"] == [COUNCIL]  # type: ignore[index]

    # One that was away comes back before the old authority ends, and one joins meanwhile.
    assert node("rounds", "list", home=away).code == 0
    node("renew", home=away).said()
    newcomer = joined(region, scored_home, tmp_path / "newcomer")
    assert trusts(away) == trusts(newcomer) == after

    region.coordinator("authority", "finish")
    assert not (region.home / "keys" / "authority-next.key").exists()
    for home in (early, away, newcomer):
        assert node("rounds", "list", home=home).code == 0
        node("renew", home=home).said()
        assert trusts(home) == after
    actions = [one["action"] for one in json.loads(region.coordinator("audit", "show", "--json"))]
    assert {"authority change begun", "authority change ended"} <= set(actions)

    # One that comes after: it does not accept the port, and a new invitation is enough.
    lost = node("rounds", "list", home=late)
    assert lost.code != 0
    invitation = region.invite()
    node("enrol", invitation, home=late).said()
    assert trusts(late) == after
    assert node("rounds", "list", home=late).code == 0


def test_an_authority_for_which_nobody_vouched_is_not_taken(
    region: Inviting, scored_home: Path, tmp_path: Path
) -> None:
    """As if somebody had put another authority into the coordinator's folder."""
    home = joined(region, scored_home, tmp_path / "node")
    before = trusts(home)
    region.coordinator("authority", "change")
    following = region.home / "keys" / "authority-next.pem"
    follows, _, bridge = x509.load_pem_x509_certificates(following.read_bytes())
    pem = [one.public_bytes(Encoding.PEM) for one in (follows, bridge, bridge)]
    following.write_bytes(b"".join(pem))  # in the voucher's place, what vouches for another key
    done = node("renew", home=home)
    assert done.code == 7
    assert "has not vouched" in done.stderr
    assert trusts(home) == before
    assert node("rounds", "list", home=home).code == 0


def test_a_renewed_authority_reaches_nodes_without_a_change(
    region: Inviting, scored_home: Path, tmp_path: Path
) -> None:
    home = joined(region, scored_home, tmp_path / "node")
    before = trusts(home)
    region.coordinator("authority", "renew")
    assert node("rounds", "list", home=home).code == 0
    assert trusts(home) == before
    node("renew", home=home).said()
    assert trusts(home) != before
    assert node("rounds", "list", home=home).code == 0
