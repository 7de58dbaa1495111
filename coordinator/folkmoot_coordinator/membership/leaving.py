"""A council that has left says so with a certificate, and its membership ends here too."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.leaving import LEAVING, check_leaving
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CertificateRow
from folkmoot_coordinator.membership.councils import revoke
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signed_statements import read_statement

LEFT = "council left"
"""Action of the audit log."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A council whose membership has ended.

    Attributes:
        council: GSS code.
        body: What its certificate of leaving says.
        certificates: How many certificates were withdrawn.
        invitations: How many unused invitations were withdrawn.
    """

    council: GssCode
    body: dict[str, Any]
    certificates: int
    invitations: int


def check_departure(database: Database, path: Path) -> tuple[GssCode, dict[str, Any]]:
    """Checks a certificate of leaving: one that this region gave to the council has signed it.

    Args:
        database: The region's.
        path: The file.

    Returns:
        The council, and what the certificate says.

    Raises:
        Problem: Exit code VERIFICATION, if it is none or another has signed it.
    """
    found = read_statement(path, LEAVING)
    try:
        check_leaving(found.body, str(path))
        council = GssCode(str(found.body["council"]))
    except ContractError as error:
        raise Problem(
            error.problem, where=error.where, remedy=error.remedy, exit_code=ExitCode.VERIFICATION
        ) from None
    given = select(CertificateRow.council).where(CertificateRow.certificate == found.certificate)
    with database.reading() as session:
        if session.scalars(given).first() != council:
            raise Problem(
                f"this region gave {council} no such certificate as the one that has signed it",
                where=str(path),
                remedy="Ask the council for the file as its node wrote it",
                exit_code=ExitCode.VERIFICATION,
            )
    return council, dict(found.body)


def end_membership(database: Database, path: Path, now: int) -> Departure:
    """Ends the membership of a council that has left; safe to repeat.

    Args:
        database: The region's.
        path: Its certificate of leaving.
        now: Seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: As `check_departure`.
    """
    council, body = check_departure(database, path)
    certificates, invitations = revoke(database, council, now)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    noted = (entry.body.get("sha256") for entry in audit_log.entries(database, (LEFT,)))
    if digest not in noted:
        details = {
            "council": council,
            "reason": str(body["reason"]),
            "left_at": str(body["left_at"]),
            "ledger_head": str(body["logs"]["ledger"]["head"]),
            "sha256": digest,
        }
        with database.writing() as session:
            audit_log.note(session, now, LEFT, details)
    return Departure(council, body, certificates, invitations)
