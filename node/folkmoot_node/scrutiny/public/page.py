"""The public page: one HTML file that fetches nothing and runs no script.

The page says to the browser what it may do (a content security policy), so that a name in
somebody's policy cannot make it do anything else.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from folkmoot.public_facts import PARTS, thing_title
from folkmoot_node.scrutiny.approved_facts import ApprovedFact, ApprovedFacts
from folkmoot_node.scrutiny.differences import Difference
from folkmoot_node.scrutiny.facts import Mark
from folkmoot_node.scrutiny.public.releases_made import ReleaseMade
from folkmoot_node.scrutiny.public.versions import Version
from folkmoot_operator.moments import day_text
from folkmoot_operator.shown_values import laid_out

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
        _templates()
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


def _templates() -> Environment:
    """The template of the page; what is put into it is escaped."""
    environment = Environment(
        loader=PackageLoader(_ROOM),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(day=day_text)
    return environment


def _part(at: int, facts: ApprovedFacts) -> dict[str, Any]:
    part = PARTS[at]
    return {
        "id": f"part-{at + 1}",
        "title": part.title,
        "about": part.about,
        "rows": [_row(facts.by_key[key]) for key in part.rows(facts.by_key)],
        "things": [
            {
                "id": f"thing-{thing.replace('.', '-')}",
                "title": thing_title(thing),
                "rows": [_row(facts.by_key[key]) for key in keys],
            }
            for thing, keys in part.things(facts.by_key).items()
        ],
    }


def _row(fact: ApprovedFact) -> dict[str, Any]:
    return {
        "label": fact.label,
        "is_missing": fact.is_missing,
        "by_person": fact.mark is Mark.PERSON,
        "shown": laid_out(fact.value),
    }
