"""Numbers of the wire at their extremes: rejected by reason, never a fault of the coordinator."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from sqlalchemy import delete

from folkmoot.answer_codec import encode_refusal, encode_release
from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.rejection_codec import encode_versions
from folkmoot.v1 import catalogue_pb2, collection_pb2, enrolment_pb2
from folkmoot_coordinator.database.models import AnswerRow, CellsRow

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Client, Region

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")
COLLECTION, ENROLMENT = "/folkmoot.v1.CollectionService/", "/folkmoot.v1.EnrolmentService/"
F = FieldDescriptor
EXTREMES = {
    F.TYPE_UINT64: (0, 1, 2**63 - 1, 2**63, 2**64 - 1),
    F.TYPE_INT64: (0, -1, -(2**63), 2**63 - 1),
    F.TYPE_SINT64: (0, -1, -(2**63), 2**63 - 1),
    F.TYPE_SFIXED64: (0, -1, -(2**63), 2**63 - 1),
    F.TYPE_UINT32: (0, 1, 2**31, 2**32 - 1),
    F.TYPE_INT32: (0, -1, -(2**31), 2**31 - 1),
    F.TYPE_ENUM: (0, -1, 99, 2**31 - 1),
    F.TYPE_STRING: ("", "\0", "E" * 100_000, "\U0010ffff"),
    F.TYPE_BYTES: (b"", b"\0", bytes(100_000)),
}
"""Values of every kind of field; texts and bytes at their extremes as well."""


def spoiled(message: Message) -> Iterator[tuple[str, Message]]:
    """Copies of a message, each with one field at an extreme, however deep it lies."""
    for field in message.DESCRIPTOR.fields:
        if field.type == F.TYPE_MESSAGE:
            held = getattr(message, field.name)
            parts = list(held[:1]) if field.is_repeated else [held]
            for part in parts:
                for name, changed in spoiled(part):
                    copy = type(message)()
                    copy.CopyFrom(message)
                    if field.is_repeated:
                        getattr(copy, field.name)[0].CopyFrom(changed)
                    else:
                        getattr(copy, field.name).CopyFrom(changed)
                    yield f"{field.name}.{name}", copy
            continue
        for value in EXTREMES.get(field.type, ()):
            copy = type(message)()
            copy.CopyFrom(message)
            if field.is_repeated:
                del getattr(copy, field.name)[:]
                getattr(copy, field.name).append(value)
            else:
                setattr(copy, field.name, value)
            yield f"{field.name}={value!r:.24}", copy


def requests(client: Client) -> Iterator[tuple[str, list[Message]]]:
    """An honest request of each method, of one message or more."""
    [signed] = client.rounds()
    versions = encode_versions()
    refusal = encode_refusal(client.refusal_for(signed), 3)
    release = list(encode_release(client.release_for(signed), 3))
    catalogue = catalogue_pb2.SignedCatalogue(
        catalogue=catalogue_pb2.Catalogue(council=TRAFFORD, purposes=["x"]).SerializeToString(),
        signature=b"none",
    )
    yield COLLECTION + "Negotiate", [collection_pb2.NegotiateRequest(versions=versions)]
    yield (
        COLLECTION + "ListReceipts",
        [collection_pb2.ListReceiptsRequest(protocol=1, answers_digest=bytes(32))],
    )
    yield COLLECTION + "ListRounds", [collection_pb2.ListRoundsRequest(protocol=1)]
    yield COLLECTION + "Submit", list(release)
    yield COLLECTION + "Refuse", [collection_pb2.RefuseRequest(refusal=refusal)]
    yield (
        COLLECTION + "PublishCatalogue",
        [collection_pb2.PublishCatalogueRequest(protocol=3, catalogue=catalogue)],
    )
    yield ENROLMENT + "Renew", [enrolment_pb2.RenewRequest(protocol=1, csr=b"none")]
    yield (
        ENROLMENT + "Enrol",
        [
            enrolment_pb2.EnrolRequest(
                versions=versions, token=bytes(32), council=TRAFFORD, csr=b"none"
            )
        ],
    )


@pytest.fixture
def member(region: Region) -> Client:
    region.open_round((TRAFFORD, BURY))
    return region.member()


def forget_answers(region: Region) -> None:
    """An extreme may be a good answer, after which no other would be looked at."""
    with region.database.writing() as session:
        session.execute(delete(CellsRow))
        session.execute(delete(AnswerRow))


def test_no_number_is_a_fault(region: Region, member: Client) -> None:
    tried = 0
    with member.channel() as channel:
        for method, messages in list(requests(member)):
            call: Any = channel.stream_stream(method)
            for at, (name, changed) in itertools.chain.from_iterable(
                ((at, spoilt) for spoilt in spoiled(message)) for at, message in enumerate(messages)
            ):
                sent = [*messages[:at], changed, *messages[at + 1 :]]
                raw = iter([message.SerializeToString() for message in sent])
                try:
                    list(call(raw, timeout=60))
                except grpc.RpcError as error:
                    found: Any = error
                    pytest.fail(f"{method} {name}: {found.code()} {found.details()}")
                tried += 1
                forget_answers(region)
    assert tried > 100


def test_a_loss_beyond_every_loss_is_another_loss(region: Region, member: Client) -> None:
    [signed] = member.rounds()
    header, *cells = encode_release(member.release_for(signed), 1)
    header.header.loss.rho_nano = 2**64 - 1
    with pytest.raises(Rejected) as caught:
        member.submit_parts([header, *cells])
    assert caught.value.rejection.reason is RejectionReason.LOSS
    assert "18446744073709551615" in caught.value.rejection.detail
    assert member.submit(member.release_for(signed)), "the honest release is still welcome"
