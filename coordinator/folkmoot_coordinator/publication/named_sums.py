"""Estimates of named sums, differences and shares, with errors that count what cells share."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.precision import reliability
from folkmoot.strategy import Depths, Plan, depths_of, is_below
from folkmoot.workload import Workload
from folkmoot_coordinator.aggregation.aggregate import ALL_AREAS
from folkmoot_coordinator.aggregation.combination import (
    Combination,
    Interval,
    row_weights,
    share,
)
from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.publication.estimable import Estimable, Moment
from folkmoot_coordinator.publication.sum_file import RESERVED, CellEntry, Expression
from folkmoot_coordinator.publication.table_files import harmless_table, whole_file
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import nearest

Float64 = NDArray[np.float64]
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class NamedEstimate:
    """An expression's estimate.

    Attributes:
        name: What it is called.
        kind: `sum`, `difference` or `share`.
        interval: The figure with its error; households, or for a share a quotient.
    """

    name: str
    kind: str
    interval: Interval

    def facts(self) -> dict[str, Any]:
        """For `--json` and the table; the figures of a share of nothing are null."""
        one = self.interval
        variation = math.inf
        if one.value is not None and one.standard_error is not None and one.value > 0:
            variation = one.standard_error / one.value
        return {
            "name": self.name,
            "kind": self.kind,
            "value": one.value,
            "standard_error": one.standard_error,
            "lower": one.lower,
            "upper": one.upper,
            "reliability": reliability(variation).value,
        }


def estimates(known: Estimable, expressions: Iterable[Expression]) -> list[NamedEstimate]:
    """Estimates of named expressions.

    Args:
        known: What they are estimated from.
        expressions: What is asked.

    Raises:
        Problem: SETTINGS, if a cell is not in the table and cannot be summed from it; says where.
    """
    reader = _Cells(known)
    found = []
    for one in expressions:
        added, taken = ((cell, 1.0) for cell in one.cells), ((cell, -1.0) for cell in one.minus)
        part = reader.combination([*added, *taken])
        interval = (
            share(part, reader.combination([(cell, 1.0) for cell in one.of]))
            if one.of
            else part.estimate()
        )
        found.append(NamedEstimate(one.name, one.kind, interval))
    return found


def as_table(found: Sequence[NamedEstimate], withdrawn: str | None = None) -> pl.DataFrame:
    """The estimates, one row each.

    Args:
        found: The estimates.
        withdrawn: Why they must not be used; None if they stand.

    Returns:
        First, if they must not be used, a column withdrawn (String), never null.
        Columns name, kind, reliability (String), never null, value, standard_error (Float64), null
        for a share of nothing, and lower, upper (Float64), null too for a share whose interval
        has no ends.
    """
    numbers = dict.fromkeys(("value", "standard_error", "lower", "upper"), pl.Float64())
    table = pl.DataFrame([one.facts() for one in found], schema_overrides=numbers)
    if withdrawn is None:
        return table
    return table.select(pl.lit(withdrawn).alias("withdrawn"), pl.all())


def write_estimates(
    found: Sequence[NamedEstimate], metadata: Path, withdrawn: str | None = None
) -> Path:
    """Writes the estimates as CSV beside the published table.

    Args:
        found: The estimates.
        metadata: The JSON file of the table, after which theirs is named.
        withdrawn: Why they must not be used; None if they stand.

    Returns:
        Where they are.
    """
    path = metadata.with_name(f"{metadata.stem}-sums.csv")
    with whole_file(path) as temporary:
        harmless_table(as_table(found, withdrawn)).write_csv(temporary)
    return path


class _Cells:
    """Finds cells by what a file says of them, and the weights of the noisy numbers in them."""

    def __init__(self, known: Estimable) -> None:
        self._known = known
        self._workload: Workload = known.round_.workload
        used = {name for one in self._workload.marginals for name in one.attributes}
        self._columns = {
            f"{one.name}_" if one.name in RESERVED else one.name: one
            for one in self._workload.attributes
            if one.name in used
        }
        self._plans: dict[GssCode, Plan] = {}
        self._places: dict[tuple[GssCode, str], dict[str, int]] = {}

    def _plan(self, council: GssCode) -> Plan:
        if council not in self._plans:
            self._plans[council] = plan = self._known.round_.plan(council)
            for level in (level for axis in plan.axes for level in axis.levels):
                places = {code: at for at, code in enumerate(level.codes)}
                self._places[council, level.attribute] = places
        return self._plans[council]

    def combination(self, cells: Sequence[tuple[CellEntry, float]]) -> Combination:
        """The weighted sum of some cells."""
        wanted: dict[tuple[Moment, GssCode], dict[Depths, Float64]] = {}
        seen: dict[Hashable, str] = {}
        for cell, sign in cells:
            self._add(cell, sign, wanted, seen)
        sum_ = Combination(self._known.releases)
        for (moment, council), tables in wanted.items():
            weights = row_weights(self._plan(council), tables)
            for release, times in self._known.weights[moment][council].items():
                sum_.add(release, times * weights)
        return sum_

    def _add(
        self,
        cell: CellEntry,
        sign: float,
        wanted: dict[tuple[Moment, GssCode], dict[Depths, Float64]],
        seen: dict[Hashable, str],
    ) -> None:
        moment = self._moment(cell)
        codes = self._codes(cell)
        councils = self._councils(cell, moment)
        for chosen in product(*codes.values()):
            named = dict(zip(codes, chosen, strict=True))
            key = moment, frozenset(named.items()), tuple(councils)
            if key in seen:
                raise _problem(
                    cell, f"is the same cell as {seen[key]}", "Name it once, with its weight"
                )
            seen[key] = cell.where
            found = False
            for council in councils:
                found |= self._add_of_council(cell, sign, wanted, moment, council, named)
            if not found:
                self._explain(cell, named, councils)

    def _add_of_council(
        self,
        cell: CellEntry,
        sign: float,
        wanted: dict[tuple[Moment, GssCode], dict[Depths, Float64]],
        moment: Moment,
        council: GssCode,
        named: Mapping[str, str],
    ) -> bool:
        """Adds one cell of a council; False if the council has none of these codes."""
        axes = self._plan(council).axes
        depths = depths_of(axes, tuple(named))
        place = []
        for axis, depth in zip(axes, depths, strict=True):
            if not depth:
                place.append(0)
                continue
            attribute = axis.levels[depth - 1].attribute
            at = self._places[council, attribute].get(named[attribute])
            if at is None:
                return False
            place.append(at)
        tables = wanted.setdefault((moment, council), {})
        if depths not in tables:
            tables[depths] = np.zeros([axis.size(d) for axis, d in zip(axes, depths, strict=True)])
        tables[depths][tuple(place)] += sign * cell.weight
        return True

    def _codes(self, cell: CellEntry) -> dict[str, tuple[str, ...]]:
        """By attribute the codes of a cell; checks that some marginal gives them."""
        found = {}
        for column, codes in cell.codes.items():
            attribute = self._columns.get(column)
            if attribute is None:
                near = nearest(column, self._columns)
                raise _problem(
                    cell,
                    f"{column[:63]!r} is no attribute that the round counts by",
                    (f"Did you mean {near!r}? " if near else "")
                    + f"It counts by {', '.join(self._columns) or 'none'}",
                )
            if codes != (ALL_AREAS,):
                found[attribute.name] = codes
        names = tuple(found)
        for name in names:
            above = set(self._workload.above(name)).intersection(names)
            if above:
                raise _problem(cell, f"{min(above)} follows from {name}", f"Leave {min(above)} out")
        axes = self._workload.axes(self._known.round_.councils[0])
        asked = [depths_of(axes, one.attributes) for one in self._workload.marginals]
        if not any(is_below(depths_of(axes, names), depths) for depths in asked):
            listed = [one.name for one in self._workload.marginals]
            raise _problem(
                cell,
                f"no marginal of the round has {' and '.join(names)} together",
                f"Sum cells of {', '.join(listed[:_SHOWN])}{' or others' * (len(listed) > _SHOWN)}",
            )
        written = set() if cell.marginal in (None, "total") else set(str(cell.marginal).split("*"))
        if cell.marginal is not None and not set(names) <= written:
            raise _problem(
                cell,
                f"has codes of {', '.join(names)} and the marginal {cell.marginal[:80]!r}",
                "Correct the column `marginal`, or leave it out",
            )
        return found

    def _councils(self, cell: CellEntry, moment: Moment) -> Sequence[GssCode]:
        released = self._known.weights[moment]
        if cell.place in (None, self._known.region):
            return tuple(released)
        council = next((one for one in released if one == cell.place), None)
        if council is None:
            invited = cell.place in self._known.round_.councils
            raise _problem(
                cell,
                f"{str(cell.place)[:80]!r} "
                + ("is not in these figures" if invited else "was not asked"),
                "Give the name of the region, or a council that released: "
                + ", ".join(list(released)[:_SHOWN]),
            )
        return (council,)

    def _moment(self, cell: CellEntry) -> Moment:
        latest = self._known.latest
        if cell.month is None and cell.measure is None:
            return latest
        if latest.month is None:
            raise _problem(
                cell, "names a month, and the round is in no series", "Leave month and measure out"
            )
        month = cell.month or str(latest.month)
        measure = cell.measure or Measure.CUMULATIVE.value
        for moment in self._known.weights:
            if (str(moment.month), str(moment.measure)) == (month, measure):
                return moment
        months = sorted({moment.month for moment in self._known.weights if moment.month})
        raise _problem(
            cell,
            f"there are no {measure[:40]} counts of month {month[:20]}",
            f"Give a month of {', '.join(map(str, months))}, and cumulative or new",
        )

    def _explain(
        self, cell: CellEntry, named: Mapping[str, str], councils: Sequence[GssCode]
    ) -> None:
        """Raises for codes that no council of a cell has."""
        for name, code in named.items():
            attribute = self._workload.attribute(name)
            listed = {one for council in councils for one in attribute.codes_of(council)}
            if code not in listed:
                raise _problem(cell, *_unknown(attribute, code, listed))
        raise _problem(cell, "no council has these areas together", "Give areas of one council")


def _unknown(attribute: Attribute, code: str, listed: Iterable[str]) -> tuple[str, str]:
    """What is wrong with a code, and what to do."""
    for council, codes in attribute.by_council.items():
        if code in codes:
            return (
                f"{attribute.name} {code} lies in {council}, which is not in these figures",
                "Leave it out, or take the place out if it names another council",
            )
    near = nearest(code, listed)
    return (
        f"{code[:40]!r} is no code of {attribute.name}",
        (f"Did you mean {near!r}? " if near else "") + "The code list beside the table has all",
    )


def _problem(cell: CellEntry, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=cell.where, remedy=remedy, exit_code=ExitCode.SETTINGS)
