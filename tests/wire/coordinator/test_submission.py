"""Releases and refusals over mutual TLS: stored once, receipted, or rejected without trace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import grpc
import pytest

from folkmoot.answer_codec import encode_release
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.refusal import RefusalReason, refusal_digest
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.release import release_digest
from folkmoot.round_codec import decode_round
from folkmoot.v1 import (
    collection_pb2,
    collection_pb2_grpc,
    privacy_pb2,
    release_pb2,
    round_pb2,
)
from folkmoot.versions import SPOKEN
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.publication.round_result import released_counts
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.round_store import find_round
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Client, Region

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")
NOTHING = {"answers": 0, "cells": 0}


@pytest.fixture
def client(region: Region) -> Client:
    """Trafford, enrolled, with an open round of four cells; Bury is invited too."""
    region.open_round((TRAFFORD, BURY), seconds=3600)
    return region.member()


@pytest.fixture
def signed(client: Client) -> round_pb2.SignedRound:
    [signed] = client.rounds()
    return signed


def rejected(act: Callable[[], object]) -> Rejected:
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value


def test_a_release_is_stored_and_receipted(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    assert client.negotiate() == SPOKEN.newest
    release = client.release_for(signed, [5, -3, 2**62, -(2**62)])

    receipt = client.receipt(client.submit(release))

    assert receipt.answer_digest == release_digest(release)
    assert receipt.council == client.council
    stored = find_round(region.database, release.round_id)
    assert released_counts(region.database, stored)[TRAFFORD].tolist() == list(
        release.counts.values
    )


def test_the_same_bytes_get_the_same_receipt_even_after_the_round_closed(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    release = client.release_for(signed)
    first = client.submit(release)
    region.clock.now += 100
    again = client.submit(release)
    close_round(region.database, release.round_id, region.clock())
    after_closing = client.submit(release)
    assert first == again == after_closing
    assert region.stored() == {"answers": 1, "cells": 1}


def test_a_replay_with_other_cells_is_altered_and_other_bytes_are_a_second_answer(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    release = client.release_for(signed)
    first = client.submit(release)
    header, chunk = encode_release(release, 1)
    chunk.cells.values[0] += 1
    assert rejected(lambda: client.submit_parts([header, chunk])).rejection.reason is (
        RejectionReason.ALTERED
    )
    other = client.release_for(signed, [9, 9, 9, 9])
    assert rejected(lambda: client.submit(other)).rejection.reason is (
        RejectionReason.ALREADY_ANSWERED
    )
    refusal = client.refusal_for(signed)
    assert rejected(lambda: client.refuse(refusal)).rejection.reason is (
        RejectionReason.ALREADY_ANSWERED
    )
    assert client.submit(release) == first


def test_a_refusal_is_stored_and_receipted_once(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    refusal = client.refusal_for(signed, RefusalReason.BUDGET_EXHAUSTED)
    first = client.refuse(refusal)
    assert client.receipt(first).answer_digest == refusal_digest(refusal)
    region.clock.now += 100
    assert client.refuse(refusal) == first
    other = client.refusal_for(signed, RefusalReason.DECLINED)
    assert rejected(lambda: client.refuse(other)).rejection.reason is (
        RejectionReason.ALREADY_ANSWERED
    )
    release = client.release_for(signed)
    assert rejected(lambda: client.submit(release)).rejection.reason is (
        RejectionReason.ALREADY_ANSWERED
    )
    assert region.stored() == {"answers": 1, "cells": 0}


Parts = list[collection_pb2.SubmitRequest]


def _truncated(parts: Parts) -> Parts:
    del parts[1].cells.values[-1]
    return parts


def _without_cells(parts: Parts) -> Parts:
    return parts[:1]


def _surplus_chunk(parts: Parts) -> Parts:
    return [
        *parts,
        collection_pb2.SubmitRequest(cells=release_pb2.CellChunk(first_cell=4, values=[1])),
    ]


def _chunk_twice(parts: Parts) -> Parts:
    return [*parts, parts[1]]


def _gap(parts: Parts) -> Parts:
    parts[1].cells.first_cell = 1
    return parts


def _altered(parts: Parts) -> Parts:
    parts[1].cells.values[2] += 1
    return parts


def _header_twice(parts: Parts) -> Parts:
    return [parts[0], *parts]


def _no_header(parts: Parts) -> Parts:
    return parts[1:]


def _nothing(parts: Parts) -> Parts:
    return []


def _empty_part(parts: Parts) -> Parts:
    return [parts[0], collection_pb2.SubmitRequest(), parts[1]]


def _announces_fewer(parts: Parts) -> Parts:
    parts[0].header.cells = 3
    return parts


def _announces_more(parts: Parts) -> Parts:
    parts[0].header.cells = 2**62
    return parts


def _other_mechanism(parts: Parts) -> Parts:
    parts[0].header.mechanism = privacy_pb2.MECHANISM_UNSPECIFIED
    return parts


def _short_ledger_entry(parts: Parts) -> Parts:
    parts[0].header.ledger_entry = b"short"
    return parts


def _no_version(parts: Parts) -> Parts:
    parts[0].header.protocol = 0
    return parts


def _later_version(parts: Parts) -> Parts:
    parts[0].header.protocol = 99
    return parts


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_truncated, RejectionReason.TRUNCATED),
        (_without_cells, RejectionReason.TRUNCATED),
        (_gap, RejectionReason.TRUNCATED),
        (_announces_fewer, RejectionReason.TRUNCATED),
        (_surplus_chunk, RejectionReason.OVERSIZED),
        (_chunk_twice, RejectionReason.OVERSIZED),
        (_announces_more, RejectionReason.OVERSIZED),
        (_altered, RejectionReason.ALTERED),
        (_header_twice, RejectionReason.MALFORMED),
        (_no_header, RejectionReason.MALFORMED),
        (_nothing, RejectionReason.MALFORMED),
        (_empty_part, RejectionReason.MALFORMED),
        (_short_ledger_entry, RejectionReason.MALFORMED),
        (_no_version, RejectionReason.MALFORMED),
        (_later_version, RejectionReason.VERSION),
        (_other_mechanism, RejectionReason.LOSS),
    ],
    ids=lambda value: getattr(value, "__name__", "").lstrip("_") or value.name,
)
def test_a_spoilt_submission_is_rejected_and_leaves_nothing(
    region: Region,
    client: Client,
    signed: round_pb2.SignedRound,
    spoil: Callable[[Parts], Parts],
    reason: RejectionReason,
) -> None:
    parts = spoil(list(encode_release(client.release_for(signed), 1)))
    rejection = rejected(lambda: client.submit_parts(parts)).rejection
    assert rejection.reason is reason
    assert rejection.detail
    assert not rejection.transient
    assert region.stored() == NOTHING
    assert client.submit(client.release_for(signed)), "the honest release is still welcome"


def test_what_the_release_says_must_be_what_the_round_asked(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    for release, reason in (
        (client.release_for(signed, council=BURY), RejectionReason.COUNCIL),
        (client.release_for(signed, round_id="f" * 32), RejectionReason.ROUND_UNKNOWN),
        (client.release_for(signed, digest=bytes(32)), RejectionReason.ROUND_DIGEST),
        (client.release_for(signed, loss=Rho.of("0.49")), RejectionReason.LOSS),
    ):
        found = rejected(lambda release=release: client.submit(release))  # type: ignore[misc]
        assert found.rejection.reason is reason
    assert region.stored() == NOTHING


def test_a_round_to_which_the_council_is_not_invited_is_unknown(region: Region) -> None:
    bury = region.member(BURY)
    region.open_round((BURY,))
    [signed] = bury.rounds()
    trafford = region.member()
    assert trafford.rounds() == []
    release = bury.release_for(signed, council=TRAFFORD)
    assert rejected(lambda: trafford.submit(release)).rejection.reason is (
        RejectionReason.ROUND_UNKNOWN
    )
    assert region.stored() == NOTHING


def test_a_closed_round_takes_no_answer(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    region.clock.now = decode_round(signed.round).deadline
    release, refusal = client.release_for(signed), client.refusal_for(signed)
    assert rejected(lambda: client.submit(release)).rejection.reason is (
        RejectionReason.ROUND_CLOSED
    )
    assert rejected(lambda: client.refuse(refusal)).rejection.reason is (
        RejectionReason.ROUND_CLOSED
    )
    assert client.rounds() == []
    assert region.stored() == NOTHING


def test_endless_cells_are_cut_off_early(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    header, _ = encode_release(client.release_for(signed), 1)
    sent = 0

    def endless() -> Iterator[collection_pb2.SubmitRequest]:
        nonlocal sent
        yield header
        while True:
            sent += 1
            yield collection_pb2.SubmitRequest(
                cells=release_pb2.CellChunk(first_cell=0, values=[1] * 100_000)
            )

    found = rejected(lambda: client.submit_parts(endless()))
    assert found.rejection.reason is RejectionReason.OVERSIZED
    assert sent < 200, "flow control stops a sender that nobody reads"
    assert region.stored() == NOTHING


def test_one_message_beyond_the_size_limit_is_refused_by_the_transport(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    header, _ = encode_release(client.release_for(signed), 1)
    huge = collection_pb2.SubmitRequest(
        cells=release_pb2.CellChunk(first_cell=0, values=[2**62] * 500_000)
    )
    with pytest.raises(grpc.RpcError) as caught:
        client.submit_parts([header, huge])
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert region.stored() == NOTHING


def test_a_client_that_goes_away_leaves_nothing(
    region: Region, client: Client, signed: round_pb2.SignedRound
) -> None:
    parts = list(encode_release(client.release_for(signed), 1))
    client.seconds = 1.0

    def stalled() -> Iterator[collection_pb2.SubmitRequest]:
        yield parts[0]
        time.sleep(1.5)

    with pytest.raises(grpc.RpcError):
        client.submit_parts(stalled())
    assert region.stored() == NOTHING
    client.seconds = 20
    assert client.submit(client.release_for(signed))


def test_a_sender_that_never_ends_does_not_keep_its_worker(region: Region) -> None:
    region.stop()
    text = region.home.settings_file.read_text()
    text = text.replace("call_seconds = 900", "call_seconds = 1")
    region.home.settings_file.write_text(text.replace("workers = 24", "workers = 2"))
    region.start()
    client = region.member()
    region.open_round()
    [signed] = client.rounds()
    header, _ = encode_release(client.release_for(signed), 1)
    released = threading.Event()

    def slow() -> Iterator[collection_pb2.SubmitRequest]:
        yield header
        released.wait(timeout=120)

    def hold() -> None:
        with pytest.raises(grpc.RpcError) as caught:
            client.submit_parts(slow())
        assert caught.value.code() is grpc.StatusCode.CANCELLED

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for holder in holders:
        holder.start()
    time.sleep(0.3)
    assert client.negotiate() == SPOKEN.newest, "served when the slow calls were cut off"
    for holder in holders:
        holder.join(timeout=60)
    released.set()
    assert not any(holder.is_alive() for holder in holders)
    assert region.stored() == NOTHING


def test_one_council_cannot_take_every_worker_with_slow_submissions(region: Region) -> None:
    slow, other = region.member(), region.member(BURY)
    region.open_round((TRAFFORD,))
    [signed] = slow.rounds()
    header, _ = encode_release(slow.release_for(signed), 1)
    released = threading.Event()

    def held() -> Iterator[collection_pb2.SubmitRequest]:
        yield header
        released.wait(timeout=120)

    workers = region.settings.limits.workers
    channels = [slow.channel() for _ in range(2)]
    calls = [
        collection_pb2_grpc.CollectionServiceStub(channels[at % 2]).Submit.future(held())
        for at in range(workers)
    ]
    refusals = workers - workers // 3
    wait_until(lambda: sum(call.done() for call in calls) >= refusals, "calls to be refused")
    other.seconds = 60
    assert other.negotiate() == SPOKEN.newest
    refused = [call for call in calls if call.done()]
    assert len(refused) == refusals
    assert {call.code() for call in refused} == {grpc.StatusCode.UNAVAILABLE}
    released.set()
    for channel in channels:
        channel.close()


def test_one_council_cannot_take_every_worker_by_not_reading(region: Region) -> None:
    idle, other = region.member(), region.member(BURY)
    codes = tuple(f"{'x' * 28}{at}" for at in range(1_000, 9_999))
    large = Workload((Attribute("band", codes),), (Marginal(("band",)),))
    for _ in range(10):
        region.open_round((TRAFFORD,), workload=large)
    channels = [idle.channel() for _ in range(2)]
    request = collection_pb2.ListRoundsRequest(protocol=1)
    calls = [
        collection_pb2_grpc.CollectionServiceStub(channels[at % 2]).ListRounds(request)
        for at in range(region.settings.limits.workers)
    ]
    time.sleep(1)
    other.seconds = 60
    assert other.negotiate() == SPOKEN.newest
    for call in calls:
        call.cancel()
    for channel in channels:
        channel.close()

    def is_served() -> bool:
        try:
            return len(idle.rounds()) == 10
        except grpc.RpcError:
            return False

    wait_until(is_served, "its places to be free again")


def test_the_same_council_answering_twice_at_once_is_stored_once(
    region: Region,
    client: Client,
    signed: round_pb2.SignedRound,
    together: Callable[[Iterable[Callable[[], None]]], None],
) -> None:
    receipts: list[bytes] = []
    reasons: list[RejectionReason] = []

    def answer(first: int) -> None:
        try:
            receipts.append(
                client.submit(client.release_for(signed, [first] * 4)).SerializeToString()
            )
        except Rejected as error:
            reasons.append(error.rejection.reason)

    together([lambda n=n: answer(n // 2) for n in range(8)])  # type: ignore[misc]
    assert len(set(receipts)) == 1
    assert set(reasons) == {RejectionReason.ALREADY_ANSWERED}
    assert len(receipts) == 2, "one release was sent twice, and both copies get its receipt"
    assert region.stored() == {"answers": 1, "cells": 1}


def test_a_million_cells_pass_the_default_message_limit(region: Region) -> None:
    codes = tuple(f"c{n}" for n in range(1000))
    workload = Workload(
        (Attribute("one", codes), Attribute("other", codes)), (Marginal(("one", "other")),)
    )
    client = region.member()
    client.seconds = 120
    round_ = region.open_round(workload=workload)
    [signed] = client.rounds()
    rows = round_.plan(TRAFFORD).rows
    assert rows > 1_000_000
    release = client.release_for(signed, (n * 7919 % 2001 - 1000 for n in range(rows)))
    client.submit(release)
    stored = find_round(region.database, round_.round_id)
    assert bytes(released_counts(region.database, stored)[TRAFFORD].data) == bytes(
        release.counts.values.tobytes()
    )


def test_forty_councils_submit_at_once(
    region: Region, together: Callable[[Iterable[Callable[[], None]]], None]
) -> None:
    councils = [GssCode(f"E08{number:06d}") for number in range(1, 41)]
    round_ = region.open_round(councils, minimum=40)
    clients = [region.member(council) for council in councils]

    def answer(client: Client) -> None:
        [signed] = client.rounds()
        client.submit(client.release_for(signed))

    together([lambda client=client: answer(client) for client in clients])  # type: ignore[misc]
    assert region.stored() == {"answers": 40, "cells": 40}
    assert find_round(region.database, round_.round_id).state.name == "COMPLETE"


@pytest.mark.slow
def test_four_hundred_councils_that_come_at_once_all_get_their_receipts(region: Region) -> None:
    """Each over a connection of its own, with its own certificate."""
    councils = [GssCode(f"E07{number:06d}") for number in range(1, 401)]
    round_ = region.open_round(councils, minimum=400)
    clients = [region.certified(council) for council in councils]
    [signed] = clients[0].rounds()
    channels = [client.channel() for client in clients]
    calls = [
        collection_pb2_grpc.CollectionServiceStub(channel).Submit.future(
            encode_release(client.release_for(signed), 1), timeout=120
        )
        for client, channel in zip(clients, channels, strict=True)
    ]
    digests = {client.receipt(call.result().receipt).answer_digest
               for client, call in zip(clients, calls, strict=True)}  # fmt: skip
    for channel in channels:
        channel.close()
    assert len(digests) == 400
    assert region.stored() == {"answers": 400, "cells": 400}
    assert find_round(region.database, round_.round_id).state.name == "COMPLETE"
