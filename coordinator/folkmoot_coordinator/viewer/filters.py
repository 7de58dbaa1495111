"""Select boxes that choose what of a round a page works with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from folkmoot.workload import Marginal
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.region import Region
from folkmoot_coordinator.viewer.round_facts import RoundFacts
from folkmoot_coordinator.viewer.selection import Selection, choices
from folkmoot_coordinator.viewer.words import capital, phrase, slug, table_title
from folkmoot_operator.moments import day_text


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
    found += code_filters(published, chosen)
    if with_place and chosen.area is not None and len(published.coverage.released) > 1:
        found.append(council_filter(region, published, chosen, "Show areas of"))
    return found


def code_filters(published: Published, chosen: Selection) -> list[dict[str, Any]]:
    """A code of each attribute but those of areas."""
    return [
        {
            "name": one.name,
            "label": capital(phrase(one.name)),
            "items": choices(published, one),
            "value": code,
        }
        for one, code in zip(chosen.attributes, chosen.codes, strict=True)
    ]


def council_filter(
    region: Region, published: Published, chosen: Selection, label: str = "Council"
) -> dict[str, Any]:
    """One of the councils that are in the figures, or all."""
    councils = [
        {"value": code, "text": region.council(code)} for code in published.coverage.released
    ]
    return {
        "name": "place",
        "label": label,
        "items": [{"value": "", "text": "All councils"}, *councils],
        "value": chosen.place,
    }


def round_choices(rounds: Iterable[RoundFacts]) -> list[dict[str, str]]:
    """Rounds for a select box, after none of them."""
    return [
        {"value": "", "text": "None"},
        *(
            {
                "value": one.round_id,
                "text": f"{one.question.title}, {day_text(one.closed_at or one.deadline)}",
            }
            for one in rounds
        ),
    ]
