"""Which level of a boundary file has a round's areas, and how well their codes fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from folkmoot_coordinator.geography.area_kinds import kind_of, year_of
from folkmoot_coordinator.geography.boundaries import Boundaries, LargerAreas
from folkmoot_operator.problems import ExitCode, Problem

_SHOWN = 5
_GRID = 1e-7
"""Positions that differ by less are one, or slivers stay between areas that are joined."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a round's areas and those of a boundary file fit together.

    Attributes:
        missing: Codes of the round that the file does not have, in the order of the round.
        others: Number of areas of the file that the round does not have.
        other_edition: A sentence, if the file has another edition of the codes; else empty.
    """

    missing: tuple[str, ...]
    others: int
    other_edition: str = ""


def level_of(boundaries: Boundaries, codes: Sequence[str]) -> Boundaries:
    """The level of the file, or one made of its areas, that has most of a round's areas.

    Args:
        boundaries: As the file has them.
        codes: The round's areas.

    Raises:
        Problem: SETTINGS, if there is none.
    """
    wanted = set(codes)
    shared = {"": len(wanted.intersection(boundaries.codes))} | {
        column: len(wanted.intersection(larger.parents))
        for column, larger in boundaries.within.items()
    }
    best = max(shared, key=lambda column: shared[column])
    if shared[best]:
        return dissolve(boundaries, boundaries.within[best], best) if best else boundaries
    raise Problem(
        f"the boundaries are those of {_kinds(boundaries)}, and the round has {kind_of(codes)}, "
        f"such as {_some(codes)}",
        where="boundaries",
        remedy="Set a file that has the round's areas, or smaller ones with a column of the codes "
        "of the round's",
        exit_code=ExitCode.SETTINGS,
    )


def fit(level: Boundaries, codes: Sequence[str], year: str = "") -> Fit:
    """Compares a round's areas with those of a level.

    Args:
        level: See `level_of`.
        codes: The round's areas.
        year: Edition of the round's codes, such as `2021`; empty if it is not known.
    """
    there = set(level.codes)
    missing = tuple(code for code in codes if code not in there)
    others = len(there.difference(codes))
    return Fit(missing, others, _edition(level, codes, year) if missing else "")


def dissolve(boundaries: Boundaries, larger: LargerAreas, column: str = "") -> Boundaries:
    """Joins areas to the larger ones in which they lie.

    Args:
        boundaries: The areas.
        larger: In which each lies; areas in none are left out.
        column: Column of the larger areas' codes, if it is one of the file.
    """
    import shapely

    places: dict[str, list[int]] = {}
    for place, parent in enumerate(larger.parents):
        if parent:
            places.setdefault(parent, []).append(place)
    codes = tuple(sorted(places))
    polygons = np.empty(len(codes), dtype=np.object_)
    for number, code in enumerate(codes):
        polygons[number] = shapely.union_all(boundaries.polygons[places[code]], grid_size=_GRID)
    return Boundaries(
        codes=codes,
        names=tuple(larger.names.get(code, code) for code in codes),
        polygons=polygons,
        year=larger.year,
        within={
            name: LargerAreas(
                tuple(_shared_parent(other.parents, places[code]) for code in codes),
                other.names,
                other.year,
            )
            for name, other in boundaries.within.items()
            if name != column
        },
        repaired=tuple(
            code
            for code in codes
            if not {boundaries.codes[place] for place in places[code]}.isdisjoint(
                boundaries.repaired
            )
        ),
    )


def _shared_parent(parents: Sequence[str], places: Sequence[int]) -> str:
    """The larger area in which all of some areas lie; empty if they lie in several."""
    found = {parents[place] for place in places}
    return found.pop() if len(found) == 1 else ""


def _edition(level: Boundaries, codes: Sequence[str], year: str) -> str:
    """Says that the editions differ, where column, settings or codes show it."""
    theirs = level.year or year_of(level.codes)
    ours = year or year_of(codes)
    kind = kind_of(level.codes)
    if theirs and ours and theirs != ours:
        return f"The boundaries are {theirs} {kind}, and the round has those of {ours}."
    if ours and not theirs and year_of(codes) and not year_of(level.codes):
        return f"The boundaries are {kind} older than {ours}, and the round has those of {ours}."
    return ""


def _kinds(boundaries: Boundaries) -> str:
    kinds = [kind_of(boundaries.codes)]
    kinds += [kind_of(filter(None, larger.parents)) for larger in boundaries.within.values()]
    return " and ".join(dict.fromkeys(kinds))


def _some(codes: Sequence[str]) -> str:
    return ", ".join(code[:20] for code in codes[:_SHOWN])
