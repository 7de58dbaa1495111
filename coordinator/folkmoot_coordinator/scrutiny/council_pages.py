"""What councils publish of how they score, kept with every version that the region was given.

A node sends nothing but noisy counts, a catalogue and receipts, so a person brings the file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CouncilPageRow, CouncilRow
from folkmoot_coordinator.rounds.withdrawal import check_reason
from folkmoot_coordinator.scrutiny.public_facts import PublicFacts, read_public_facts
from folkmoot_operator.accounts import Operator
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

ADDED = "council page added"
WITHDRAWN = "council page withdrawn"
"""Actions of the audit log."""
_READ = 64
"""How many files are kept as they were read: reading a long one takes a tenth of a second."""


@dataclass(frozen=True, slots=True)
class CouncilPage:
    """A file of a council that the region was given.

    Attributes:
        council: GSS code.
        sha256: Of the file, hexadecimal.
        made_at: When the node wrote it, seconds since 1970-01-01T00:00:00Z.
        added_at: When it was added here.
        withdrawn_at: When it was withdrawn; None where it stands.
        reason: Why it was withdrawn; empty where it stands.
    """

    council: GssCode
    sha256: str
    made_at: int
    added_at: int
    withdrawn_at: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class ShownPage:
    """What the region shows of a council.

    Attributes:
        page: The file: the newest that stands.
        content: Its bytes.
        facts: What it says.
        given: All files of the council, the newest first.
        forgotten: Versions that earlier files named and this one does not, by number and digest.
    """

    page: CouncilPage
    content: bytes
    facts: PublicFacts
    given: tuple[CouncilPage, ...]
    forgotten: tuple[tuple[int, str], ...]


def add_page(
    database: Database,
    council: GssCode,
    content: bytes,
    where: str,
    now: int,
    who: Operator | str | None = None,
) -> PublicFacts:
    """Takes a council's file; from then on the region shows it. Safe to repeat.

    Args:
        database: The coordinator's.
        council: Whose file it is.
        content: Its bytes.
        where: The file, for messages.
        now: Seconds since 1970-01-01T00:00:00Z.
        who: An account; None for whoever runs this process.

    Raises:
        Problem: DATA if the file is none or another council's; USAGE if the council has never
            enrolled; REFUSED if the file is older than the one that is shown, or of the future.
    """
    facts = read_public_facts(content, council, where)
    digest = hashlib.sha256(content).digest()
    if facts.made > now + DAY:
        raise _refused(where, f"says that it was made on {facts.made_at}, which is yet to come")
    with database.writing() as session:
        if session.get(CouncilRow, council, with_for_update=True) is None:
            raise Problem(
                "has never enrolled in this region",
                where=council,
                remedy="`folkmoot-coordinator councils list` shows who has",
                exit_code=ExitCode.USAGE,
            )
        before = _newest(session, council)
        if before is not None and before.digest == digest:
            return facts
        if before is not None and before.made_at > facts.made:
            raise _refused(where, f"is older than the one of {to_text(before.made_at)} shown now")
        session.add(
            CouncilPageRow(
                council=council,
                content=content,
                digest=digest,
                made_at=facts.made,
                added_at=now,
                forgotten=json.dumps(_forgotten(before, facts)),
            )
        )
        details = {
            "council": council,
            "sha256": digest.hex(),
            "made_at": facts.made_at,
            "version": facts.latest.number,
        }
        audit_log.note(session, now, ADDED, details, who)
    return facts


def withdraw_page(
    database: Database,
    council: GssCode,
    reason: str,
    now: int,
    who: Operator | str | None = None,
) -> CouncilPage:
    """Takes away the file that is shown, for good: its content is deleted, its digest stays.

    The one before it is shown again, if there is one that stands.

    Args:
        database: The coordinator's.
        council: Whose file.
        reason: What readers are told.
        now: Seconds since 1970-01-01T00:00:00Z.
        who: An account; None for whoever runs this process.

    Raises:
        Problem: USAGE if the reason is no line of text; REFUSED if nothing of it is shown.
    """
    reason = check_reason(reason)
    with database.writing() as session:
        session.get(CouncilRow, council, with_for_update=True)
        row = _newest(session, council)
        if row is None:
            raise Problem(
                "shows nothing of this council's scoring",
                where=council,
                remedy="`folkmoot-coordinator councils page` lists what was given",
                exit_code=ExitCode.REFUSED,
            )
        row.content, row.withdrawn_at, row.withdrawn_reason = None, now, reason
        details = {"council": council, "sha256": row.digest.hex(), "reason": reason}
        audit_log.note(session, now, WITHDRAWN, details, who)
        return _page(row)


def given_pages(database: Database, council: GssCode | None = None) -> list[CouncilPage]:
    """All files that were given, the newest first.

    Args:
        database: The coordinator's.
        council: Only those of this one; None for all.
    """
    columns = (
        CouncilPageRow.council, CouncilPageRow.digest, CouncilPageRow.made_at,
        CouncilPageRow.added_at, CouncilPageRow.withdrawn_at, CouncilPageRow.withdrawn_reason,
    )  # fmt: skip
    query = select(*columns).order_by(CouncilPageRow.number.desc())
    if council is not None:
        query = query.where(CouncilPageRow.council == council)
    with database.reading() as session:
        return [_page(row) for row in session.execute(query)]


def shown_page(database: Database, council: GssCode) -> ShownPage | None:
    """What is shown of a council; None if nothing is.

    Raises:
        Problem: VERIFICATION if what is stored is not what was given.
    """
    with database.reading() as session:
        row = _newest(session, council)
        if row is None:
            return None
        page, content, forgotten = _page(row), row.content or b"", row.forgotten
    named = tuple((number, digest) for number, digest in json.loads(forgotten))
    given = tuple(given_pages(database, council))
    return ShownPage(page, content, _read(page, content), given, named)


def _newest(session: Session, council: GssCode) -> CouncilPageRow | None:
    query = select(CouncilPageRow).where(
        CouncilPageRow.council == council, CouncilPageRow.withdrawn_at.is_(None)
    )
    return session.scalars(query.order_by(CouncilPageRow.number.desc()).limit(1)).first()


def _forgotten(before: CouncilPageRow | None, facts: PublicFacts) -> list[tuple[int, str]]:
    """Versions that were named before and are not now: the council's history has another past."""
    if before is None:
        return []
    earlier = _read(_page(before), before.content or b"")
    named = {(one.number, one.facts_sha256) for one in earlier.versions}
    named |= {(number, digest) for number, digest in json.loads(before.forgotten)}
    return sorted(named - {(one.number, one.facts_sha256) for one in facts.versions})


def _page(row: Any) -> CouncilPage:
    return CouncilPage(
        GssCode(row.council),
        row.digest.hex(),
        row.made_at,
        row.added_at,
        row.withdrawn_at,
        row.withdrawn_reason or "",
    )


def _read(page: CouncilPage, content: bytes) -> PublicFacts:
    if hashlib.sha256(content).hexdigest() != page.sha256:
        raise Problem(
            "the stored file does not have its digest",
            where=f"page of {page.council}",
            remedy="Restore the database from its backup",
            exit_code=ExitCode.VERIFICATION,
        )
    return _known(content, page.council)


@lru_cache(_READ)
def _known(content: bytes, council: GssCode) -> PublicFacts:
    return read_public_facts(content, council, f"page of {council}")


def _refused(where: str, problem: str) -> Problem:
    return Problem(
        problem,
        where=where,
        remedy="Ask the council for the newest facts.json; `folkmoot-coordinator councils page` "
        "lists what was given, and --withdraw takes the newest away",
        exit_code=ExitCode.REFUSED,
    )
