"""The region keeps whose signature counts at a council, and shows a change until it is accepted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from folkmoot import catalogue_codec
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot_coordinator import cli
from folkmoot_coordinator.membership.policy_keys import policy_signers
from tests.wire.coordinator.test_catalogues import OFFER, TRAFFORD, publish

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Client, Region

FIRST, SECOND = b"1" * 32, b"2" * 32


def run(region: Region, *words: str, expect: int = 0) -> str:
    done = CliRunner().invoke(cli.app, [*words, "--home", str(region.home.path)])
    assert done.exit_code == expect, done.output
    return done.output


def state(client: Client, key: bytes) -> None:
    publish(client, catalogue_codec.encode_catalogue(replace(OFFER, policy_key=key)), protocol=4)


@pytest.fixture
def member(region: Region) -> Client:
    client = region.invite(TRAFFORD)
    client.enrol(policy_key=FIRST)
    return client


def test_the_key_of_the_enrolment_is_pinned(region: Region, member: Client) -> None:
    [signer] = policy_signers(region.database).values()
    assert (signer.key, signer.pinned, signer.has_changed) == (FIRST, FIRST, False)
    state(member, FIRST)
    shown = json.loads(run(region, "councils", "list", "--json"))
    assert shown[0]["policy_signer"]["key"] == FIRST.hex()
    assert not shown[0]["policy_signer"]["changed"]
    assert "policy signer" not in run(region, "councils", "list")


def test_another_key_is_shown_until_it_is_accepted(region: Region, member: Client) -> None:
    state(member, SECOND)
    for words in (("councils", "list"), ("councils", "show", TRAFFORD), ("doctor",)):
        said = "".join(run(region, *words).split())
        assert f"from{FIRST.hex()}to{SECOND.hex()}" in said, words
    state(member, SECOND)
    [signer] = policy_signers(region.database).values()
    assert signer.has_changed, "stating it again does not pin it"
    run(region, "councils", "accept-signer", TRAFFORD)
    [signer] = policy_signers(region.database).values()
    assert (signer.pinned, signer.has_changed) == (SECOND, False)
    run(region, "councils", "accept-signer", TRAFFORD, expect=1)  # nothing to accept


def test_a_council_that_comes_back_to_its_key_needs_nobody(region: Region, member: Client) -> None:
    state(member, SECOND)
    state(member, FIRST)
    [signer] = policy_signers(region.database).values()
    assert not signer.has_changed
    state(member, SECOND)
    [signer] = policy_signers(region.database).values()
    assert signer.has_changed


def test_a_second_node_of_the_council_does_not_pin_anew(region: Region, member: Client) -> None:
    region.invite(TRAFFORD).enrol(policy_key=SECOND)
    [signer] = policy_signers(region.database).values()
    assert (signer.pinned, signer.has_changed) == (FIRST, True)


def test_a_node_of_before_states_none(region: Region) -> None:
    client = region.member()
    assert policy_signers(region.database) == {}
    publish(client, catalogue_codec.encode_catalogue(OFFER))
    assert policy_signers(region.database) == {}
    state(client, FIRST)
    [signer] = policy_signers(region.database).values()
    assert not signer.has_changed


@pytest.mark.parametrize("key", [b"1" * 31, b"1" * 33, b"1"])
def test_what_is_no_key_is_refused(region: Region, key: bytes) -> None:
    client = region.invite(TRAFFORD)
    with pytest.raises(Rejected) as caught:
        client.enrol(policy_key=key)
    assert caught.value.rejection.reason is RejectionReason.MALFORMED
    client.enrol(policy_key=FIRST)  # the invitation is not used up
