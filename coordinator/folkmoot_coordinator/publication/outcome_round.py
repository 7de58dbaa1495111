"""A closed round that counts households by an outcome: whose figures can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.workload import Workload
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.publication.estimable import Estimable, of_releases
from folkmoot_coordinator.publication.noisy_tables import NoisyTables
from folkmoot_coordinator.publication.round_result import Coverage, closed_round
from folkmoot_coordinator.rounds.round_store import StoredRound
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import nearest

NO, YES = "no", "yes"
BAND = "band"
MAX_JUDGED = 400
"""Most cells of groups by bands that are judged: work grows with the square, for each council."""


@dataclass(frozen=True, slots=True)
class JudgedRound:
    """A closed round whose tables are judged.

    Attributes:
        stored: The round.
        coverage: Who is in it.
        known: Its releases.
    """

    stored: StoredRound
    coverage: Coverage
    known: Estimable

    @property
    def where(self) -> str:
        """For messages."""
        return f"round {self.stored.round_.round_id}"

    @property
    def councils(self) -> tuple[GssCode, ...]:
        """Councils that released."""
        return self.coverage.released

    def tables(self, councils: Iterable[GssCode] | None = None) -> NoisyTables:
        """Tables of some councils together, or of all that released."""
        return NoisyTables(self.known, tuple(self.councils if councils is None else councils))

    def attribute(self, name: str) -> Attribute:
        """An attribute that all councils share.

        Raises:
            Problem: SETTINGS if the round does not count by it, or it is an area.
        """
        return _shared_attribute(self.stored, name)

    def require_few(self, *attributes: Attribute) -> None:
        """Checks that there are not too many cells to judge.

        Raises:
            Problem: SETTINGS, if there are.
        """
        if not are_few(*attributes):
            names = " by ".join(one.name for one in attributes)
            raise Problem(
                f"{names} has {_cells(*attributes):,} cells; up to {MAX_JUDGED} are judged",
                where=self.where,
                remedy="Ask by an attribute with fewer codes; `export` gives the counts of this "
                "one",
                exit_code=ExitCode.SETTINGS,
            )

    def require_tables(self, tables: NoisyTables, wanted: Iterable[tuple[str, ...]]) -> None:
        """Checks that the round asked for some tables.

        Raises:
            Problem: SETTINGS, naming those that it did not ask for.
        """
        missing = ["*".join(names) for names in wanted if not tables.has(names)]
        if missing:
            raise Problem(
                f"the round did not ask for {', '.join(missing)}",
                where=self.where,
                remedy="Open a round with these marginals; docs/validation.md has one",
                exit_code=ExitCode.SETTINGS,
            )


@dataclass(frozen=True, slots=True)
class OutcomeRound(JudgedRound):
    """A closed round and its outcome.

    Attributes:
        outcome: The attribute that says whether the event happened.
    """

    outcome: Attribute


def judged_round(database: Database, region: str, reference: str) -> JudgedRound:
    """A closed round.

    Args:
        database: Where it is stored.
        region: Name of the region.
        reference: The round's id, its beginning, or `latest`.

    Raises:
        Problem: REFUSED if the round is open, void or in a series.
    """
    closed = closed_round(database, reference)
    require_alone(closed.stored)
    known = of_releases(closed.stored.round_, region, closed.releases)
    return JudgedRound(closed.stored, closed.coverage, known)


def outcome_round(database: Database, region: str, reference: str, outcome: str) -> OutcomeRound:
    """A closed round with its outcome.

    Args:
        database: Where it is stored.
        region: Name of the region.
        reference: The round's id, its beginning, or `latest`.
        outcome: Name of an attribute with the codes `no` and `yes`.

    Raises:
        Problem: REFUSED if the round is open, void or in a series; SETTINGS if the outcome is no
            attribute of it with these codes.
    """
    return with_outcome(judged_round(database, region, reference), outcome)


def with_outcome(judged: JudgedRound, outcome: str) -> OutcomeRound:
    """A closed round with its outcome.

    Args:
        judged: The round.
        outcome: Name of an attribute with the codes `no` and `yes`.

    Raises:
        Problem: REFUSED if the round is in a series; SETTINGS if the outcome is no attribute of it
            with these codes.
    """
    stored = judged.stored
    require_alone(stored)
    found = _shared_attribute(stored, outcome)
    if not {NO, YES} <= set(found.codes):
        raise Problem(
            f"attribute {outcome} has the codes {', '.join(found.codes)}, and not {NO} and {YES}",
            where=f"round {stored.round_.round_id}",
            remedy="Name an attribute that says whether the event happened",
            exit_code=ExitCode.SETTINGS,
        )
    return OutcomeRound(stored, judged.coverage, judged.known, found)


@dataclass(frozen=True, slots=True)
class OfferedOutcome:
    """An attribute of a round by which its bands can be judged.

    Attributes:
        name: Of the attribute, whose codes hold `no` and `yes`.
        groups: Attributes by which that can be done for groups of households.
    """

    name: str
    groups: tuple[str, ...]


def offered_outcomes(round_: Round) -> tuple[OfferedOutcome, ...]:
    """What the bands of a round can be judged by, whether or not it has a result.

    Which of these attributes are events, nothing in a round says. One that it asks for by band and
    nothing else is likely to be, and comes first.
    """
    workload = round_.workload
    shared = {one.name: one for one in workload.attributes if not one.is_area}
    if round_.series is not None or not _has_bands(shared):
        return ()
    found = [
        OfferedOutcome(
            name,
            tuple(
                other
                for other in shared
                if other not in (BAND, name)
                and are_few(shared[other], shared[BAND])
                and follows(workload, (other, BAND, name))
            ),
        )
        for name, one in shared.items()
        if name != BAND and {NO, YES} <= set(one.codes) and follows(workload, (BAND, name))
    ]
    alone = [set(one.attributes) for one in workload.marginals]
    return tuple(sorted(found, key=lambda one: {BAND, one.name} not in alone))


def follows(workload: Workload, names: Iterable[str]) -> bool:
    """Whether a table over attributes was asked for, or follows from one that was."""
    wanted = set(names)
    return any(
        wanted <= {*one.attributes, *(up for name in one.attributes for up in workload.above(name))}
        for one in workload.marginals
    )


def require_alone(stored: StoredRound) -> None:
    """Raises Problem (REFUSED) if a round is in a series."""
    if stored.round_.series is not None:
        raise Problem(
            "is part of a series, whose counts are about months",
            where=f"round {stored.round_.round_id}",
            remedy="Open a round of its own",
            exit_code=ExitCode.REFUSED,
        )


def bands_of(judged: JudgedRound) -> Attribute:
    """The bands that a round counts by.

    Raises:
        Problem: SETTINGS if there are none, or it does not list all of them.
    """
    bands = judged.attribute(BAND)
    if bands.others:
        raise Problem(
            "counts households of some bands together, as (other)",
            where=f"{judged.where}: attribute {BAND}",
            remedy="Ask for all bands, ascending",
            exit_code=ExitCode.SETTINGS,
        )
    judged.require_few(bands)
    return bands


def offered_groups(round_: Round) -> tuple[str, ...]:
    """Attributes by which a round counts bands of all councils, whether or not it has a result.

    Those that may be events, which are no groups, come last.
    """
    workload = round_.workload
    shared = {one.name: one for one in workload.attributes if not one.is_area}
    if round_.series is not None or not _has_bands(shared):
        return ()
    found = [
        name
        for name in shared
        if name != BAND and are_few(shared[name], shared[BAND]) and follows(workload, (name, BAND))
    ]
    events = {one.name for one in offered_outcomes(round_)}
    return tuple(sorted(found, key=lambda name: name in events))


def are_few(*attributes: Attribute) -> bool:
    """Whether attributes that all councils share have few enough cells together to judge."""
    return _cells(*attributes) <= MAX_JUDGED


def _cells(*attributes: Attribute) -> int:
    return prod(len(one.codes_of(None)) for one in attributes)


def _has_bands(shared: Mapping[str, Attribute]) -> bool:
    return BAND in shared and not shared[BAND].others and are_few(shared[BAND])


def _shared_attribute(stored: StoredRound, name: str) -> Attribute:
    workload = stored.round_.workload
    used = {one for marginal in workload.marginals for one in marginal.attributes}
    shared = [one.name for one in workload.attributes if one.name in used and not one.is_area]
    if name not in shared:
        near = nearest(name, shared)
        raise Problem(
            f"{name[:63]!r} is no attribute that the round counts by in all councils",
            where=f"round {stored.round_.round_id}",
            remedy=(f"Did you mean {near!r}? " if near else "")
            + f"It counts by {', '.join(shared) or 'none'}",
            exit_code=ExitCode.SETTINGS,
        )
    return workload.attribute(name)
