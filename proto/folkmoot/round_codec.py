"""What a region asks, as wire messages and back: the one place for rounds.

Every function that reads a message raises ContractError if a field is missing, out of range or
inconsistent; nothing unvalidated gets past this module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from folkmoot.attributes import Attribute
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Epsilon, Rho
from folkmoot.rounds import MAXIMUM_ROUND, Round, check_number_of_councils
from folkmoot.series import Series, SeriesEvent
from folkmoot.v1 import privacy_pb2, round_pb2, workload_pb2
from folkmoot.wire_values import read_mechanism, read_message
from folkmoot.workload import Marginal, Workload, check_counts

_SERIES_DOMAIN = b"folkmoot.v1.Series\0"


def encode_round(round_: Round) -> bytes:
    """Serialises a round; these bytes are what is signed, digested and kept.

    Raises:
        ContractError: If they are more than fit into one message.
    """
    serialised = _round_message(round_).SerializeToString(deterministic=True)
    _check_round_size(serialised)
    return serialised


def series_digest(round_: Round) -> bytes:
    """SHA-256 of what all rounds of a series have in common: 32 bytes.

    That is the round without its id, title, minimum of councils, times, and position.
    """
    message = _round_message(round_)
    for name in ("round_id", "title", "minimum_councils", "opened_at", "deadline"):
        message.ClearField(name)
    message.series.ClearField("position")
    return hashlib.sha256(_SERIES_DOMAIN + message.SerializeToString(deterministic=True)).digest()


def _round_message(round_: Round) -> round_pb2.Round:
    return round_pb2.Round(
        round_id=round_.round_id,
        title=round_.title,
        purpose=round_.purpose,
        councils=round_.councils,
        minimum_councils=round_.minimum_councils,
        policy_digest=round_.policy_digest,
        workload=_encode_workload(round_.workload),
        loss=privacy_pb2.PrivacyLoss(rho_nano=round_.loss.nano),
        mechanism=privacy_pb2.Mechanism.ValueType(round_.mechanism),
        delta_pico=round_.delta.pico,
        opened_at=round_.opened_at,
        deadline=round_.deadline,
        epsilon_nano=round_.epsilon.nano,
        series=_encode_series(round_.series) if round_.series else None,
    )


def decode_round(serialised: bytes) -> Round:
    """Reads a serialised round.

    Raises:
        ContractError: If it is not well formed, or longer than a round may be.
    """
    _check_round_size(serialised)
    message = round_pb2.Round()
    read_message(message, serialised, "round")
    # First of all: what is read below takes time and memory for each of them.
    check_number_of_councils(len(message.councils))
    check_counts(len(message.workload.attributes), len(message.workload.marginals))
    _refuse_unknown_fields(message)
    councils = tuple(
        GssCode(code, f"round.councils[{at}]") for at, code in enumerate(message.councils)
    )
    return Round(
        round_id=message.round_id,
        title=message.title,
        purpose=message.purpose,
        councils=councils,
        minimum_councils=message.minimum_councils,
        policy_digest=message.policy_digest,
        workload=_decode_workload(message.workload, {str(one): one for one in councils}),
        loss=Rho(message.loss.rho_nano),
        mechanism=read_mechanism(message.mechanism, "round.mechanism"),
        delta=Delta(message.delta_pico),
        opened_at=message.opened_at,
        deadline=message.deadline,
        epsilon=Epsilon(message.epsilon_nano),
        series=_decode_series(message.series) if message.HasField("series") else None,
    )


def _check_round_size(serialised: bytes) -> None:
    if len(serialised) > MAXIMUM_ROUND:
        raise ContractError(
            "round",
            f"has {len(serialised)} bytes",
            f"At most {MAXIMUM_ROUND} fit into a message: shorten the code lists",
        )


def _encode_series(series: Series) -> round_pb2.Series:
    return round_pb2.Series(
        series_id=series.series_id,
        position=series.position,
        length=series.length,
        event_attribute=series.event.attribute,
        event_codes=series.event.codes,
        ends_at=series.ends_at,
        counting_digest=series.counting_digest or b"",
    )


def _decode_series(message: round_pb2.Series) -> Series:
    return Series(
        series_id=message.series_id,
        position=message.position,
        length=message.length,
        event=SeriesEvent(message.event_attribute, tuple(message.event_codes)),
        ends_at=message.ends_at,
        counting_digest=message.counting_digest or None,
    )


def _encode_workload(workload: Workload) -> workload_pb2.Workload:
    return workload_pb2.Workload(
        attributes=[_encode_attribute(workload, attribute) for attribute in workload.attributes],
        marginals=[
            workload_pb2.Marginal(attributes=marginal.attributes, weight=marginal.weight)
            for marginal in workload.marginals
        ],
    )


def _encode_attribute(workload: Workload, attribute: Attribute) -> workload_pb2.Attribute:
    def parents(codes: tuple[str, ...], council: GssCode | None) -> list[int]:
        if not attribute.within:
            return []
        above = workload.attribute(attribute.within)
        listed = above.codes or (above.by_council.get(council, ()) if council else ())
        place = {code: at for at, code in enumerate(listed)}
        return [place[attribute.parents[code]] for code in codes]

    return workload_pb2.Attribute(
        name=attribute.name,
        codes=attribute.codes,
        by_council=[
            workload_pb2.CouncilCodes(council=council, codes=codes, parents=parents(codes, council))
            for council, codes in sorted(attribute.by_council.items())
        ],
        others=attribute.others,
        within=attribute.within,
        parents=parents(attribute.codes, None),
    )


def _decode_workload(message: workload_pb2.Workload, invited: Mapping[str, GssCode]) -> Workload:
    lists = {
        (attribute.name, entry.council): tuple(entry.codes)
        for attribute in message.attributes
        for entry in attribute.by_council
    } | {(attribute.name, ""): tuple(attribute.codes) for attribute in message.attributes}
    return Workload(
        tuple(_decode_attribute(attribute, lists, invited) for attribute in message.attributes),
        tuple(
            Marginal(tuple(marginal.attributes), marginal.weight) for marginal in message.marginals
        ),
    )


def _decode_attribute(
    message: workload_pb2.Attribute,
    lists: Mapping[tuple[str, str], tuple[str, ...]],
    invited: Mapping[str, GssCode],
) -> Attribute:
    where = f"attribute {message.name[:40]}"
    by_council: dict[GssCode, tuple[str, ...]] = {}
    parents: dict[str, str] = {}

    def read_parents(codes: tuple[str, ...], numbers: Sequence[int], council: str) -> None:
        above = lists.get((message.within, "")) or lists.get((message.within, council), ())
        if len(numbers) != (len(codes) if message.within else 0):
            raise ContractError(
                f"{where}: parents", f"are {len(numbers)} for {len(codes)} codes", "Give one each"
            )
        for code, number in zip(codes, numbers, strict=False):
            if number >= len(above):
                raise ContractError(
                    f"{where}: parents",
                    f"{number} is not a code of {message.within[:40]!r}",
                    "Give the index of a code of the attribute above",
                )
            parents[code] = above[number]

    for entry in message.by_council:
        # A code that was checked once: a round may name each council for each attribute.
        council = invited.get(entry.council) or GssCode(entry.council, f"{where}: council")
        if council in by_council:
            raise ContractError(
                where, f"has two code lists of {council}", "Give one for each council"
            )
        by_council[council] = tuple(entry.codes)
        read_parents(tuple(entry.codes), entry.parents, entry.council)
    read_parents(tuple(message.codes), message.parents, "")
    return Attribute(
        name=message.name,
        codes=tuple(message.codes),
        by_council=by_council,
        others=message.others,
        within=message.within,
        parents=parents,
    )


def _refuse_unknown_fields(message: Message) -> None:
    """A field that this version does not know could change what a signed round means."""
    if len(UnknownFieldSet(message)):
        raise ContractError(
            message.DESCRIPTOR.name.lower(),
            "has a field that this version does not know",
            "Upgrade folkmoot-node",
        )
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else (value,):
                _refuse_unknown_fields(part)
