"""The public page: one HTML file that fetches nothing and runs no script.

The page says to the browser what it may do (a content security policy), so that a name in
somebody's policy cannot make it do anything else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from folkmoot_node.scrutiny.approved_facts import ApprovedFact, ApprovedFacts
from folkmoot_node.scrutiny.differences import FAMILIES, Difference, below, shown
from folkmoot_node.scrutiny.facts import Mark
from folkmoot_node.scrutiny.public.publishable import PARTS, rows_of, things_of
from folkmoot_node.scrutiny.public.releases_made import ReleaseMade
from folkmoot_node.scrutiny.public.versions import Version
from folkmoot_operator.moments import day_text, to_text

FEED = "feed.atom"
"""Name of the feed, beside the page."""
FACTS = "facts.json"
"""Name of the same for programs, beside the page."""
_ROOM = "folkmoot_node.scrutiny.public"


@dataclass(frozen=True, slots=True)
class Published:
    """All that the page shows.

    Attributes:
        council: Name of the council.
        facts: What may be published of the facts as they are now.
        changes: What of them differs from the last approved version.
        unpublished_changes: Whether anything else differs from it.
        versions: The approved versions, oldest first; at least one.
        releases: What has left, oldest first.
        made_at: Seconds since 1970-01-01T00:00:00Z.
    """

    council: str
    facts: ApprovedFacts
    changes: tuple[Difference, ...]
    unpublished_changes: bool
    versions: tuple[Version, ...]
    releases: tuple[ReleaseMade, ...]
    made_at: int


def as_page(published: Published) -> str:
    """Makes the page.

    Returns:
        HTML 5 as text; the same content gives the same text.
    """
    style = files(_ROOM).joinpath("templates", "public.css").read_text("utf-8")
    return (
        templates()
        .get_template("public.html")
        .render(
            published=published,
            latest=published.versions[-1],
            parts=[_part(at, published.facts) for at in range(len(PARTS))],
            style=style,
            style_sha256=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            feed=FEED,
            facts_file=FACTS,
        )
    )


def templates() -> Environment:
    """The templates of page and feed; what is put into them is escaped."""
    environment = Environment(
        loader=PackageLoader(_ROOM),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(day=day_text, moment=to_text)
    return environment


def _part(at: int, facts: ApprovedFacts) -> dict[str, Any]:
    part = PARTS[at]
    return {
        "id": f"part-{at + 1}",
        "title": part.title,
        "about": part.about,
        "rows": [_row(one) for one in rows_of(part, facts)],
        "things": [
            {
                "id": f"thing-{thing.replace('.', '-')}",
                "title": _title(thing),
                "rows": [_row(one) for one in below(facts.by_key, thing).values()],
            }
            for thing in things_of(part, facts)
        ],
    }


def _title(thing: str) -> str:
    """What a thing is called: "Source housing"."""
    family, _, name = thing.rpartition(".")
    return f"{FAMILIES[family].capitalize()} {name}"


def _row(fact: ApprovedFact) -> dict[str, Any]:
    return {
        "key": fact.key,
        "label": fact.label,
        "is_missing": fact.is_missing,
        "by_person": fact.mark is Mark.PERSON,
        **_value(fact.value),
    }


def _value(value: Any) -> dict[str, Any]:
    """What the template shows: a text, points of a list, or a table."""
    if (
        isinstance(value, Mapping)
        and value
        and all(isinstance(one, Mapping) for one in value.values())
    ):
        columns = _columns(list(value.values()))
        rows = [
            [name, *(shown(one.get(column, "")) for column in columns)]
            for name, one in value.items()
        ]
        return {"kind": "table", "columns": ["name", *columns], "cells": rows}
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        columns = _columns(value)
        rows = [[shown(one.get(column, "")) for column in columns] for one in value]
        return {"kind": "table", "columns": columns, "cells": rows}
    if isinstance(value, Mapping) and value:
        return {
            "kind": "points",
            "points": [f"{name}: {shown(one)}" for name, one in value.items()],
        }
    if isinstance(value, list) and len(value) > 1:
        return {"kind": "points", "points": [shown(one) for one in value]}
    return {"kind": "text", "text": shown(value)}


def _columns(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of all columns, in the order in which they are first met."""
    return list(dict.fromkeys(name for one in entries for name in one))
