"""A node that is invited by another region than its own."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from inviting import Inviting, enrol

from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.home import open_home
from tests.commands import run_inside

Regions = tuple[Inviting, Inviting]

CONSEQUENCE = "what was spent counts against the same limits in the other region"


def files(home: Path) -> dict[str, bytes]:
    paths = [home / "node.toml", *(home / "keys").iterdir()]
    return {path.name: path.read_bytes() for path in paths}


def named(home: Path) -> dict[str, object]:
    table = tomllib.loads((home / "node.toml").read_text("utf-8"))["coordinator"]
    assert isinstance(table, dict)
    return table


def test_it_is_refused_and_nothing_changes(member: Path, regions: Regions) -> None:
    before, invitation = files(member), regions[1].invite()
    done = enrol(member, invitation)
    assert done.code == 5
    assert "belongs to the region 'North'; the invitation is another region's" in done.stderr
    assert CONSEQUENCE in done.stderr
    assert files(member) == before
    run_inside("folkmoot-node", "rounds", "list", "--home", member).said()
    assert enrol(member, invitation, "--replace").code == 0, "the invitation was not used up"


def test_it_is_accepted_where_that_is_asked_for_and_works(member: Path, regions: Regions) -> None:
    settings = member / "node.toml"
    text = settings.read_text("utf-8").replace("[coordinator]", "[coordinator]  # ours")
    settings.write_text(text.replace("# poll_seconds = 30", "poll_seconds = 77  # seldom"), "utf-8")
    with open_home(member) as node:
        head = node.ledger.head()
    done = enrol(member, regions[1].invite(), "--replace")
    said = " ".join(done.said().split())
    assert "The node has left 'North'." in said
    assert CONSEQUENCE in said
    assert named(member) == {**regions[1].addresses, "poll_seconds": 77}
    assert "[coordinator]  # ours" in settings.read_text("utf-8")
    assert "poll_seconds = 77  # seldom" in settings.read_text("utf-8")
    run_inside("folkmoot-node", "rounds", "list", "--home", member).said()
    with open_home(member) as node:
        assert node.ledger.head() == head, "what was spent stays spent"
        (entry,) = (one.body for one in node.audit.entries(("region replaced",)))
    assert (entry["left"], entry["joined"]) == ("North", "South")


def test_the_same_region_may_invite_again(member: Path, regions: Regions) -> None:
    before = files(member)
    done = enrol(member, regions[0].invite())
    assert done.code == 0
    after = files(member)
    assert before["node.crt"] != after["node.crt"]
    assert before["node.toml"] == after["node.toml"]


def test_a_lost_certificate_does_not_hide_the_region(member: Path, regions: Regions) -> None:
    (KeyFiles(member / "keys").certificate).unlink()
    assert enrol(member, regions[1].invite()).code == 5


def test_addresses_that_a_person_has_to_change_are_named_before_anything_is_done(
    member: Path, regions: Regions
) -> None:
    settings = member / "node.toml"
    head, _, _ = settings.read_text("utf-8").partition("\n[coordinator]")
    pairs = ", ".join(f'{key} = "{value}"' for key, value in regions[0].addresses.items())
    settings.write_text(f"coordinator = {{ {pairs} }}\n{head}", "utf-8")
    before, invitation = files(member), regions[1].invite()
    done = enrol(member, invitation, "--replace")
    assert done.code == 3
    assert "cannot be replaced in this file" in done.stderr
    assert regions[1].addresses["address"] in done.stderr
    assert files(member) == before


def test_the_ports_of_an_invitation_that_are_swapped_are_told_apart(
    member: Path, regions: Regions
) -> None:
    invitation = regions[0].invite()
    text = invitation.read_text("utf-8")
    addresses = regions[0].addresses
    text = text.replace(addresses["enrolment_address"], addresses["address"])
    invitation.write_text(text, "utf-8")
    done = enrol(member, invitation)
    assert done.code == 3
    assert "for councils that have enrolled, not for enrolment" in done.stderr


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("address", "0.0.0.0:7443", "every address of a machine"),
        ("enrolment_address", "example:99999", "a port is from 1 to 65535"),
        ("enrolment_address", "https://example", "without https://"),
    ],
)
def test_a_wrong_address_in_an_invitation_is_a_fault_of_the_file(
    member: Path, regions: Regions, key: str, value: str, says: str
) -> None:
    invitation = regions[0].invite()
    text = invitation.read_text("utf-8")
    invitation.write_text(text.replace(f'\n{key} = "', f'\n{key} = "{value}"  # '), "utf-8")
    done = enrol(member, invitation)
    assert done.code == 3
    assert f"{key}: " in done.stderr
    assert says in done.stderr


def test_an_authority_that_is_no_certificate_is_a_fault_of_the_file(
    member: Path, regions: Regions
) -> None:
    invitation = regions[0].invite()
    text = invitation.read_text("utf-8")
    invitation.write_text(text.replace("CERTIFICATE-----", "NOTHING-----"), "utf-8")
    done = enrol(member, invitation)
    assert done.code == 3
    assert "the authority in it is not a certificate (PEM)" in done.stderr
