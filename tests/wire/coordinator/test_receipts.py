"""What a council is told of its own answers, over mutual TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from folkmoot.geography import GssCode
from folkmoot.receipt import answers_digest
from folkmoot.refusal import refusal_digest
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.release import release_digest
from folkmoot.rounds import round_digest
from folkmoot_coordinator.membership.councils import revoke

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")
NONE = answers_digest(())


def test_who_has_answered_nothing_is_told_so(region: Region) -> None:
    held, receipts = region.member().receipts(NONE)
    assert (held.answers_digest, receipts) == (NONE, [])
    assert held.at == region.clock()


def test_receipts_are_listed_as_they_were_given_until_the_council_holds_the_same(
    region: Region,
) -> None:
    for _ in range(3):
        region.open_round((TRAFFORD, BURY))
    trafford, bury = region.member(TRAFFORD), region.member(BURY)
    first, second, third = trafford.rounds()
    release, refusal = trafford.release_for(first), trafford.refusal_for(second)
    given = [trafford.submit(release), trafford.refuse(refusal)]
    bury.submit(bury.release_for(third))

    held, listed = trafford.receipts(NONE)
    assert sorted(one.receipt for one in listed) == sorted(one.receipt for one in given)
    says = {receipt.answer_digest: receipt for receipt in map(trafford.receipt, listed)}
    of_release, of_refusal = says[release_digest(release)], says[refusal_digest(refusal)]
    assert (of_release.loss, of_release.ledger_entry) == (release.loss, release.ledger_entry)
    assert of_release.round_digest == round_digest(first.round)
    assert not of_refusal.is_release
    assert list(says.values()) == sorted(says.values(), key=lambda receipt: receipt.round_id)

    mine = answers_digest((receipt.round_id, digest) for digest, receipt in says.items())
    assert held.answers_digest == mine
    assert trafford.receipts(mine)[1] == []
    region.stop()
    region.start()
    assert trafford.receipts(NONE) == (held, listed), "the same bytes after a restart"


def test_who_was_revoked_or_speaks_another_version_is_told_nothing(region: Region) -> None:
    revoked = region.member(BURY)
    revoke(region.database, BURY, region.clock())
    for client, protocol, reason in (
        (revoked, 1, RejectionReason.CERTIFICATE),
        (region.member(), 0, RejectionReason.MALFORMED),
        (region.member(), 9, RejectionReason.VERSION),
    ):
        with pytest.raises(Rejected) as caught:
            client.receipts(NONE, protocol)
        assert caught.value.rejection.reason is reason
