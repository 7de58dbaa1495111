"""The egress log: every message that leaves the node, recorded before it is sent.

The first of the same messages in a day (UTC) is an entry of the log's chain. How often it left
again is counted beside the chain, before each time, and becomes an entry when the day is over: a
node that visits the coordinator twice a minute, and finds nothing, adds a few entries a day.
Entries about such visits may be pruned after a while; those about answers, enrolments and
catalogues are kept.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from folkmoot_node.evidence.database import Clock, StateDatabase
from folkmoot_operator.hash_chain import Entry, Head

AGAIN = "sent again"
"""`action` of an entry that says how often a message left again in a day."""
_DAY = 86_400
_VISITS = tuple(
    f"/folkmoot.v1.CollectionService/{name}" for name in ("Negotiate", "ListReceipts", "ListRounds")
)
"""Methods that ask, and say nothing but which answers the node has."""
MIN_PRUNED = 1_000
"""Entries that are pruned at once at least."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A message, or the stream of messages of one call, that was handed to the network.

    Attributes:
        at: Seconds since 1970-01-01T00:00:00Z; of the first of its day, if it left again.
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


@dataclass(frozen=True, slots=True)
class DayOfDepartures:
    """How often the same message left in a day.

    Attributes:
        departure: The first.
        times: How often, from 1.
        last_at: When it left last, seconds since 1970-01-01T00:00:00Z.
    """

    departure: Departure
    times: int
    last_at: int


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
        now = self._clock()
        which = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
        with self._state.transaction() as connection:
            self._end_other_days(connection, now)
            counted = connection.execute(
                "UPDATE egress_today SET again = again + 1, last_at = ? WHERE message = ?",
                (now, which),
            )
            if not counted.rowcount:
                entry = self._chain.append(connection, now, body)
                connection.execute(
                    "INSERT INTO egress_today VALUES (?, ?, ?, 0, ?)",
                    (which, entry.sequence, now // _DAY, now),
                )

    def _end_other_days(self, connection: sqlite3.Connection, now: int) -> None:
        """Enters what was counted on another day, and begins to count this one."""
        counted = connection.execute(
            "SELECT entry, again, last_at FROM egress_today WHERE day != ? AND again > 0 "
            "ORDER BY entry",
            (now // _DAY,),
        ).fetchall()
        for entry, again, last_at in counted:
            body = {"action": AGAIN, "entry": entry, "times": again, "last_at": last_at}
            self._chain.append(connection, now, body)
        connection.execute("DELETE FROM egress_today WHERE day != ?", (now // _DAY,))

    def days(self) -> Iterator[DayOfDepartures]:
        """What left, oldest first; the same message of one day once."""
        again = {
            entry.body["entry"]: (entry.body["times"], entry.body["last_at"])
            for entry in self._chain.entries((AGAIN,))
        }
        today = self._state.reader.execute("SELECT entry, again, last_at FROM egress_today")
        again |= {entry: (times, last_at) for entry, times, last_at in today.fetchall() if times}
        for entry in self._chain.entries():
            if "action" not in entry.body:
                times, last_at = again.get(entry.sequence, (0, entry.at))
                yield DayOfDepartures(_departure(entry), 1 + times, last_at)

    def departures(self) -> Iterator[Departure]:
        """Every time that something left, the first of each day in order."""
        for day in self.days():
            yield from repeat(day.departure, day.times)

    def prune(self, before: int, kept: Collection[int], rule: str) -> int:
        """Deletes old entries about visits at which nothing was answered, if they are many.

        Args:
            before: Entries are old that were made before, seconds since 1970-01-01T00:00:00Z.
            kept: Numbers of entries that something else refers to.
            rule: By which rule, for people.

        Returns:
            Number of entries that were deleted.
        """
        with self._state.transaction() as connection:
            rows = connection.execute(
                "WITH visits AS (SELECT sequence FROM egress WHERE at < :before "  # noqa: S608
                f"AND json_extract(body, '$.method') IN ({', '.join(map(repr, _VISITS))})) "
                "SELECT sequence FROM visits UNION SELECT sequence FROM egress "
                "WHERE at < :before AND (json_extract(body, '$.action') = :again "
                "AND json_extract(body, '$.entry') IN visits) ORDER BY sequence",
                {"before": before, "again": AGAIN},
            ).fetchall()
            newest = self._chain.head().length
            old = [which for (which,) in rows if which not in kept and which != newest]
            if len(old) < MIN_PRUNED:
                return 0
            self._chain.prune(connection, self._clock(), old, rule)
        return len(old)

    def verify(self) -> Head:
        """Recomputes the chain; raises Problem if it is broken."""
        return self._chain.verify()


def _departure(entry: Entry) -> Departure:
    fields: dict[str, Any] = dict(entry.body)
    return Departure(at=entry.at, sha256=bytes.fromhex(fields.pop("sha256")), **fields)
