"""Wire versions: the newest both speak, or which side to upgrade."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.rejection_codec import decode_rejection
from folkmoot.v1 import collection_pb2, collection_pb2_grpc
from folkmoot.versions import UpgradeSide, VersionRange
from folkmoot_coordinator.server import wire_versions

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region


def rejection_of(act: Callable[[], object]) -> Rejection:
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value.rejection


def test_a_node_that_is_too_new_learns_that_the_coordinator_is_to_be_upgraded(
    region: Region,
) -> None:
    newer = VersionRange(7, 9)
    invited, member = region.invite(), region.member()
    for rejection in (
        rejection_of(lambda: invited.enrol(versions=newer)),
        rejection_of(lambda: member.negotiate(newer)),
        rejection_of(lambda: member.rounds(protocol=7)),
        rejection_of(lambda: member.renew(member.key, protocol=7)),
    ):
        assert rejection.reason is RejectionReason.VERSION
        assert rejection.upgrade is UpgradeSide.COORDINATOR
        assert "upgrade the region's coordinator" in rejection.detail
        assert not rejection.transient


def test_a_node_that_is_too_old_learns_that_it_is_to_be_upgraded(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_versions, "SPOKEN", VersionRange(3, 5))
    invited, member_ = region.invite(), region.invite()
    member_.enrol(versions=VersionRange(1, 3))
    for rejection in (
        rejection_of(lambda: invited.enrol(versions=VersionRange(1, 2))),
        rejection_of(lambda: member_.negotiate(VersionRange(1, 2))),
        rejection_of(lambda: member_.rounds(protocol=2)),
    ):
        assert rejection.reason is RejectionReason.VERSION
        assert rejection.upgrade is UpgradeSide.NODE
        assert "upgrade the council's node" in rejection.detail


def test_the_newest_common_version_is_agreed(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_versions, "SPOKEN", VersionRange(1, 3))
    member = region.member()
    assert member.negotiate(VersionRange(1, 2)) == 2
    assert member.negotiate(VersionRange(2, 9)) == 3


def test_a_range_that_is_none_is_malformed(region: Region) -> None:
    member = region.member()
    with member.channel() as channel:
        answer = collection_pb2_grpc.CollectionServiceStub(channel).Negotiate(
            collection_pb2.NegotiateRequest(), timeout=60
        )
    assert decode_rejection(answer.rejection).reason is RejectionReason.MALFORMED
