"""A release states the day of its scores, to a coordinator that knows what that means."""

from __future__ import annotations

import datetime

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot.v1 import collection_pb2
from folkmoot_node.answering.visit import poll
from folkmoot_node.home import open_home

SCORED_ON = datetime.date(2026, 11, 23)


@pytest.mark.parametrize("protocol, stated", [(1, 0), (2, SCORED_ON.toordinal())])
def test_the_day_is_stated_from_the_version_on_that_has_it(
    stage: Stage, protocol: int, stated: int
) -> None:
    stage.coordinator.protocol = protocol
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as home, home.connect() as client:
        list(poll(home, client))
        (answer,) = home.outbox.answers()
        assert answer.receipt is not None
        assert home.outbox.verify() == 1
    header = collection_pb2.SubmitRequest.FromString(answer.frames[0]).header
    assert (header.protocol, header.scores_day) == (protocol, stated)
