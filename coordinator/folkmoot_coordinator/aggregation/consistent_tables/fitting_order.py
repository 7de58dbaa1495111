"""Which tables of a workload can be presented, and the order in which they are fitted.

A table that is fitted has to agree with those before it. On what it shares with each of
them its sums are fixed. If these shared tables have no circles (they form an acyclic
hypergraph) and agree with each other, there is always a table that has them all, whole
numbers included (Vorob'ev 1962): joined one by one, each shares with the ones before it
only what it shares with a single one of them, its *separator*, and to join two is a two-way
problem for each cell of their separator. If they have circles there may be none.

Other tables are fitted before those asked for where that leaves no circles: what two tables
share, and their sums over areas. What has few cells goes first: it is accurate, while sums
of many small cells collect the bias of each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations

from folkmoot.strategy import Depths

MAXIMUM_FITTED_CELLS = 4_000_000
"""Most cells of a table that is fitted for one council; bounds memory."""


class LeftOut(Enum):
    """Why a marginal is not presented."""

    TOO_LARGE = f"has more than {MAXIMUM_FITTED_CELLS} cells"
    CIRCLES = (
        "overlaps more important marginals in circles, so that there may be no table without "
        "negative cells that agrees with all of them"
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """A table to be fitted, with the sums that are fixed: of one table, or of two.

    Attributes:
        table: What is fitted.
        fixed: Tables that are sums of it. Two of them together have all its attributes.
        kept: Other sums of it that are published; they are kept near their estimates.
    """

    table: Depths
    fixed: tuple[Depths, ...]
    kept: tuple[Depths, ...]


@dataclass(frozen=True, slots=True)
class FittingOrder:
    """How the tables of a workload are fitted; the same for all councils of a round.

    Attributes:
        fits: In order. What the first is a sum of is the whole council.
        presented: The tables asked for that come out.
        left_out: Those that do not, and why.
    """

    fits: tuple[Fit, ...]
    presented: tuple[Depths, ...]
    left_out: dict[Depths, LeftOut]


def fitting_order(
    asked: Sequence[Depths],
    sizes: Sequence[Sequence[int]],
    areas: Mapping[int, int] | None = None,
    limit: int = MAXIMUM_FITTED_CELLS,
) -> FittingOrder:
    """Chooses the tables to be presented, and the order in which tables are fitted.

    All of them, if that is possible in some order. Else each in the order given, unless
    it makes circles with those before it.

    Args:
        asked: Tables, most important first.
        sizes: For each axis the number of cells at each depth, from depth 0; the largest
            of any council.
        areas: The axes that are areas, each with the depth from which it is; sums over
            areas are published as well.
        limit: Most cells of a table that is fitted.
    """
    left_out = {one: LeftOut.TOO_LARGE for one in asked if _cells(one, sizes) > limit}
    small = {_nodes(one, sizes): one for one in asked if one not in left_out}
    order = _without_circles(_maximal(small)) or _as_many_as_possible(small)
    for nodes, one in small.items():
        if not any(_within(nodes, other) for other in order):
            left_out[one] = LeftOut.CIRCLES
    presented = [nodes for nodes, one in small.items() if one not in left_out]
    areas = areas or {}
    shared = {one & other for one, other in combinations(order, 2)}
    published = _with_sums(presented, sizes, areas)
    candidates = {*published, *_with_sums(shared, sizes, areas)}.difference(order)
    by_cells = sorted(candidates, key=lambda nodes: (_cells(_depths(nodes, sizes), sizes), nodes))
    fitted = [0]
    fits: list[Fit] = []
    for table in [*_fitted_first(by_cells, order), *order]:
        for whole, fixed in _steps(table, fitted):
            kept = [
                one
                for one in published
                if one != whole
                and _within(one, whole)
                and not any(_within(one, other) for other in fixed)
            ]
            fits.append(
                Fit(
                    _depths(whole, sizes),
                    tuple(_depths(one, sizes) for one in fixed),
                    tuple(_depths(one, sizes) for one in _maximal(kept)),
                )
            )
        fitted.append(table)
    return FittingOrder(tuple(fits), tuple(small[nodes] for nodes in presented), left_out)


# Tables are bit sets of nodes here, a node for each depth from 1 of each axis: a table that
# has a depth has those above it too. What two tables share is `&`, both together is `|`.


def _nodes(table: Depths, sizes: Sequence[Sequence[int]]) -> int:
    nodes, first = 0, 0
    for depth, one in zip(table, sizes, strict=True):
        nodes |= ((1 << depth) - 1) << first
        first += len(one) - 1
    return nodes


def _depths(nodes: int, sizes: Sequence[Sequence[int]]) -> Depths:
    depths = []
    for one in sizes:
        depths.append((nodes & ((1 << len(one) - 1) - 1)).bit_count())
        nodes >>= len(one) - 1
    return tuple(depths)


def _cells(table: Depths, sizes: Sequence[Sequence[int]]) -> int:
    return math.prod(one[depth] for one, depth in zip(sizes, table, strict=True))


def _with_sums(
    tables: Iterable[int], sizes: Sequence[Sequence[int]], areas: Mapping[int, int]
) -> list[int]:
    """The tables, each followed by its sums over areas: over all, and at each level above."""
    found: dict[int, None] = {}
    for nodes in tables:
        found[nodes] = None
        table = _depths(nodes, sizes)
        for at, first in areas.items():
            for depth in range(table[at] if table[at] >= first else 0):
                found[_nodes((*table[:at], depth, *table[at + 1 :]), sizes)] = None
    return list(found)


def _within(table: int, other: int) -> bool:
    return not table & ~other


def _maximal(tables: Iterable[int]) -> list[int]:
    distinct = dict.fromkeys(tables)
    return [
        one
        for one in distinct
        if not any(one != other and _within(one, other) for other in distinct)
    ]


def _joined(tables: Iterable[int]) -> list[tuple[int, int]] | None:
    """An order in which tables can be joined, each with its separator; None if in circles.

    A spanning tree of largest separators is a junction tree, if there is one (Lauritzen,
    Graphical Models, 1996, chapter 2).
    """
    left = _maximal(tables)
    found = [(left.pop(0), 0)]
    union = found[0][0]
    while left:
        at, separator = max(
            (
                (at, max((one & other for other, _ in found), key=int.bit_count))
                for at, one in enumerate(left)
            ),
            key=lambda pair: pair[1].bit_count(),
        )
        one = left.pop(at)
        if one & union != separator:
            return None
        found.append((one, separator))
        union |= one
    return found


def _steps(table: int, fitted: Sequence[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """How a table is fitted: what it shares with others joined one by one, then the rest."""
    joined = _joined(table & one for one in fitted)
    assert joined is not None
    whole = joined[0][0]
    for part, _ in joined[1:]:
        yield whole | part, (whole, part)
        whole |= part
    if whole != table:
        yield table, (whole,)


def _without_circles(tables: Sequence[int]) -> list[int] | None:
    """An order in which each table shares no circles with those before it, if found."""
    left = list(tables)
    last_first: list[int] = []
    while left:
        known = len(last_first)
        for table in reversed(left.copy()):
            others = [one for one in left if one != table]
            if not others or _joined(table & one for one in others):
                left = others
                last_first.append(table)
        if len(last_first) == known:
            return None
    return last_first[::-1]


def _as_many_as_possible(tables: Iterable[int]) -> list[int]:
    """Tables in an order without circles; each in turn is taken unless it makes one.

    A table takes the place of the first of its sums in the order, and replaces them all.
    """
    order: list[int] = []
    shared: dict[int, list[int]] = {}
    for table in tables:
        if any(_within(table, one) for one in order):
            continue
        at = next((at for at, one in enumerate(order) if _within(one, table)), len(order))
        before = _maximal([0, *(table & one for one in order[:at])])
        after = [one for one in order[at:] if not _within(one, table)]
        more = {one: _maximal([*shared[one], one & table]) for one in after}
        if _joined(before) and all(map(_joined, more.values())):
            order = [*order[:at], table, *after]
            shared |= {table: before, **more}
    return order


def _fitted_first(candidates: Iterable[int], order: Sequence[int]) -> list[int]:
    """The candidates that can be fitted before the others without making circles."""
    shared = {
        table: _maximal([0, *(table & one for one in order[:at])]) for at, table in enumerate(order)
    }
    found: list[int] = []
    for table in candidates:
        if any(_within(table, one) for one in found):
            continue
        changed = {
            one: _maximal([*parts, one & table])
            for one, parts in shared.items()
            if not any(_within(one & table, part) for part in parts)
        }
        if _joined([0, *(table & one for one in found)]) and all(map(_joined, changed.values())):
            found.append(table)
            shared |= changed
    return found
