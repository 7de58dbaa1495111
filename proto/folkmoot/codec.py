"""The one place where domain types become wire messages and back.

Every function that reads a message raises ContractError if a field is missing, out of
range or inconsistent; nothing unvalidated gets past this module.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from folkmoot.catalogue import MAXIMUM_CATALOGUE, Catalogue, PluginVersion
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Epsilon, Rho
from folkmoot.receipt import MAXIMUM_RECEIPT, Receipt
from folkmoot.refusal import Refusal, RefusalReason
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.release import NoisyCounts, Release, release_digest
from folkmoot.rounds import MAXIMUM_ROUND, Mechanism, Round, check_number_of_councils
from folkmoot.series import Series, SeriesEvent, SeriesRow
from folkmoot.v1 import (
    catalogue_pb2,
    collection_pb2,
    privacy_pb2,
    rejection_pb2,
    release_pb2,
    round_pb2,
    version_pb2,
    workload_pb2,
)
from folkmoot.versions import SPOKEN, UpgradeSide, VersionRange
from folkmoot.workload import Attribute, Marginal, Workload, check_counts

_SERIES_DOMAIN = b"folkmoot.v1.Series\0"
CELLS_PER_CHUNK = 65_536
"""Cells in one message: at most ten bytes each, far below gRPC's 4 MiB default."""


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
    _parse(message, serialised, "round")
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
        mechanism=_mechanism(message.mechanism, "round.mechanism"),
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


def encode_release(release: Release, protocol: int) -> Iterator[collection_pb2.SubmitRequest]:
    """The messages of a submission, in order: a header, then chunks of cells."""
    yield collection_pb2.SubmitRequest(
        header=release_pb2.ReleaseHeader(
            protocol=protocol,
            round_id=release.round_id,
            round_digest=release.round_digest,
            council=release.council,
            mechanism=privacy_pb2.Mechanism.ValueType(release.mechanism),
            loss=privacy_pb2.PrivacyLoss(rho_nano=release.loss.nano),
            cells=len(release.counts),
            release_digest=release_digest(release),
            ledger_entry=release.ledger_entry,
            series_step=release.row.step if release.row else 0,
            series_cohort=release.row.cohort if release.row else 0,
            scores_day=release.as_of.toordinal() if release.as_of else 0,
        )
    )
    values = release.counts.values
    for first in range(0, len(values), CELLS_PER_CHUNK):
        yield collection_pb2.SubmitRequest(
            cells=release_pb2.CellChunk(
                first_cell=first, values=values[first : first + CELLS_PER_CHUNK].tolist()
            )
        )


def decode_header(part: collection_pb2.SubmitRequest) -> release_pb2.ReleaseHeader:
    """The header of a submission, from its first message.

    Raises:
        Rejected: If the first message is not a header.
    """
    if part.WhichOneof("part") != "header":
        raise _malformed("submission", "does not begin with a header")
    return part.header


def _as_int64(values: Sequence[int]) -> bytes:
    return array("q", values).tobytes()


def decode_release(
    header: release_pb2.ReleaseHeader,
    parts: Iterable[collection_pb2.SubmitRequest],
    expected_cells: int,
    as_int64: Callable[[Sequence[int]], bytes] = _as_int64,
) -> Release:
    """Reads the cells that follow a header, and checks them against it.

    Memory is bounded by `expected_cells`, whatever the peer sends.

    Args:
        header: From `decode_header`.
        parts: The remaining messages of the stream.
        expected_cells: Number of cells the round has for this council.
        as_int64: Turns the values of a chunk into int64 in the machine's byte order; for
            callers that have a faster way than an `array`.

    Raises:
        Rejected: TRUNCATED, OVERSIZED, ALTERED or MALFORMED.
    """
    reader = ReleaseReader(header, expected_cells, as_int64)
    for part in parts:
        reader.add(part)
    return reader.finish()


class ReleaseReader:
    """A release that is read as its messages come. Memory is bounded by the expected cells."""

    def __init__(
        self,
        header: release_pb2.ReleaseHeader,
        expected_cells: int,
        as_int64: Callable[[Sequence[int]], bytes] = _as_int64,
    ) -> None:
        """Arguments as of `decode_release`, which raises the same."""
        if header.cells > expected_cells:
            raise _rejected(
                RejectionReason.OVERSIZED,
                f"the header announces {header.cells} cells; the round has {expected_cells}",
            )
        if header.cells < expected_cells:
            raise _rejected(
                RejectionReason.TRUNCATED,
                f"the header announces {header.cells} cells; the round has {expected_cells}",
            )
        self._header = header
        self._expected = expected_cells
        self._as_int64 = as_int64
        self._values = array("q")

    def add(self, part: collection_pb2.SubmitRequest) -> None:
        """Takes the next cells.

        Raises:
            Rejected: TRUNCATED, OVERSIZED or MALFORMED.
        """
        if part.WhichOneof("part") != "cells":
            raise _malformed("submission", "has a second header or an empty part")
        chunk, held = part.cells, len(self._values)
        if chunk.first_cell != held or not chunk.values:
            raise _rejected(
                RejectionReason.OVERSIZED if chunk.first_cell < held else RejectionReason.TRUNCATED,
                f"a chunk begins at cell {chunk.first_cell}; {held} was expected",
            )
        if held + len(chunk.values) > self._expected:
            raise _rejected(
                RejectionReason.OVERSIZED, f"more cells than the round's {self._expected}"
            )
        self._values.frombytes(self._as_int64(chunk.values))

    def finish(self) -> Release:
        """The release, when all its cells have come.

        Raises:
            Rejected: TRUNCATED, ALTERED or MALFORMED.
        """
        header, values = self._header, self._values
        if len(values) != self._expected:
            raise _rejected(
                RejectionReason.TRUNCATED,
                f"the stream ended after {len(values)} of {self._expected} cells",
            )
        try:
            release = Release(
                round_id=header.round_id,
                round_digest=header.round_digest,
                council=GssCode(header.council, "release.council"),
                mechanism=_mechanism(header.mechanism, "release.mechanism"),
                loss=Rho(header.loss.rho_nano),
                ledger_entry=header.ledger_entry,
                counts=NoisyCounts(values),
                row=_row(header),
                as_of=_scores_date(header),
            )
        except ContractError as error:
            raise _rejected(RejectionReason.MALFORMED, str(error)) from error
        if release_digest(release) != header.release_digest:
            raise _rejected(
                RejectionReason.ALTERED,
                "the cells do not have the digest that the header announced",
            )
        return release


def _row(header: release_pb2.ReleaseHeader) -> SeriesRow | None:
    if header.series_step == header.series_cohort == 0:
        return None
    return SeriesRow(header.series_step, header.series_cohort)


def _scores_date(header: release_pb2.ReleaseHeader) -> date | None:
    if header.scores_day == 0:
        return None
    return _day(header.scores_day, "release.scores_day")


def _day(number: int, where: str) -> date:
    try:
        return date.fromordinal(number)
    except (ValueError, OverflowError):
        problem = "is after the year 9999" if number else "is missing"
        raise ContractError(where, problem, "Count days from 0001-01-01") from None


def encode_refusal(refusal: Refusal, protocol: int) -> release_pb2.Refusal:
    """A refusal as it is sent."""
    return release_pb2.Refusal(
        protocol=protocol,
        round_id=refusal.round_id,
        round_digest=refusal.round_digest,
        council=refusal.council,
        reason=release_pb2.RefusalReason.ValueType(refusal.reason),
        attribute_number=refusal.attribute_number,
    )


def decode_refusal(message: release_pb2.Refusal) -> Refusal:
    """Reads a refusal; raises ContractError if it is not well formed."""
    if message.reason not in RefusalReason._value2member_map_:
        raise ContractError(
            "refusal.reason", f"{message.reason} is unknown", "Upgrade the coordinator"
        )
    return Refusal(
        round_id=message.round_id,
        round_digest=message.round_digest,
        council=GssCode(message.council, "refusal.council"),
        reason=RefusalReason(message.reason),
        attribute_number=message.attribute_number,
    )


def encode_receipt(receipt: Receipt) -> bytes:
    """Serialises a receipt; these bytes are what is signed and kept."""
    return release_pb2.Receipt(
        round_id=receipt.round_id,
        council=receipt.council,
        answer_digest=receipt.answer_digest,
        received_at=receipt.received_at,
        round_digest=receipt.round_digest,
        loss=privacy_pb2.PrivacyLoss(rho_nano=receipt.loss.nano) if receipt.is_release else None,
        ledger_entry=receipt.ledger_entry or b"",
    ).SerializeToString(deterministic=True)


def decode_receipt(serialised: bytes) -> Receipt:
    """Reads a serialised receipt; raises ContractError if it is not well formed.

    Fields that this version does not know are passed over, as far as there is room for them.
    """
    if len(serialised) > MAXIMUM_RECEIPT:
        raise ContractError(
            "receipt", f"has {len(serialised)} bytes", f"A receipt has at most {MAXIMUM_RECEIPT}"
        )
    message = release_pb2.Receipt()
    _parse(message, serialised, "receipt")
    return Receipt(
        round_id=message.round_id,
        council=GssCode(message.council, "receipt.council"),
        answer_digest=message.answer_digest,
        received_at=message.received_at,
        round_digest=message.round_digest,
        loss=Rho(message.loss.rho_nano),
        ledger_entry=message.ledger_entry or None,
    )


def encode_catalogue(catalogue: Catalogue) -> bytes:
    """Serialises a catalogue; these bytes are what is signed, sent and kept."""

    def loss(rho: Rho) -> privacy_pb2.PrivacyLoss:
        return privacy_pb2.PrivacyLoss(rho_nano=rho.nano)

    return catalogue_pb2.Catalogue(
        council=catalogue.council,
        attributes=[
            catalogue_pb2.CatalogueAttribute(
                name=name, codes=codes, area_type=catalogue.area_types.get(name, "")
            )
            for name, codes in sorted(catalogue.attributes.items())
        ],
        purposes=sorted(catalogue.purposes),
        mechanisms=[privacy_pb2.Mechanism.ValueType(one) for one in sorted(catalogue.mechanisms)],
        plugins=[
            catalogue_pb2.CataloguePlugin(name=one.name, version=one.version)
            for one in sorted(catalogue.plugins)
        ],
        per_round=loss(catalogue.per_round),
        per_period=loss(catalogue.per_period),
        lifetime=loss(catalogue.lifetime),
        per_series=loss(catalogue.per_series) if catalogue.per_series is not None else None,
        sunset_day=catalogue.sunset.toordinal(),
        policy_key=catalogue.policy_key,
    ).SerializeToString(deterministic=True)


def decode_catalogue(serialised: bytes) -> Catalogue:
    """Reads a serialised catalogue; raises ContractError if it is not well formed.

    Fields that this version does not know are passed over: nothing is decided by a catalogue.
    """
    if len(serialised) > MAXIMUM_CATALOGUE:
        raise ContractError(
            "catalogue", f"has more than {MAXIMUM_CATALOGUE} bytes", "Offer fewer codes"
        )
    message = catalogue_pb2.Catalogue()
    _parse(message, serialised, "catalogue")
    return Catalogue(
        council=GssCode(message.council, "catalogue.council"),
        attributes={one.name: tuple(one.codes) for one in message.attributes},
        purposes=frozenset(message.purposes),
        mechanisms=frozenset(_mechanism(one, "catalogue.mechanisms") for one in message.mechanisms),
        per_round=Rho(message.per_round.rho_nano),
        per_period=Rho(message.per_period.rho_nano),
        lifetime=Rho(message.lifetime.rho_nano),
        sunset=_day(message.sunset_day, "catalogue.sunset_day"),
        per_series=Rho(message.per_series.rho_nano) if message.HasField("per_series") else None,
        area_types={one.name: one.area_type for one in message.attributes if one.area_type},
        plugins=frozenset(PluginVersion(one.name, one.version) for one in message.plugins),
        policy_key=message.policy_key,
    )


def encode_rejection(rejection: Rejection) -> rejection_pb2.Rejection:
    """A rejection as it is sent."""
    return rejection_pb2.Rejection(
        reason=rejection_pb2.RejectionReason.ValueType(rejection.reason),
        detail=rejection.detail,
        upgrade=version_pb2.UpgradeSide.ValueType(rejection.upgrade),
        transient=rejection.transient,
    )


def decode_rejection(message: rejection_pb2.Rejection) -> Rejection:
    """Reads a rejection. A reason this program does not know counts as MALFORMED."""
    known = message.reason in RejectionReason._value2member_map_
    sided = message.upgrade in UpgradeSide._value2member_map_
    return Rejection(
        reason=RejectionReason(message.reason) if known else RejectionReason.MALFORMED,
        detail=message.detail,
        upgrade=UpgradeSide(message.upgrade) if sided else UpgradeSide.NEITHER,
        transient=message.transient,
    )


def encode_versions(versions: VersionRange = SPOKEN) -> version_pb2.VersionRange:
    """A range of wire versions as it is sent."""
    return version_pb2.VersionRange(oldest=versions.oldest, newest=versions.newest)


def decode_versions(message: version_pb2.VersionRange) -> VersionRange:
    """Reads a range of wire versions; raises ContractError if it is not one."""
    return VersionRange(message.oldest, message.newest)


def _parse(message: Message, serialised: bytes, where: str) -> None:
    try:
        message.ParseFromString(serialised)
    except DecodeError as error:
        raise ContractError(where, "is not a protobuf message", "Send it again") from error


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


def _mechanism(number: int, where: str) -> Mechanism:
    if number not in Mechanism._value2member_map_:
        raise ContractError(
            where,
            f"{number} is not a known mechanism",
            "Use the discrete Gaussian (1) or Laplace (2)",
        )
    return Mechanism(number)


def _rejected(reason: RejectionReason, detail: str) -> Rejected:
    return Rejected(Rejection(reason, detail))


def _malformed(where: str, problem: str) -> Rejected:
    return _rejected(RejectionReason.MALFORMED, f"{where} {problem}")
