"""The public page: one HTML file that fetches nothing and runs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from folkmoot.public_facts import PARTS, causes_first, for_people, thing_title
from folkmoot_node.lone_pages import lone_page
from folkmoot_node.scrutiny.approved_facts import ApprovedFact, ApprovedFacts
from folkmoot_node.scrutiny.differences import Difference
from folkmoot_node.scrutiny.facts import Mark
from folkmoot_node.scrutiny.public.first_questions import Answer, answers, number_or_0
from folkmoot_node.scrutiny.public.releases_made import ReleaseMade
from folkmoot_node.scrutiny.public.versions import Version
from folkmoot_operator.shown_values import laid_out

FEED = "feed.atom"
"""Name of the feed, beside the page."""
FACTS = "facts.json"
"""Name of the same for programs, beside the page."""


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
    return lone_page(
        "folkmoot_node.scrutiny.public",
        "public.html",
        "public.css",
        published=published,
        latest=published.versions[-1],
        changes=[one.words for one in causes_first(published.changes)],
        asked=[_answer(one, published.facts) for one in answers(published.facts)],
        parts=[_part(at, published.facts) for at in range(len(PARTS))],
        feed=FEED,
        facts_file=FACTS,
    )


def _answer(answer: Answer, facts: ApprovedFacts) -> dict[str, Any]:
    rows = _rows([facts.by_key[key] for key in answer.facts])
    return {"question": answer.question, "table": answer.table, "rows": rows}


def _part(at: int, facts: ApprovedFacts) -> dict[str, Any]:
    part = PARTS[at]
    return {
        "id": f"part-{at + 1}",
        "title": part.title,
        "about": part.about,
        "rows": _rows([facts.by_key[key] for key in part.rows(facts.by_key)]),
        "things": [
            {
                "id": f"thing-{thing.replace('.', '-')}",
                "title": thing_title(thing),
                "rows": _rows([facts.by_key[key] for key in keys]),
            }
            for thing, keys in sorted(
                part.things(facts.by_key).items(), key=lambda one: _lowest(facts, one[0])
            )
        ],
    }


def _lowest(facts: ApprovedFacts, thing: str) -> float:
    """Where a band begins; other things stay in their order."""
    return number_or_0(facts.by_key.get(f"{thing}.from"))


def _rows(facts: Sequence[ApprovedFact]) -> dict[str, Any]:
    """What is said, and what nobody has answered, which stands together."""
    return {
        "said": [
            {
                "label": one.label,
                "by_person": one.mark is Mark.PERSON,
                "shown": laid_out(for_people(one.key, one.value)),
            }
            for one in facts
            if not one.is_missing
        ],
        "missing": [one.label for one in facts if one.is_missing],
    }
