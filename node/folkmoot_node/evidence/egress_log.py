"""The egress log: every message that leaves the node, recorded before it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from folkmoot_node.evidence.database import Clock, StateDatabase
from folkmoot_operator.hash_chain import Head


@dataclass(frozen=True, slots=True)
class Departure:
    """A message, or the stream of messages of one call, that was handed to the network.

    Attributes:
        at: Seconds since 1970-01-01T00:00:00Z.
        method: gRPC method.
        destination: Address of the coordinator.
        round_id: Round concerned, or empty.
        messages: Number of messages.
        size: Bytes of all messages, before TLS.
        sha256: SHA-256 of all messages one after the other, 32 bytes.
    """

    at: int
    method: str
    destination: str
    round_id: str
    messages: int
    size: int
    sha256: bytes


class EgressLog:
    """The egress log of one node."""

    def __init__(self, state: StateDatabase, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._chain = state.chain("egress")

    def record(
        self, method: str, destination: str, messages: tuple[bytes, ...], round_id: str = ""
    ) -> None:
        """Records a call that is about to be made. Durable when it returns."""
        digest = hashlib.sha256()
        for message in messages:
            digest.update(message)
        body = {
            "method": method,
            "destination": destination,
            "round_id": round_id,
            "messages": len(messages),
            "size": sum(map(len, messages)),
            "sha256": digest.hexdigest(),
        }
        with self._state.transaction() as connection:
            self._chain.append(connection, self._clock(), body)

    def departures(self) -> Iterator[Departure]:
        """All records, oldest first."""
        for entry in self._chain.entries():
            fields = dict(entry.body)
            yield Departure(at=entry.at, sha256=bytes.fromhex(fields.pop("sha256")), **fields)

    def verify(self) -> Head:
        """Recomputes the chain; raises Problem if it is broken."""
        return self._chain.verify()
