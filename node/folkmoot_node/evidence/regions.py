"""The regions that a node has joined, by its logs: whose signatures its evidence may have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from folkmoot_node.evidence.database import StateDatabase

JOINED = "region joined"
"""Action of the audit log."""
_ENROLLED = "%/Enrol"


def joined_body(region: str, signing_key: bytes) -> dict[str, str]:
    """The entry of the audit log by which a node has joined a region.

    Args:
        region: Its name, as the invitation has it.
        signing_key: The coordinator's Ed25519 public key, 32 bytes.
    """
    return {"action": JOINED, "region": region, "signing_key": signing_key.hex()}


@dataclass(frozen=True, slots=True)
class Regions:
    """Whose signatures the evidence of a node may have.

    Attributes:
        keys: Ed25519 public keys of coordinators, 32 bytes each: today's, then those on record.
        recorded: The key of the region joined last, by the audit log; None if it has none.
        current: Today's key, from its file; None if the node has none.
        unrecorded_until: What came before this moment may be of a region whose key is not on
            record: an earlier version did not record them. Zero if there is no such region.
    """

    keys: tuple[bytes, ...]
    recorded: bytes | None
    current: bytes | None
    unrecorded_until: int

    @classmethod
    def of(cls, state: StateDatabase, current: bytes | None) -> Regions:
        """By the logs of a node, and the key in its folder."""
        joined = [
            (entry.at, bytes.fromhex(entry.body["signing_key"]))
            for entry in state.chain("audit").entries((JOINED,))
        ]
        on_record = [key for _, key in joined]
        first = min((at for at, _ in joined), default=None)
        # Each attempt is in the egress log. A node that has asked one region alone was in no other.
        enrolled = [
            at
            for (at,) in state.reader.execute(
                "SELECT min(at) FROM egress WHERE json_extract(body, '$.method') LIKE ? "
                "GROUP BY json_extract(body, '$.destination') ORDER BY min(at)",
                (_ENROLLED,),
            )
        ]
        before = [at for at in enrolled if first is None or at <= first]
        keys = dict.fromkeys([*([current] if current else []), *reversed(on_record)])
        return cls(
            tuple(keys),
            on_record[-1] if on_record else None,
            current,
            before[-1] if len(before) > 1 else 0,
        )

    def may_be_of_another(self, at: int) -> bool:
        """True of what came so early that the key of the region of that time is not on record."""
        return at < self.unrecorded_until

    def faults(self) -> Iterator[str]:
        """What is wrong with today's key, as sentences."""
        if self.recorded is not None and self.current != self.recorded:
            yield (
                "keys/coordinator-signing.pub is not the key of the region that this node joined "
                "last, by its audit log"
            )
