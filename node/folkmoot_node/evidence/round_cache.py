"""What one process has verified and decoded of the rounds that its node keeps."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from folkmoot import round_codec
from folkmoot.errors import ContractError
from folkmoot.rounds import Round

MAX_COUNT = 64
"""Decoded rounds that are held."""
MAX_BYTES = 2**20
"""Bytes of the rounds that are held, as serialised. Decoded they take up to forty times that."""
MAX_MALFORMED = 10_000
"""Rounds that are remembered as not well formed, by their digests."""


class RoundCache:
    """Rounds by the digest of their signed bytes, so that nothing in it can be out of date."""

    def __init__(self, max_count: int = MAX_COUNT, max_bytes: int = MAX_BYTES) -> None:
        """Begins empty.

        Args:
            max_count: Decoded rounds to hold at most.
            max_bytes: Bytes of them, as serialised, at most.
        """
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._decoded: OrderedDict[bytes, tuple[Round, int]] = OrderedDict()
        self._bytes = 0
        self._genuine: dict[tuple[bytes, bytes, bytes], bool] = {}
        self._malformed: OrderedDict[bytes, tuple[str, str, str]] = OrderedDict()

    def is_genuine(
        self, key: bytes, digest: bytes, signature: bytes, verify: Callable[[], bool]
    ) -> bool:
        """True if a signature holds; verified once.

        Args:
            key: The public key, 32 bytes.
            digest: SHA-256 of what is signed, 32 bytes.
            signature: The signature, 64 bytes.
            verify: Verifies it.
        """
        which = (key, digest, signature)
        if which not in self._genuine:
            self._genuine[which] = verify()
        return self._genuine[which]

    def note_genuine(self, key: bytes, digest: bytes, signature: bytes) -> None:
        """Remembers a signature that was verified elsewhere; see `is_genuine`."""
        self._genuine[key, digest, signature] = True

    def is_malformed(self, digest: bytes) -> bool:
        """True if a round was found not to be well formed."""
        return digest in self._malformed

    def decoded(self, digest: bytes, read: Callable[[], bytes]) -> Round:
        """A round, decoded now or earlier.

        Args:
            digest: SHA-256 of the serialised round, 32 bytes.
            read: Gives the serialised round.

        Raises:
            ContractError: If it is not well formed; found once.
        """
        held = self._decoded.get(digest)
        if held is not None:
            self._decoded.move_to_end(digest)
            return held[0]
        if self.is_malformed(digest):
            raise ContractError(*self._malformed[digest])
        serialised = read()
        try:
            round_ = round_codec.decode_round(serialised)
        except ContractError as error:
            self._malformed[digest] = (error.where, error.problem, error.remedy)
            if len(self._malformed) > MAX_MALFORMED:
                self._malformed.popitem(last=False)
            raise
        if len(serialised) > self._max_bytes:
            return round_
        self._decoded[digest] = (round_, len(serialised))
        self._bytes += len(serialised)
        while len(self._decoded) > self._max_count or self._bytes > self._max_bytes:
            _, (_, size) = self._decoded.popitem(last=False)
            self._bytes -= size
        return round_
