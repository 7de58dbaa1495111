"""Noisy counts, the only data a council lets out, and the answer that carries them."""

from __future__ import annotations

import hashlib
import sys
from array import array
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.rounds import Mechanism, check_digest, check_round_id
from folkmoot.series import SeriesRow

_DIGEST_DOMAIN = b"folkmoot.v1.Release\0"
_INT64 = 8


class NoisyCounts:
    """Differentially private counts of households, int64, in the cell order of the round.

    On a node, only `folkmoot_node.release.mechanism` makes one, from an OpenDP measurement; on a
    coordinator, only `answer_codec` does, from a submission.
    """

    __slots__ = ("_values",)

    def __init__(self, values: array[int]) -> None:
        if values.typecode != "q" or values.itemsize != _INT64:
            raise ContractError("noisy counts", "are not 64-bit integers", "Use array('q')")
        self._values = values

    @property
    def values(self) -> memoryview:
        """Read-only view of the counts, format `q`, shape (cells,)."""
        return memoryview(self._values).toreadonly()

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoisyCounts) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"NoisyCounts({len(self)} cells)"

    def little_endian(self) -> bytes:
        """The counts as little-endian int64 bytes."""
        if sys.byteorder == "little":
            return self._values.tobytes()
        swapped = array("q", self._values)
        swapped.byteswap()
        return swapped.tobytes()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("noisy counts travel through folkmoot.answer_codec, not pickle")


@dataclass(frozen=True, slots=True)
class Release:
    """A council's answer to a round.

    Attributes:
        round_id: Round answered.
        round_digest: SHA-256 of the serialised round, 32 bytes.
        council: Who releases.
        mechanism: Noise-adding mechanism used.
        loss: zCDP loss debited.
        ledger_entry: Hash of the ledger entry that paid, 32 bytes.
        counts: Noisy counts of all marginals, one after the other.
        row: What it measures of a series; None for a round that is in none.
        as_of: Reference date of the scores that were counted; None where it is not stated.
    """

    round_id: str
    round_digest: bytes
    council: GssCode
    mechanism: Mechanism
    loss: Rho
    ledger_entry: bytes
    counts: NoisyCounts
    row: SeriesRow | None = None
    as_of: date | None = None

    def __post_init__(self) -> None:
        check_round_id(self.round_id, "release.round_id")
        check_digest(self.round_digest, "release.round_digest")
        check_digest(self.ledger_entry, "release.ledger_entry")
        if self.loss.nano == 0:
            raise ContractError("release.loss", "is zero", "A release always has a loss")
        if len(self.counts) == 0:
            raise ContractError("release.counts", "are empty", "Release at least one cell")


def release_digest(release: Release) -> bytes:
    """SHA-256 over all that a release says, whatever its encoding: 32 bytes.

    The digest covers the domain separator, then each header field as length (4 bytes,
    big-endian) and content, then the counts as little-endian int64. Step and cohort are
    among the fields only in a series, and the date of the scores only where it is stated.
    """
    row = release.row
    digest = hashlib.sha256(_DIGEST_DOMAIN)
    for part in (
        release.round_id.encode(),
        release.round_digest,
        release.council.encode(),
        int(release.mechanism).to_bytes(4, "big"),
        release.loss.nano.to_bytes(8, "big"),
        release.ledger_entry,
        len(release.counts).to_bytes(8, "big"),
        *((row.step.to_bytes(4, "big"), row.cohort.to_bytes(4, "big")) if row else ()),
        *((release.as_of.isoformat().encode(),) if release.as_of else ()),
    ):
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    digest.update(release.counts.little_endian())
    return digest.digest()
