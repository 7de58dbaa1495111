"""What a hostile peer may put into a round: bounded before it is looked at closely."""

from __future__ import annotations

import math
import time
from itertools import combinations, islice
from typing import Any

import pytest
from hypothesis import given

from folkmoot import round_codec
from folkmoot.errors import ContractError
from folkmoot.privacy import Delta, Rho, epsilon_at
from folkmoot.rounds import LAST_DEADLINE, MAX_LOSS, Round
from folkmoot.v1 import privacy_pb2, round_pb2, workload_pb2
from tests.unit.contract import strategies


def serialised(
    *, councils: int = 1, attributes: int = 1, codes: int = 1, marginals: int = 1, ways: int = 1
) -> round_pb2.Round:
    names = [f"a{at}" for at in range(attributes)]
    return round_pb2.Round(
        round_id="a" * 32,
        purpose="winter_support",
        councils=[f"E0{at:07}" for at in range(councils)],
        minimum_councils=1,
        policy_digest=b"p" * 32,
        loss=privacy_pb2.PrivacyLoss(rho_nano=10**9),
        mechanism=privacy_pb2.MECHANISM_DISCRETE_GAUSSIAN,
        delta_pico=10**6,
        opened_at=1,
        deadline=2,
        workload=workload_pb2.Workload(
            attributes=[
                workload_pb2.Attribute(name=name, codes=[str(at) for at in range(codes)])
                for name in names
            ],
            marginals=[
                workload_pb2.Marginal(attributes=asked, weight=1)
                for asked in islice(combinations(names, ways), marginals)
            ],
        ),
    )


@pytest.mark.parametrize(
    "size, says",
    [
        ({"councils": 1_001}, "councils"),
        ({"attributes": 65}, "65 attributes"),
        ({"attributes": 50, "ways": 2, "marginals": 1_001}, "1001 marginals"),
        ({"attributes": 2_100, "codes": 120, "ways": 2_100}, "2100 attributes"),
        ({"attributes": 64, "codes": 200, "ways": 64}, "parts"),
        ({"attributes": 12, "codes": 200, "ways": 12}, "would release"),
    ],
)
def test_a_round_too_large_to_check_is_refused_at_once(size: dict[str, int], says: str) -> None:
    hostile = serialised(**size).SerializeToString()
    began = time.process_time()
    with pytest.raises(ContractError, match=says):
        round_codec.decode_round(hostile)
    assert time.process_time() - began < 5


def test_many_areas_in_a_long_list_are_refused_at_once() -> None:
    message = serialised(councils=1_000, codes=100_000)
    message.workload.attributes.add(
        name="area",
        within="a0",
        by_council=[
            workload_pb2.CouncilCodes(council=council, codes=[council], parents=[0])
            for council in message.councils
        ],
    )
    message.workload.marginals.add(attributes=["area"], weight=1)
    hostile = message.SerializeToString()
    began = time.process_time()
    with pytest.raises(ContractError, match="codes"):
        round_codec.decode_round(hostile)
    assert time.process_time() - began < 5


def test_the_largest_round_that_is_allowed_is_checked_in_seconds() -> None:
    largest = serialised(councils=1_000, attributes=64, ways=3, marginals=1_000)
    began = time.process_time()
    assert round_codec.decode_round(largest.SerializeToString())
    assert time.process_time() - began < 10


def test_what_councils_share_is_multiplied_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million products, else, for a round of a few kilobytes."""
    councils, marginals = 1_000, 1_000
    large = serialised(councils=councils, attributes=60, codes=2, marginals=marginals, ways=3)
    products = 0
    original = math.prod

    def count(*arguments: Any, **named: Any) -> Any:
        nonlocal products
        products += 1
        return original(*arguments, **named)

    monkeypatch.setattr(math, "prod", count)
    round_ = round_codec.decode_round(large.SerializeToString())
    assert products < 5 * (councils + marginals)
    assert round_.workload.cells(round_.councils[0]) == 8 * marginals


@given(strategies.rounds())
def test_cells_are_those_of_all_marginals(round_: Round) -> None:
    workload = round_.workload
    for council in round_.councils:
        assert workload.cells(council) == sum(
            workload.size(marginal, council) for marginal in workload.marginals
        )
        assert workload.rows_at_most(council) >= round_.plan(council).rows


def test_a_deadline_that_no_calendar_has_is_refused() -> None:
    message = serialised()
    message.deadline = LAST_DEADLINE
    assert round_codec.decode_round(message.SerializeToString())
    message.deadline += 1
    with pytest.raises(ContractError, match="9999"):
        round_codec.decode_round(message.SerializeToString())


def test_a_loss_beyond_all_measure_is_refused() -> None:
    message = serialised()
    message.loss.rho_nano = MAX_LOSS.nano + 1
    with pytest.raises(ContractError, match="too large"):
        round_codec.decode_round(message.SerializeToString())


def test_epsilon_of_the_largest_loss_can_be_stated() -> None:
    assert epsilon_at(MAX_LOSS.for_person(20), Delta.of("1e-6")) > 4e8
    assert epsilon_at(Rho.of(MAX_LOSS.value), Delta.of("1e-6")) > 1e6


def test_an_error_repeats_no_control_characters_and_little_of_what_was_sent() -> None:
    message = serialised()
    name = "x\n2026-11-23T10:00:00Z info round 00: release delivered \x1b[2J" * 1_000
    message.workload.marginals.add(attributes=[name, name], weight=1)
    with pytest.raises(ContractError) as caught:
        round_codec.decode_round(message.SerializeToString())
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_500
