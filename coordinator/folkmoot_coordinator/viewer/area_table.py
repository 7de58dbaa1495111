"""The table of areas: sorted and filtered by links and a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from folkmoot.precision import Reliability
from folkmoot_coordinator.viewer.comparing import Changed
from folkmoot_coordinator.viewer.figures import Figures
from folkmoot_coordinator.viewer.region import Region
from folkmoot_coordinator.viewer.selection import Selection
from folkmoot_coordinator.viewer.words import (
    RELIABILITY,
    RELIABILITY_COLOUR,
    span,
    whole,
)
from folkmoot_web.paging import Pages, address_with

ROWS = 50
"""On a page."""
ANCHOR = "areas"
"""Id of the table: links that sort it lead there."""
_ORDER = {one: number for number, one in enumerate(Reliability)}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Attributes:
        code: Of the area.
        name: Of the area.
        council: Name of its council; empty where areas are councils.
        rank: Of its estimate.
        ranks: Ranks that it may truly have, in words.
        value: Whole households.
        interval: In words.
        reliability: Text and colour of its tag.
        change: In words; empty if nothing is compared.
        change_interval: Of it, in words.
        direction: What the noise allows to say of the change.
        compare: Address that puts the area into the form that compares two.
    """

    code: str
    name: str
    council: str
    rank: int
    ranks: str
    value: str
    interval: str
    reliability: tuple[str, str]
    change: str
    change_interval: str
    direction: str
    compare: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's heading, which sorts the table.

    Attributes:
        text: What it says.
        address: Sorts by it, or the other way round.
        sorted: `ascending`, `descending` or `none`, for `aria-sort`.
        numeric: Whether the column has numbers.
        is_wide: Whether phones show what it says in another column.
    """

    text: str
    address: str
    sorted: str
    numeric: bool
    is_wide: bool


@dataclass(frozen=True, slots=True)
class AreaTable:
    """One page of the table.

    Attributes:
        headings: Of its columns.
        rows: Its lines.
        summary: Which lines these are, in words.
        pagination: Links to other pages; None if there is one.
        find: Text that names have, or codes begin with.
        only: Reliability that was asked for; empty for all.
    """

    headings: tuple[Heading, ...]
    rows: tuple[Row, ...]
    summary: str
    pagination: dict[str, Any] | None
    find: str
    only: str


def area_table(
    request: Request,
    region: Region,
    chosen: Selection,
    found: Figures,
    changed: Changed | None,
    areas: str,
) -> AreaTable:
    """The table as an address asks for it.

    What cannot be asked for is taken for what is asked for if nothing is said.

    Args:
        request: Parameters `find`, `only`, `sort` (a column, after `-` the other way) and `page`.
        region: For names of councils.
        chosen: What is shown.
        found: Its figures.
        changed: What changed since an earlier round; None if nothing is compared.
        areas: What the areas are, in the plural.
    """
    asked = request.query_params
    find, only = asked.get("find", "").strip(), asked.get("only", "")
    columns = _columns(chosen, changed)
    by, backwards = _sorting(asked.get("sort", ""), columns)
    numbers = {at: n for n, at in enumerate(changed.places)} if changed else {}
    places = [
        at
        for at in found.inside(chosen.place)
        if _matches(found, at, find) and only in ("", found.reliability[at].name.lower())
    ]
    places = _sorted(region, found, places, by, backwards, changed, numbers)
    pages = Pages.of(len(places), _number(asked.get("page", "")), ROWS)
    shown = places[pages.first : pages.last]
    of = f"{len(places):,} {areas}" if len(places) != 1 else "1 area"
    return AreaTable(
        headings=tuple(
            _heading(request, name, text, by, backwards) for name, text in columns.items()
        ),
        rows=tuple(_row(request, region, chosen, found, at, changed, numbers) for at in shown),
        summary=f"{pages.first + 1:,} to {pages.last:,} of {of}" if shown else f"None of {areas}",
        pagination=pages.links(request, ANCHOR),
        find=find,
        only=only,
    )


def _columns(chosen: Selection, changed: Changed | None) -> dict[str, str]:
    columns = {"rank": "Rank", "name": "Area" if chosen.area else "Council"}
    if chosen.area is not None:
        columns["council"] = "Council"
    columns |= {"value": "Households", "reliability": "Reliability"}
    if changed is not None:
        columns["change"] = "Change"
    return columns


def _sorting(asked: str, columns: dict[str, str]) -> tuple[str, bool]:
    by = asked.removeprefix("-")
    return (by, asked.startswith("-")) if by in columns else ("rank", False)


def _sorted(
    region: Region,
    found: Figures,
    places: list[int],
    by: str,
    backwards: bool,
    changed: Changed | None,
    numbers: dict[int, int],
) -> list[int]:
    def key(at: int) -> Any:
        if by == "name":
            return found.names[at].casefold()
        if by == "council":
            return region.council(found.councils[at]).casefold()
        if by == "reliability":
            return _ORDER[found.reliability[at]]
        if by == "change" and changed is not None and at in numbers:
            return float(changed.change.difference[numbers[at]])
        return float(found.value[at]) if by in ("value", "change") else -float(found.value[at])

    # Of equal ones the larger figure comes first, whichever way they are sorted.
    places = sorted(places, key=lambda at: -float(found.value[at]))
    if by == "change":
        # Areas that the earlier round does not have come last.
        without = [at for at in places if at not in numbers]
        places = [at for at in places if at in numbers]
        return [*sorted(places, key=key, reverse=backwards), *without]
    return sorted(places, key=key, reverse=backwards)


def _heading(request: Request, column: str, text: str, by: str, backwards: bool) -> Heading:
    is_sorted = column == by
    # A second click turns the order round; a column of figures begins with the largest.
    begins = "-" if column in ("value", "change") else ""
    other = column if begins else f"-{column}"
    now = f"-{column}" if backwards else column
    turn = other if is_sorted and now == f"{begins}{column}" else f"{begins}{column}"
    direction = ("descending" if backwards else "ascending") if is_sorted else "none"
    address = f"{address_with(request, sort=turn, page=None)}#{ANCHOR}"
    numeric = column in ("rank", "value", "change")
    return Heading(text, address, direction, numeric, column in ("council", "reliability"))


def _matches(found: Figures, at: int, find: str) -> bool:
    """Whether a name has a text, or a code begins with it."""
    text = " ".join(find.casefold().split())
    return text in found.names[at].casefold() or found.codes[at].casefold().startswith(text)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _row(
    request: Request,
    region: Region,
    chosen: Selection,
    found: Figures,
    at: int,
    changed: Changed | None,
    numbers: dict[int, int],
) -> Row:
    kind = found.reliability[at]
    best, worst = int(found.ranks.best[at]), int(found.ranks.worst[at])
    change = ("", "", "")
    if changed is not None and at in numbers:
        number = numbers[at]
        direction = str(changed.change.direction[number])
        change = changed.text(number), changed.interval(number), direction
    return Row(
        code=found.codes[at],
        name=found.names[at],
        council=region.council(found.councils[at]) if chosen.area else "",
        rank=int(found.ranks.rank[at]),
        ranks=f"{best:,} to {worst:,}" if best != worst else f"{best:,}",
        value=whole(float(found.value[at])),
        interval=span(float(found.lower[at]), float(found.upper[at])),
        reliability=(RELIABILITY[kind], RELIABILITY_COLOUR[kind]),
        change=change[0],
        change_interval=change[1],
        direction=change[2],
        compare=address_with(
            request, **{"b" if request.query_params.get("a") else "a": found.codes[at]}
        )
        + "#compare",
    )
