"""What a council publishes is kept if it is its own, and shown to who plans a round."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from folkmoot import catalogue_codec, rejection_codec
from folkmoot.catalogue import CATALOGUE_SIGNATURE_DOMAIN, Catalogue, PluginVersion
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.rounds import Mechanism
from folkmoot.v1 import catalogue_pb2, collection_pb2, collection_pb2_grpc
from folkmoot_coordinator import cli
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_coordinator.membership.councils import revoke

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Client, Region

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")
OFFER = Catalogue(
    TRAFFORD,
    {"band": ("none", "high"), "lsoa": ()},
    frozenset({"winter_support"}),
    frozenset({Mechanism.DISCRETE_GAUSSIAN}),
    per_round=Rho.of("0.5"),
    per_period=Rho.of("1"),
    lifetime=Rho.of("2"),
    sunset=date(2099, 12, 31),
    per_series=Rho.of("0.75"),
    area_types={"lsoa": "lsoa21"},
    plugins=frozenset({PluginVersion("folkmoot-plugin-extracts", "0.1.0")}),
)
ROUND = """\
title = "Winter"
purpose = "winter_suport"
policy_digest = "{digest}"
councils = ["E08000009"]
minimum_councils = 1
rho = 0.6
delta = 1e-6
deadline_hours = 48
[[attributes]]
name = "band"
codes = ["none", "purple"]
[[attributes]]
name = "tenure"
codes = ["owned", "rented"]
[[marginals]]
attributes = ["band", "tenure"]
"""


def publish(
    client: Client, catalogue: bytes, *, protocol: int = 3, signed: bytes | None = None
) -> int:
    content = CATALOGUE_SIGNATURE_DOMAIN + (catalogue if signed is None else signed)
    request = collection_pb2.PublishCatalogueRequest(
        protocol=protocol,
        catalogue=catalogue_pb2.SignedCatalogue(
            catalogue=catalogue, signature=client.key.sign(content, ec.ECDSA(hashes.SHA256()))
        ),
    )
    with client.channel() as channel:
        stub = collection_pb2_grpc.CollectionServiceStub(channel)
        answer = stub.PublishCatalogue(request, timeout=60)
    if answer.WhichOneof("outcome") == "rejection":
        raise Rejected(rejection_codec.decode_rejection(answer.rejection))
    return answer.stored_at


def test_the_last_one_is_kept_over_a_restart(region: Region) -> None:
    member = region.member()
    assert catalogues_of(region.database, [TRAFFORD, BURY]) == {}
    assert publish(member, catalogue_codec.encode_catalogue(OFFER)) == region.clock()
    later = replace(OFFER, purposes=frozenset({"winter_support", "flood"}), per_series=None)
    publish(member, catalogue_codec.encode_catalogue(later))
    region.stop()
    region.start()
    assert catalogues_of(region.database, [TRAFFORD, BURY]) == {TRAFFORD: later}
    assert catalogues_of(region.database, [BURY]) == {}


def test_what_is_not_the_councils_own_is_not_kept(region: Region) -> None:
    member, serialised = region.member(), catalogue_codec.encode_catalogue(OFFER)
    other = catalogue_codec.encode_catalogue(replace(OFFER, council=BURY))
    for reason, act in (
        (RejectionReason.COUNCIL, lambda: publish(member, other)),
        (RejectionReason.CERTIFICATE, lambda: publish(member, serialised, signed=other)),
        (RejectionReason.MALFORMED, lambda: publish(member, b"")),
        (RejectionReason.MALFORMED, lambda: publish(member, b"\xff")),
        (RejectionReason.MALFORMED, lambda: publish(member, serialised + b"\x50\x00")),
        (RejectionReason.MALFORMED, lambda: publish(member, bytes(1_000_001))),
        (RejectionReason.VERSION, lambda: publish(member, serialised, protocol=9)),
    ):
        with pytest.raises(Rejected) as caught:
            act()
        assert caught.value.rejection.reason is reason
    revoke(region.database, TRAFFORD, region.clock())
    with pytest.raises(Rejected) as caught:
        publish(member, serialised)
    assert caught.value.rejection.reason is RejectionReason.CERTIFICATE
    assert catalogues_of(region.database, [TRAFFORD, BURY]) == {}


def test_a_plan_says_what_the_council_will_not_answer(region: Region, tmp_path: Path) -> None:
    file = tmp_path / "winter.toml"
    file.write_text(ROUND.format(digest="0" * 64))
    command = ["round", "plan", str(file), "--home", str(region.home.path)]
    before = CliRunner().invoke(cli.app, command)
    assert before.exit_code == 0, before.output
    assert "catalogue" not in before.output
    publish(region.member(), catalogue_codec.encode_catalogue(OFFER))
    done = CliRunner().invoke(cli.app, command)
    assert done.exit_code == 0, done.output
    for says in (
        "Did you mean winter_support?",
        "The highest cap is rho 0.5",
        "offers the attribute tenure",
        "has the code purple of band",
    ):
        assert says in done.output, done.output
