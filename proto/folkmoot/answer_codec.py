"""What councils answer, as wire messages and back: releases, refusals and their receipts.

Every function that reads a message raises ContractError, or Rejected for a submission, if a field
is missing, out of range or inconsistent; nothing unvalidated gets past this module.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.receipt import MAXIMUM_RECEIPT, Receipt
from folkmoot.refusal import Refusal, RefusalReason
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.release import NoisyCounts, Release, release_digest
from folkmoot.series import SeriesRow
from folkmoot.v1 import collection_pb2, privacy_pb2, release_pb2
from folkmoot.wire_values import read_day, read_mechanism, read_message

CELLS_PER_CHUNK = 65_536
"""Cells in one message: at most ten bytes each, far below gRPC's 4 MiB default."""


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
                mechanism=read_mechanism(header.mechanism, "release.mechanism"),
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
    return read_day(header.scores_day, "release.scores_day")


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
    read_message(message, serialised, "receipt")
    return Receipt(
        round_id=message.round_id,
        council=GssCode(message.council, "receipt.council"),
        answer_digest=message.answer_digest,
        received_at=message.received_at,
        round_digest=message.round_digest,
        loss=Rho(message.loss.rho_nano),
        ledger_entry=message.ledger_entry or None,
    )


def _rejected(reason: RejectionReason, detail: str) -> Rejected:
    return Rejected(Rejection(reason, detail))


def _malformed(where: str, problem: str) -> Rejected:
    return _rejected(RejectionReason.MALFORMED, f"{where} {problem}")
