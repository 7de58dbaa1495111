"""Long lists in pages, with links that work without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

_AROUND = 1


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of a list.

    Attributes:
        entries: Number of entries of the list.
        page: Number of this page, from 1.
        pages: Number of pages, at least 1.
        size: Entries of a page.
    """

    entries: int
    page: int
    pages: int
    size: int

    @classmethod
    def of(cls, entries: int, page: int, size: int) -> Pages:
        """The page that was asked for, or the nearest there is."""
        pages = max(1, -(-entries // size))
        return cls(entries, min(max(page, 1), pages), pages, size)

    @property
    def first(self) -> int:
        """Place of the first entry, from 0."""
        return (self.page - 1) * self.size

    @property
    def last(self) -> int:
        """Place after the last entry."""
        return min(self.first + self.size, self.entries)

    def links(self, request: Request, anchor: str = "") -> dict[str, Any] | None:
        """What GOV.UK's pagination component takes; None if one page holds all.

        Args:
            request: Whose address the links repeat, with another page.
            anchor: Id of the element that a link leads to.
        """
        if self.pages == 1:
            return None

        def link(page: int) -> str:
            return address_with(request, page=str(page)) + (f"#{anchor}" if anchor else "")

        shown = {1, self.pages, *range(self.page - _AROUND, self.page + _AROUND + 1)}
        numbers = sorted(one for one in shown if 1 <= one <= self.pages)
        items: list[dict[str, Any]] = []
        for before, number in zip([0, *numbers], numbers, strict=False):
            if number > before + 1:
                items.append({"ellipsis": True})
            items.append({"number": number, "href": link(number), "current": number == self.page})
        found: dict[str, Any] = {"items": items}
        if self.page > 1:
            found["previous"] = {"href": link(self.page - 1)}
        if self.page < self.pages:
            found["next"] = {"href": link(self.page + 1)}
        return found


def address_with(request: Request, **changes: str | None) -> str:
    """The address of this page with other parameters; None leaves one out."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if value]
    pairs = [(key, value) for key, value in kept if key not in changes]
    pairs += [(key, value) for key, value in changes.items() if value is not None]
    return f"{request.url.path}?{urlencode(pairs)}" if pairs else request.url.path
