"""The regions that a node has joined, by its logs: whose signatures its evidence may have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from folkmoot_node.evidence.database import StateDatabase

JOINED = "region joined"
"""Action of the audit log."""
_ENROLLED = "%/Enrol"


def joined_body(region: str, signing_key: bytes, before: bytes | None) -> dict[str, str]:
    """The entry of the audit log by which a node has joined a region.

    Args:
        region: Its name, as the invitation has it.
        signing_key: The coordinator's Ed25519 public key, 32 bytes.
        before: The key of the region in which the node was before; None if it was in none.
    """
    key_before = {"key_before": before.hex()} if before else {}
    return {"action": JOINED, "region": region, "signing_key": signing_key.hex(), **key_before}


@dataclass(frozen=True, slots=True)
class Regions:
    """Whose signatures the evidence of a node may have.

    Attributes:
        keys: Ed25519 public keys of coordinators, 32 bytes each: today's, then those on record.
        recorded: The key of the region joined last, by the audit log; None if it has none.
        current: Today's key, from its file; None if the node has none.
        unrecorded_until: What came before this moment may belong to a region whose key is not on
            record: an earlier version did not record them. Zero if there is no such region.
    """

    keys: tuple[bytes, ...]
    recorded: bytes | None
    current: bytes | None
    unrecorded_until: int

    @classmethod
    def of(cls, state: StateDatabase, current: bytes | None) -> Regions:
        """By the logs of a node, and the key in its folder."""
        joined = tuple(state.chain("audit").entries((JOINED,)))
        on_record = [
            bytes.fromhex(str(entry.body[name]))
            for entry in joined
            for name in ("key_before", "signing_key")
            if name in entry.body
        ]
        first = min((entry.at for entry in joined), default=None)
        # Regions of before the first entry whose keys are on record: its own, and the one left.
        known = 2 if joined and "key_before" in joined[0].body else 1
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
            before[-known] if len(before) > known else 0,
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
