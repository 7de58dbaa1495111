"""What a round costs to read grows with its size, whatever a coordinator puts into it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from itertools import combinations, islice

import pytest

from folkmoot import round_codec
from folkmoot.errors import ContractError
from folkmoot.rounds import MAXIMUM_ROUND
from folkmoot.v1 import privacy_pb2, round_pb2

COUNCILS = tuple(f"E{at:08}" for at in range(1_000))


def question(councils: tuple[str, ...] = COUNCILS) -> round_pb2.Round:
    return round_pb2.Round(
        round_id="a" * 32,
        purpose="winter_support",
        councils=councils,
        minimum_councils=1,
        policy_digest=b"p" * 32,
        loss=privacy_pb2.PrivacyLoss(rho_nano=10**9),
        mechanism=privacy_pb2.MECHANISM_DISCRETE_GAUSSIAN,
        delta_pico=10**6,
        opened_at=1,
        deadline=2,
    )


def ask(round_: round_pb2.Round, *marginals: tuple[str, ...]) -> round_pb2.Round:
    for asked in marginals:
        round_.workload.marginals.add(attributes=asked, weight=1)
    return round_


def honest() -> round_pb2.Round:
    """Six kinds of areas of which each council of a large country has a few."""
    round_ = question(COUNCILS[:400])
    for kind in range(6):
        attribute = round_.workload.attributes.add(name=f"kind{kind}")
        for council in round_.councils:
            attribute.by_council.add(council=council, codes=[f"{council}_{at}" for at in range(2)])
    return ask(round_, *((f"kind{kind}",) for kind in range(6)))


def nested(levels: int, codes: int = 79, measured: bool = True) -> round_pb2.Round:
    """One area of each council at the end of a long chain that all councils share."""
    round_, listed = question(), [f"c{at}" for at in range(codes)]
    for level in range(levels):
        within = f"a{level - 1}" if level else ""
        parents = list(range(codes)) if level else []
        round_.workload.attributes.add(
            name=f"a{level}", codes=listed, within=within, parents=parents
        )
    area = round_.workload.attributes.add(name="area", within=f"a{levels - 1}")
    for council in round_.councils:
        area.by_council.add(council=council, codes=[council], parents=[0])
    names = [f"a{level}" for level in range(levels if measured else 1)]
    return ask(round_, ("area",), *((name,) for name in names))


def areas(attributes: int, marginals: int, ways: int) -> round_pb2.Round:
    """Many attributes of which each council has one area."""
    round_ = question()
    names = [f"a{at}" for at in range(attributes)]
    for name in names:
        attribute = round_.workload.attributes.add(name=name)
        for council in round_.councils:
            attribute.by_council.add(council=council, codes=[f"{name}{council}"])
    return ask(round_, *islice(combinations(names, ways), marginals))


def repeated(field: str, count: int) -> round_pb2.Round:
    """A field that is there a million times."""
    round_ = ask(question(COUNCILS[:1]), ())
    if field == "councils":
        round_.councils.extend([COUNCILS[0]] * (count // 4))
    else:
        for _ in range(count):
            getattr(round_.workload, field).add()
    return round_


def seconds(message: round_pb2.Round) -> float:
    """Processor time that reading a round takes, whether it is accepted or not."""
    serialised = message.SerializeToString()
    began = time.thread_time()
    with suppress(ContractError):
        round_codec.decode_round(serialised)
    return time.thread_time() - began


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: nested(63), id="a chain of 63"),
        pytest.param(lambda: nested(7, 700), id="a chain of seven"),
        pytest.param(lambda: nested(7, 700, measured=False), id="a chain, one level measured"),
        pytest.param(lambda: areas(60, 1_000, 3), id="60 kinds of areas, combined"),
        pytest.param(lambda: areas(60, 40, 2), id="60 kinds of areas, combined less"),
        pytest.param(lambda: areas(64, 64, 1), id="64 kinds of areas"),
        pytest.param(lambda: repeated("marginals", 1_000_000), id="a million marginals"),
        pytest.param(lambda: repeated("attributes", 1_000_000), id="a million attributes"),
        pytest.param(lambda: repeated("councils", 1_000_000), id="councils without number"),
    ],
)
def test_no_round_takes_longer_than_its_size_says(make: Callable[[], round_pb2.Round]) -> None:
    usual = honest()
    rate = min(seconds(usual) for _ in range(3)) / usual.ByteSize()
    hostile = make()
    assert min(seconds(hostile) for _ in range(2)) < 8 * rate * max(hostile.ByteSize(), 200_000)


def test_a_round_larger_than_a_message_is_not_looked_at() -> None:
    hostile = repeated("marginals", 2_500_000).SerializeToString()
    assert len(hostile) > MAXIMUM_ROUND
    began = time.thread_time()
    with pytest.raises(ContractError, match="bytes"):
        round_codec.decode_round(hostile)
    assert time.thread_time() - began < 0.05
