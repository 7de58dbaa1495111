"""Select boxes that choose what of a round a page works with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from folkmoot.workload import Marginal
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.region import Region
from folkmoot_coordinator.viewer.selection import Selection, choices
from folkmoot_coordinator.viewer.words import capital, phrase, slug, table_title


def usable_tables(published: Published, *, by_area: bool = False) -> list[Marginal]:
    """Tables with figures of several places, those of areas before those of councils alone.

    Args:
        published: The round.
        by_area: Whether tables of councils are left out.
    """
    workload = published.round_.workload

    def areas(one: Marginal) -> int:
        return sum(workload.attribute(name).is_area for name in one.attributes)

    several = len(published.coverage.released) > 1
    found = [
        one
        for one in workload.marginals
        if areas(one) == 1 or (not by_area and areas(one) == 0 and several)
    ]
    return sorted(found, key=lambda one: -areas(one))


def statistic_filters(
    region: Region,
    published: Published,
    chosen: Selection,
    tables: Sequence[Marginal],
    *,
    with_place: bool = True,
) -> list[dict[str, Any]]:
    """What a form offers: table, a code of each attribute, council.

    Args:
        region: Names of councils.
        published: The round.
        chosen: What is chosen of it.
        tables: Those on offer.
        with_place: Whether a council can be chosen.
    """
    found: list[dict[str, Any]] = [
        {
            "name": "table",
            "label": "Table",
            "items": [{"value": slug(one), "text": table_title(one)} for one in tables],
            "value": slug(chosen.marginal),
        }
    ]
    found += [
        {
            "name": one.name,
            "label": capital(phrase(one.name)),
            "items": choices(published, one),
            "value": code,
        }
        for one, code in zip(chosen.attributes, chosen.codes, strict=True)
    ]
    if with_place and chosen.area is not None and len(published.coverage.released) > 1:
        councils = [
            {"value": code, "text": region.council(code)} for code in published.coverage.released
        ]
        found.append(
            {
                "name": "place",
                "label": "Show areas of",
                "items": [{"value": "", "text": "All councils"}, *councils],
                "value": chosen.place,
            }
        )
    return found
