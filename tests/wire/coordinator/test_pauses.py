"""While people have stopped a coordinator, answers are refused for now, and taken afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from folkmoot.geography import GssCode
from folkmoot.refusal import RefusalReason
from folkmoot.rejection import Rejected
from folkmoot_coordinator.database import pauses
from folkmoot_coordinator.database.pauses import pause, resume

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")
WHY = "we are looking into the results of May"


def test_an_answer_is_refused_for_now_and_the_same_bytes_are_taken_afterwards(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "LOOK_SECONDS", 0)
    region.open_round((TRAFFORD, BURY), seconds=3600)
    client, other = region.member(), region.member(BURY)
    [signed] = client.rounds()
    release = client.release_for(signed)
    pause(region.database, region.clock, WHY)
    for answer in (
        lambda: client.submit(release),
        lambda: other.refuse(other.refusal_for(signed, RefusalReason.PURPOSE)),
    ):
        with pytest.raises(Rejected) as caught:
            answer()
        assert caught.value.rejection.transient
        assert WHY in caught.value.rejection.detail
    assert region.stored() == {"answers": 0, "cells": 0}
    client.negotiate()
    resume(region.database, region.clock, "settled")
    client.receipt(client.submit(release))
