"""How far rounds are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from folkmoot.geography import GssCode
from folkmoot.refusal import RefusalReason
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot_coordinator.rounds.progress import council_responses, summaries

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")


def test_the_list_counts_answers(office: Office) -> None:
    empty, office.clock.now = office.open(), office.clock.now + 10
    stored = office.open()
    office.refuse(stored, BOLTON)
    newest, oldest = summaries(office.database)
    assert (newest.round_id, newest.released, newest.refused, newest.invited) == (
        stored.round_.round_id,
        0,
        1,
        2,
    )
    assert (oldest.round_id, oldest.released, oldest.refused) == (empty.round_.round_id, 0, 0)


def test_a_refusal_that_numbers_an_attribute_is_shown_with_its_name(office: Office) -> None:
    stored = office.open()
    attributes = stored.round_.workload.attributes
    with pytest.raises(Rejected, match="the round has") as caught:
        office.refuse(stored, BOLTON, RefusalReason.CODE, len(attributes) + 1)
    assert caught.value.rejection.reason is RejectionReason.MALFORMED
    office.refuse(stored, BOLTON, RefusalReason.CODE, len(attributes))
    office.refuse(stored, BURY, RefusalReason.CODE)
    found = council_responses(office.database, stored.round_)
    assert [one.refused_attribute for one in found] == [attributes[-1].name, None]
