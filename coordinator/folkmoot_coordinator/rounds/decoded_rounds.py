"""Signed rounds, decoded and checked once for each process.

Checking a round of 400 councils takes tens of milliseconds, and its bytes never change, so what
was decoded is kept under the bytes' digest. Memory is bounded: what has not been asked for
longest is forgotten first, and decoded again when it is asked for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.round_codec import decode_round
from folkmoot.rounds import Round, round_digest

MAX_ROUNDS = 16
"""Most rounds kept."""
MAX_BYTES = 8_000_000
"""Most bytes of the serialised rounds kept, together; decoded they take about six times as much
memory besides. One round is at most 3.9 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedRound:
    """A round, and what follows from it alone.

    Attributes:
        round_: The question, checked.
        serialised: The bytes that were signed.
        digest: Their SHA-256, 32 bytes.
    """

    round_: Round
    serialised: bytes
    digest: bytes
    _rows: dict[GssCode, int] = field(default_factory=dict, init=False, repr=False)

    def rows(self, council: GssCode) -> int:
        """Number of whole numbers that an invited council releases; planned once."""
        found = self._rows.get(council)
        if found is None:
            found = self._rows[council] = self.round_.plan(council).rows
        return found


class DecodedRounds:
    """The rounds that were decoded last, by digest. Threads may share it.

    Args:
        max_rounds: Most rounds to keep.
        max_bytes: Most bytes of their serialised form to keep; the round decoded last is
            kept even if it alone has more.
    """

    def __init__(self, max_rounds: int = MAX_ROUNDS, max_bytes: int = MAX_BYTES) -> None:
        self._max_rounds = max_rounds
        self._max_bytes = max_bytes
        self._kept: OrderedDict[bytes, DecodedRound] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def decode(self, serialised: bytes) -> DecodedRound:
        """The round of these bytes.

        Raises:
            ContractError: If they are not a well-formed round.
        """
        return self.find(round_digest(serialised), lambda: serialised)

    def find(self, digest: bytes, read: Callable[[], bytes]) -> DecodedRound:
        """The round whose bytes have a digest; the bytes are read only if it is not known.

        Other threads wait meanwhile, so that none decodes the same round again.

        Args:
            digest: SHA-256 of the serialised round, 32 bytes.
            read: Reads the serialised round.

        Raises:
            ContractError: If the bytes have another digest or are not a well-formed round.
        """
        with self._lock:
            known = self._kept.get(digest)
            if known is not None:
                self._kept.move_to_end(digest)
                return known
            serialised = read()
            if round_digest(serialised) != digest:
                raise ContractError(
                    "round", "does not have the digest noted beside it", "Restore it"
                )
            found = DecodedRound(decode_round(serialised), serialised, digest)
            self._kept[digest] = found
            self._bytes += len(serialised)
            while len(self._kept) > 1 and (
                len(self._kept) > self._max_rounds or self._bytes > self._max_bytes
            ):
                _, forgotten = self._kept.popitem(last=False)
                self._bytes -= len(forgotten.serialised)
            return found


DECODED_ROUNDS = DecodedRounds()
"""Those of this process."""
