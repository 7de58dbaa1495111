"""What councils offer to be asked: the attributes of their catalogues, and the areas known here.

A catalogue never says what is left of a council's budget: that is the council's own affair. What
it has released to this region is known here, so that what is left at most can be said.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from folkmoot.catalogue import Catalogue
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.rounds import Mechanism
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, RoundRow
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_coordinator.membership.councils import members
from folkmoot_coordinator.rounds.area_file import AREA_COLUMNS, NAME_COLUMN, WITHIN_COLUMN
from folkmoot_coordinator.rounds.round_store import StoredRound, stored_round


@dataclass(frozen=True, slots=True)
class OfferedAttribute:
    """An attribute that some councils can count by.

    Attributes:
        name: Identifier.
        codes: For each published code the councils that have it, in the order of the first
            council's list; empty for areas.
        councils: Councils that offer it.
        area_type: What kind of area it is, where councils say so; empty if they do not.
        areas: The areas of councils, as the newest rounds asked for them; None if it has codes,
            or no round has asked for these areas yet.
    """

    name: str
    codes: Mapping[str, tuple[GssCode, ...]]
    councils: tuple[GssCode, ...]
    area_type: str = ""
    areas: AreaTable | None = None

    @property
    def is_area(self) -> bool:
        """True if each council has its own codes, which the question gives."""
        return not self.codes

    @property
    def shared_codes(self) -> tuple[str, ...]:
        """The codes that all these councils have."""
        everybody = set(self.councils)
        return tuple(code for code, having in self.codes.items() if set(having) == everybody)


@dataclass(frozen=True, slots=True)
class AreaTable:
    """The areas of an attribute, council by council.

    Attributes:
        by_council: Codes of areas.
        within_attribute: Attribute in whose areas these lie; empty if they lie in none.
        within: For each code that of the larger area; empty likewise.
        names: For each code its name, as far as it is known.
        vintage: Edition of the code list; empty if it is not known.
    """

    by_council: Mapping[GssCode, tuple[str, ...]]
    within_attribute: str = ""
    within: Mapping[str, str] | None = None
    names: Mapping[str, str] | None = None
    vintage: str = ""

    def csv(self, councils: Iterable[str], *, nested: bool) -> bytes:
        """A file of areas, as `rounds.area_file` reads it.

        Args:
            councils: Whose areas.
            nested: True to say in which larger area each lies.
        """
        names, within = self.names or {}, self.within or {}
        columns = [*AREA_COLUMNS, *([WITHIN_COLUMN] if nested else []), NAME_COLUMN]
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        for council in sorted(councils):
            for area in self.by_council.get(GssCode(council), ()):
                larger = [within.get(area, "")] if nested else []
                writer.writerow([council, area, *larger, names.get(area, "")])
        return text.getvalue().encode()


@dataclass(frozen=True, slots=True)
class OfferingCouncil:
    """What one council allows, and what it has released to this region.

    Attributes:
        council: GSS code.
        purposes: Purposes of rounds that it may answer.
        mechanisms: Mechanisms that rounds may ask for.
        per_round: Most loss for one round.
        per_series: Most loss for a series; None if it answers none.
        per_period: Most loss for all rounds of one of its accounting periods.
        lifetime: Most loss for all rounds that it ever answers.
        released_here: Loss of what it has released to this region; more may be gone.
        sunset: Last day on which it releases anything.
    """

    council: GssCode
    purposes: frozenset[str]
    mechanisms: frozenset[Mechanism]
    per_round: Rho
    per_series: Rho | None
    per_period: Rho
    lifetime: Rho
    released_here: Rho
    sunset: date

    @property
    def left_at_most(self) -> Rho:
        """What can be left of its lifetime's budget; it may be less, and only the council knows."""
        return Rho(max(0, self.lifetime.nano - self.released_here.nano))


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be asked in this region.

    Attributes:
        attributes: By name.
        councils: Those that have published a catalogue, by code.
        without_catalogue: Councils that can answer and have published none.
        purposes: For each purpose the councils that allow it.
    """

    attributes: Mapping[str, OfferedAttribute]
    councils: Mapping[GssCode, OfferingCouncil]
    without_catalogue: tuple[GssCode, ...]
    purposes: Mapping[str, tuple[GssCode, ...]]


def offered_attributes(database: Database, now: int) -> Offer:
    """What the councils that can answer offer, by their catalogues.

    Args:
        database: The region's.
        now: Seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: VERIFICATION if a stored round is damaged.
    """
    able = members(database, now)
    catalogues = catalogues_of(database, able)
    with database.reading() as session:
        newest_first = select(RoundRow).order_by(RoundRow.opened_at.desc(), RoundRow.round_id)
        rows = session.scalars(newest_first).all()
        answers = session.execute(
            select(AnswerRow.round_id, AnswerRow.council).where(AnswerRow.reason.is_(None))
        ).all()
    rounds = [stored_round(row) for row in rows]
    areas = areas_of(rounds)
    attributes = {
        name: _attribute(name, catalogues, areas)
        for name in sorted({name for one in catalogues.values() for name in one.attributes})
    }
    released = _released(rounds, [(row.round_id, row.council) for row in answers])
    purposes: dict[str, list[GssCode]] = defaultdict(list)
    for council, one in catalogues.items():
        for purpose in one.purposes:
            purposes[purpose].append(council)
    return Offer(
        attributes,
        {
            council: OfferingCouncil(
                council,
                one.purposes,
                one.mechanisms,
                one.per_round,
                one.per_series,
                one.per_period,
                one.lifetime,
                released.get(council, Rho(0)),
                one.sunset,
            )
            for council, one in catalogues.items()
        },
        tuple(council for council in able if council not in catalogues),
        {purpose: tuple(purposes[purpose]) for purpose in sorted(purposes)},
    )


def areas_of(rounds: Iterable[StoredRound]) -> dict[str, AreaTable]:
    """The areas that rounds have asked for, by attribute; those of each council from the newest.

    Args:
        rounds: Newest first.
    """
    found: dict[str, AreaTable] = {}
    for stored in rounds:
        for one in stored.round_.workload.attributes:
            if not one.is_area:
                continue
            known = found.get(one.name)
            if known is None:
                vintage = stored.code_names.vintages.get(one.name, "")
                names = dict(stored.code_names.of(one.name))
                found[one.name] = AreaTable(
                    dict(one.by_council), one.within, dict(one.parents), names, vintage
                )
            elif known.within_attribute == one.within:
                new = {
                    council: codes
                    for council, codes in one.by_council.items()
                    if council not in known.by_council
                }
                found[one.name] = AreaTable(
                    {**known.by_council, **new},
                    known.within_attribute,
                    {**one.parents, **(known.within or {})},
                    {**stored.code_names.of(one.name), **(known.names or {})},
                    known.vintage,
                )
    return found


def _attribute(
    name: str, catalogues: Mapping[GssCode, Catalogue], areas: Mapping[str, AreaTable]
) -> OfferedAttribute:
    offering = {council: one for council, one in catalogues.items() if name in one.attributes}
    codes: dict[str, list[GssCode]] = defaultdict(list)
    for council, one in offering.items():
        for code in one.attributes[name]:
            codes[code].append(council)
    kinds = {one.area_types[name] for one in offering.values() if name in one.area_types}
    return OfferedAttribute(
        name,
        {code: tuple(having) for code, having in codes.items()},
        tuple(offering),
        kinds.pop() if len(kinds) == 1 else "",
        None if codes else areas.get(name),
    )


def _released(
    rounds: Iterable[StoredRound], answers: Iterable[tuple[str, str]]
) -> dict[GssCode, Rho]:
    """The least that councils have spent here: in a series, releases differ in what they cost."""
    losses = {one.round_.round_id: min(one.round_.charges) for one in rounds}
    spent: dict[GssCode, list[Rho]] = defaultdict(list)
    for round_id, council in answers:
        if round_id in losses:
            spent[GssCode(council)].append(losses[round_id])
    return {council: Rho.total(found) for council, found in spent.items()}
