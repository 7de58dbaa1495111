"""The table of rounds: each as it was signed, beside the little of it that is needed often.

A round may have megabytes and take seconds to decode, and a node keeps every one. What it
looks at on each visit is therefore kept in columns, derived from the signed bytes in the
transaction that stores them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from folkmoot import round_codec
from folkmoot.errors import ContractError
from folkmoot.privacy import Rho
from folkmoot.rounds import Round, round_digest
from folkmoot_operator.problems import ExitCode, Problem


@dataclass(frozen=True, slots=True)
class SeriesPlace:
    """The place of a round in a series.

    Attributes:
        series_id: 32 hexadecimal digits.
        position: Number of the round, from 1.
        length: Number of rounds planned.
        ends_at: No round of the series has a later deadline; seconds since
            1970-01-01T00:00:00Z.
        definition: `round_codec.series_digest` of the round, 32 bytes.
    """

    series_id: str
    position: int
    length: int
    ends_at: int
    definition: bytes


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """What is kept of a round beside its signed bytes.

    Attributes:
        title: For people.
        purpose: Identifier that the release policy permits or not.
        loss: zCDP loss of the round, or of the whole series.
        deadline: Seconds since 1970-01-01T00:00:00Z.
        series: Its place in a series, or None.
    """

    title: str
    purpose: str
    loss: Rho
    deadline: int
    series: SeriesPlace | None

    @classmethod
    def of(cls, round_: Round) -> RoundFacts:
        """The facts of a decoded round."""
        series, place = round_.series, None
        if series is not None:
            place = SeriesPlace(
                series.series_id,
                series.position,
                series.length,
                series.ends_at,
                round_codec.series_digest(round_),
            )
        return cls(round_.title, round_.purpose, round_.loss, round_.deadline, place)

    @classmethod
    def of_columns(cls, columns: tuple[Any, ...]) -> RoundFacts:
        """The facts as `FACTS` selects them."""
        title, purpose, rho_nano, deadline, series_id, *place = columns
        series = None if series_id is None else SeriesPlace(series_id, *place)
        return cls(title, purpose, Rho(rho_nano), deadline, series)

    @property
    def columns(self) -> tuple[Any, ...]:
        """The facts in the order of `FACTS`."""
        place = self.series
        return (
            *(self.title, self.purpose, self.loss.nano, self.deadline),
            *(
                (place.series_id, place.position, place.length, place.ends_at, place.definition)
                if place
                else (None,) * 5
            ),
        )


FACTS = (
    "title, purpose, rho_nano, deadline, "
    "series_id, series_position, series_length, series_ends_at, series_digest"
)
"""Columns of `RoundFacts`."""


def insert(
    connection: sqlite3.Connection,
    round_: Round,
    serialised: bytes,
    signature: bytes,
    first_seen: int,
) -> None:
    """Adds a round, unless one of that id is there."""
    facts = RoundFacts.of(round_).columns
    connection.execute(
        f"INSERT INTO rounds (round_id, round_digest, signature, first_seen, {FACTS}, serialised) "  # noqa: S608
        f"VALUES (?, ?, ?, ?{', ?' * len(facts)}, ?) ON CONFLICT DO NOTHING",
        (round_.round_id, round_digest(serialised), signature, first_seen, *facts, serialised),
    )


def forget_unanswered(connection: sqlite3.Connection, before: int) -> int:
    """Deletes rounds that came to nothing, inside the caller's transaction.

    That are rounds without an answer, a decision or a debit, which are in no series.

    Args:
        connection: The connection of the transaction.
        before: Rounds are deleted whose deadline was before; seconds since
            1970-01-01T00:00:00Z.

    Returns:
        Number of rounds that were deleted.
    """
    return connection.execute(
        "DELETE FROM rounds WHERE deadline < ? AND decision IS NULL AND series_id IS NULL "
        "AND round_id NOT IN (SELECT round_id FROM outbox) "
        "AND round_id NOT IN (SELECT round_id FROM lost_answers) "
        "AND round_id NOT IN (SELECT json_extract(body, '$.round_id') FROM ledger "
        "WHERE json_extract(body, '$.round_id') IS NOT NULL)",
        (before,),
    ).rowcount


def sizes(connection: sqlite3.Connection, since: int, now: int) -> tuple[int, int, int]:
    """How much room rounds take.

    Args:
        connection: The state file.
        since: Seconds since 1970-01-01T00:00:00Z.
        now: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        Number and bytes of the rounds first seen after `since`, and bytes of those that are
        open at `now` without an answer.
    """
    count, recent = connection.execute(
        "SELECT count(*), coalesce(sum(length(serialised)), 0) FROM rounds WHERE first_seen > ?",
        (since,),
    ).fetchone()
    (unanswered,) = connection.execute(
        "SELECT coalesce(sum(length(serialised)), 0) FROM rounds "
        "WHERE deadline > ? AND round_id NOT IN (SELECT round_id FROM outbox)",
        (now,),
    ).fetchone()
    return count, recent, unanswered


def fill_from_version_1(connection: sqlite3.Connection) -> None:
    """Fills the table from `rounds_before`, the table of version 1, one round at a time.

    Raises:
        Problem: If a round that was kept cannot be read.
    """
    before = connection.execute(
        "SELECT round_id, serialised, signature, first_seen, decision, decided_by, decided_at "
        "FROM rounds_before ORDER BY rowid"
    )
    for round_id, serialised, signature, first_seen, *decision in before:
        try:
            round_ = round_codec.decode_round(serialised)
        except ContractError as error:
            raise Problem(
                f"round {round_id} in the node's state file cannot be read ({error})",
                remedy="Restore the file from backup; nothing was changed",
                exit_code=ExitCode.VERIFICATION,
            ) from None
        insert(connection, round_, serialised, signature, first_seen)
        connection.execute(
            "UPDATE rounds SET decision = ?, decided_by = ?, decided_at = ? WHERE round_id = ?",
            (*decision, round_id),
        )
