"""What loss each household of each council has borne at most, from signed receipts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from folkmoot.answer_codec import decode_receipt
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.problems import ExitCode, Problem


@dataclass(frozen=True, slots=True)
class BorneLoss:
    """What each household of one council has borne at most, by what the council released here.

    Attributes:
        council: GSS code.
        lifetime: Of all its releases to this region.
        years: By calendar year (UTC) in which a release was received.
        releases: How many there were.
    """

    council: GssCode
    lifetime: Rho
    years: Mapping[int, Rho]
    releases: int


def borne_losses(database: Database) -> list[BorneLoss]:
    """What households have borne, from the receipts of releases, in order of councils.

    Raises:
        Problem: VERIFICATION if a stored receipt is damaged.
    """
    query = select(AnswerRow.round_id, AnswerRow.council, AnswerRow.receipt)
    with database.reading() as session:
        rows = session.execute(query.where(AnswerRow.reason.is_(None))).all()
    found: dict[GssCode, list[tuple[int, Rho]]] = defaultdict(list)
    for row in rows:
        try:
            receipt = decode_receipt(row.receipt)
        except ContractError:
            raise Problem(
                f"the stored receipt of {row.council} is damaged",
                where=f"round {row.round_id}",
                remedy="Restore the database from its backup",
                exit_code=ExitCode.VERIFICATION,
            ) from None
        year = to_datetime(receipt.received_at).year
        found[GssCode(row.council)].append((year, receipt.loss))
    return [
        BorneLoss(
            council,
            Rho.total(loss for _, loss in losses),
            {
                year: Rho.total(loss for of, loss in losses if of == year)
                for year in sorted({of for of, _ in losses})
            },
            len(losses),
        )
        for council, losses in sorted(found.items())
    ]


def loss_facts(database: Database, settings: CoordinatorSettings) -> list[dict[str, Any]]:
    """The same for programs, beside the limit that each council has published.

    Raises:
        Problem: As `borne_losses`.
    """
    losses = borne_losses(database)
    catalogues = catalogues_of(database, [one.council for one in losses])
    found = []
    for one in losses:
        offered = catalogues.get(one.council)
        found.append(
            {
                "council": one.council,
                "name": settings.names.get(one.council),
                "releases": one.releases,
                "rho": str(one.lifetime),
                "rho_allowed": str(offered.lifetime) if offered else None,
                "years": {str(year): str(loss) for year, loss in one.years.items()},
            }
        )
    return found
