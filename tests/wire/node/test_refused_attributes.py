"""A refusal states which attribute of the round it is about, by number and never by name."""

from __future__ import annotations

import pytest
from stage import AREAS, COUNCIL, TRAFFORD, Stage, ask

from folkmoot import round_codec
from folkmoot.attributes import Attribute
from folkmoot.refusal import RefusalReason
from folkmoot.workload import Marginal, Workload
from folkmoot_node.answering.visit import poll
from folkmoot_node.home import open_home

BAND = Attribute("band", ("none", "high"))
AREA = Attribute("lsoa", (), {COUNCIL: AREAS[TRAFFORD]})
NOT_HELD = Attribute("tenure", ("owned", "rented"))
NO_SUCH_CODE = Attribute("band", ("none", "purple"))


@pytest.mark.parametrize(
    "attributes, reason, number",
    [
        ((BAND, NOT_HELD), RefusalReason.ATTRIBUTE, 2),
        ((NOT_HELD, BAND), RefusalReason.ATTRIBUTE, 1),
        ((AREA, NO_SUCH_CODE), RefusalReason.CODE, 2),
    ],
)
@pytest.mark.parametrize("protocol", [1, 2])
def test_the_number_is_stated_from_the_version_on_that_has_it(
    stage: Stage,
    attributes: tuple[Attribute, ...],
    reason: RefusalReason,
    number: int,
    protocol: int,
) -> None:
    names = tuple(attribute.name for attribute in attributes)
    stage.coordinator.protocol = protocol
    workload = Workload(attributes, (Marginal(names),))
    stage.coordinator.rounds = [round_codec.encode_round(ask(workload=workload))]
    with open_home(stage.home) as home, home.connect() as client:
        list(poll(home, client))
        assert home.outbox.verify() == 1
    (refusal,) = stage.coordinator.refusals
    assert refusal.reason == reason
    assert refusal.attribute_number == (number if protocol > 1 else 0)


def test_a_refusal_for_another_reason_states_none(stage: Stage) -> None:
    stage.coordinator.protocol = 2
    stage.coordinator.rounds = [round_codec.encode_round(ask(purpose="something_else"))]
    with open_home(stage.home) as home, home.connect() as client:
        list(poll(home, client))
    (refusal,) = stage.coordinator.refusals
    assert (refusal.reason, refusal.attribute_number) == (RefusalReason.PURPOSE, 0)
