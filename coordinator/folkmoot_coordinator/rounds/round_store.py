"""Collection rounds as the coordinator keeps them: opened, and found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.round_codec import encode_round
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, Round, RoundState, round_digest
from folkmoot.series import Series
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import InvitedRow, RoundRow
from folkmoot_coordinator.database.pauses import require_running
from folkmoot_coordinator.rounds.code_names import NO_NAMES, CodeNames
from folkmoot_coordinator.rounds.decoded_rounds import DECODED_ROUNDS, DecodedRound
from folkmoot_coordinator.rounds.objective import Planning
from folkmoot_coordinator.rounds.withdrawal import MARK, Withdrawal
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.accounts import Operator
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

MAX_ROUND_BYTES = 3_900_000
"""A round travels in one message, and gRPC takes 4 MiB by default."""
OPENED = "round opened"
"""Action of the audit log."""
LATEST = "latest"
"""Stands for the round opened last."""

_ROUNDS = RoundRow.__table__
# Made once: SQLAlchemy takes longer to build a statement than SQLite to execute it.
_SERIALISED = select(_ROUNDS.c.serialised).where(_ROUNDS.c.round_id == bindparam("round_id"))


@dataclass(frozen=True, slots=True)
class StoredRound:
    """A round with its signature and where it stands.

    Attributes:
        round_: The question.
        serialised: The bytes that were signed.
        signature: Ed25519, 64 bytes.
        state: Where it stands.
        closed_at: Seconds since 1970-01-01T00:00:00Z; None while open.
        planning: How its weights came about.
        code_names: What people call its codes.
        withdrawal: That its result is wrong; None if it stands.
    """

    round_: Round
    serialised: bytes
    signature: bytes
    state: RoundState
    closed_at: int | None
    planning: Planning
    code_names: CodeNames = NO_NAMES
    withdrawal: Withdrawal | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the serialised round, 32 bytes."""
        return round_digest(self.serialised)

    @property
    def title(self) -> str:
        """The round's, which begins with `WITHDRAWN` if its result is wrong."""
        return f"{MARK if self.withdrawal else ''}{self.round_.title}"

    def facts(self) -> dict[str, Any]:
        """What identifies the round and where it stands, for `--json` and metadata."""
        round_ = self.round_
        return {
            "round_id": round_.round_id,
            "title": self.title,
            "purpose": round_.purpose,
            "state": self.state.name.lower(),
            "opened_at": to_text(round_.opened_at),
            "deadline": to_text(round_.deadline),
            "closed_at": to_text(self.closed_at) if self.closed_at else None,
            "minimum_councils": round_.minimum_councils,
            "withdrawn": self.withdrawal.facts() if self.withdrawal else None,
            **({"series": series_facts(round_.series)} if round_.series else {}),
        }


def series_facts(series: Series) -> dict[str, Any]:
    """What identifies a series and a round's place in it, for `--json` and metadata."""
    return {
        "series_id": series.series_id,
        "position": series.position,
        "rounds": series.length,
        "event": {"attribute": series.event.attribute, "codes": list(series.event.codes)},
        "ends_at": to_text(series.ends_at),
    }


@dataclass(frozen=True, slots=True)
class SignedRound:
    """A round as nodes receive it.

    Attributes:
        serialised: The bytes that were signed.
        signature: Ed25519, 64 bytes.
    """

    serialised: bytes
    signature: bytes


def open_round(
    database: Database,
    signing: SigningKey,
    round_: Round,
    planning: Planning | None = None,
    code_names: CodeNames = NO_NAMES,
    *,
    origin: str | None = None,
    who: Operator | str | None = None,
    details: Mapping[str, Any] | None = None,
) -> StoredRound:
    """Signs and stores a round; nodes learn of it when they next ask.

    Args:
        database: Where it is stored.
        signing: The coordinator's key.
        round_: The question.
        planning: How its weights came about; None if they are those a person wrote.
        code_names: What people call its codes.
        origin: What it comes from, of which one round is opened at most; None for a file.
        who: Who opens it; None for whoever runs this process.
        details: What else the audit log says of it.

    Raises:
        Problem: If the coordinator is paused, the round is too large for one message, or that
            round of its series or of this origin is open already.
    """
    require_running(database, "no round is opened")
    serialised = encode_round(round_)
    if len(serialised) > MAX_ROUND_BYTES:
        raise Problem(
            f"the round takes {len(serialised)} bytes; at most {MAX_ROUND_BYTES} fit in one "
            "message",
            remedy="Ask for larger areas, or open one round for each part of the region",
            exit_code=ExitCode.SETTINGS,
        )
    signature = signing.sign(ROUND_SIGNATURE_DOMAIN, serialised)
    series = round_.series
    row = RoundRow(
        round_id=round_.round_id,
        serialised=serialised,
        signature=signature,
        digest=round_digest(serialised),
        state=RoundState.OPEN.value,
        opened_at=round_.opened_at,
        deadline=round_.deadline,
        planning=_beside(planning, code_names, round_),
        series_id=series.series_id if series else None,
        series_position=series.position if series else None,
        series_ends_at=series.ends_at if series else None,
        origin=origin,
    )
    told = {"round": round_.round_id, "digest": row.digest.hex(), "origin": origin or "a file"}
    told |= details or {}
    try:
        with database.writing() as session:
            session.add(row)
            session.flush()
            session.add_all(
                InvitedRow(round_id=round_.round_id, council=council) for council in round_.councils
            )
            audit_log.note(session, round_.opened_at, OPENED, told, who)
    except IntegrityError:
        if origin is not None and round_of_origin(database, origin) is not None:
            raise Problem(
                f"a round was opened from {origin} meanwhile",
                remedy="`folkmoot-coordinator round list` shows it",
                exit_code=ExitCode.REFUSED,
            ) from None
        if series is None:
            raise
        raise Problem(
            f"round {series.position} of series {series.series_id} was opened meanwhile",
            remedy="See `folkmoot-coordinator series show`",
            exit_code=ExitCode.REFUSED,
        ) from None
    planning = planning or Planning.as_written(round_.workload)
    return StoredRound(round_, serialised, signature, RoundState.OPEN, None, planning, code_names)


def _beside(planning: Planning | None, code_names: CodeNames, round_: Round) -> str | None:
    """What of a round's file is kept beside the question."""
    named = code_names.to_dict()
    if planning is None and not named:
        return None
    planning = planning or Planning.as_written(round_.workload)
    return json.dumps(json.loads(planning.to_json()) | named)


def round_of_origin(database: Database, origin: str) -> str | None:
    """Id of the round that was opened from a draft or by a schedule; None if none was."""
    with database.reading() as session:
        return session.scalar(select(RoundRow.round_id).where(RoundRow.origin == origin))


def find_round(database: Database, reference: str) -> StoredRound:
    """The round of that id, unique beginning of an id, or `latest`.

    Raises:
        Problem: If there is none, or more than one.
    """
    with database.reading() as session:
        query = select(RoundRow)
        if reference == LATEST:
            query = query.order_by(RoundRow.opened_at.desc(), RoundRow.round_id).limit(1)
        else:
            query = query.where(RoundRow.round_id.startswith(reference, autoescape=True)).limit(2)
        rows = session.scalars(query).all()
    if len(rows) == 1 and reference:
        return stored_round(rows[0])
    raise Problem(
        "more than one round begins so" if rows else "there is no such round",
        where=f"round {reference[:40]!r}",
        remedy="`folkmoot-coordinator round list` shows the ids",
        exit_code=ExitCode.USAGE,
    )


def stored_round(row: RoundRow) -> StoredRound:
    """A round from its row.

    Raises:
        Problem: If the stored bytes are damaged.
    """
    if round_digest(row.serialised) != row.digest:
        raise _damaged(row.round_id, "its bytes do not have its digest")
    try:
        round_ = DECODED_ROUNDS.find(row.digest, lambda: row.serialised).round_
    except ContractError as error:
        raise _damaged(row.round_id, str(error)) from error
    planning = (
        Planning.from_json(row.planning) if row.planning else Planning.as_written(round_.workload)
    )
    return StoredRound(
        round_,
        row.serialised,
        row.signature,
        RoundState(row.state),
        row.closed_at,
        planning,
        CodeNames.from_dict(json.loads(row.planning)) if row.planning else NO_NAMES,
        Withdrawal.of(row),
    )


def decoded_round(connection: Connection, round_id: str, digest: bytes) -> DecodedRound:
    """A round by the digest in its row; its bytes are read only if it is not known here.

    Raises:
        Problem: If the stored bytes are damaged.
    """

    def read() -> bytes:
        serialised: bytes = connection.execute(_SERIALISED, {"round_id": round_id}).scalar_one()
        return serialised

    try:
        return DECODED_ROUNDS.find(digest, read)
    except ContractError as error:
        raise _damaged(round_id, str(error)) from error


def _damaged(round_id: str, how: str) -> Problem:
    return Problem(
        f"the stored round is damaged ({how})",
        where=f"round {round_id}",
        remedy="Restore the database from its backup",
        exit_code=ExitCode.VERIFICATION,
    )


def open_rounds_of(database: Database, council: GssCode, now: int) -> list[SignedRound]:
    """Open rounds to which a council is invited, oldest first."""
    query = (
        select(RoundRow.serialised, RoundRow.signature)
        .join(InvitedRow, InvitedRow.round_id == RoundRow.round_id)
        .where(
            InvitedRow.council == council,
            RoundRow.state == RoundState.OPEN.value,
            RoundRow.deadline > now,
        )
        .order_by(RoundRow.opened_at, RoundRow.round_id)
    )
    with database.reading() as session:
        return [SignedRound(row.serialised, row.signature) for row in session.execute(query)]
