"""Files in which a made-up council publishes how it scores, as its node writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from folkmoot_node.scrutiny.approved_facts import ApprovedFacts
from folkmoot_node.scrutiny.differences import differences
from folkmoot_node.scrutiny.facts import FactBase, Mark
from folkmoot_node.scrutiny.public.page import Published
from folkmoot_node.scrutiny.public.publishable import publishable
from folkmoot_node.scrutiny.public.releases_made import ReleaseMade
from folkmoot_node.scrutiny.public.site import as_json
from folkmoot_node.scrutiny.public.versions import Version
from tests.made_up_facts import COUNCIL, MADE_UP, approved, base_of, changed, fact

DAY = 86_400
NOON = 1_796_126_400
"""1 December 2026, 12:00 UTC."""
RELEASE = ReleaseMade(
    "ab" * 16, "Winter", "winter_support", NOON, "0.25", 3.1, "1e-06", ("by band: 4 counts",),
    "cd" * 32,
)  # fmt: skip


def real_facts() -> FactBase:
    """Configuration of a council of the tests that has everything, as its node gathered it."""
    text = (Path(__file__).parent / "facts_of_council.jsonl").read_text("utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    return base_of(
        *(
            fact(one["key"], one["label"], one["value"], mark=Mark(one["mark"]))
            for one in found
            if one["configuration"] and not one["own"]
        )
    )


def versions_of(*bases: FactBase, reason: str = "review") -> tuple[Version, ...]:
    """Approved versions, a day after each other."""
    found: list[Version] = []
    before: ApprovedFacts | None = None
    for number, base in enumerate(bases, 1):
        facts = publishable(approved(base))
        changes = () if before is None else differences(before, facts)
        at = NOON + number * DAY
        why = f"{reason} {number}"
        found.append(Version(number, at, why, approved(base).sha256, changes))
        before = facts
    return tuple(found)


def published_facts(
    now: FactBase = MADE_UP,
    *earlier: FactBase,
    made_at: int = NOON,
    name: str = "Trafford",
    reason: str = "review",
    releases: tuple[ReleaseMade, ...] = (RELEASE,),
    council: str = COUNCIL,
) -> bytes:
    """The file `facts.json`.

    Args:
        now: The facts as they are.
        earlier: As they were approved, oldest first; by default the facts as they are.
        made_at: When the file was written.
        name: Of the council.
        reason: Why each version was approved.
        releases: What has left.
        council: GSS code.
    """
    last = earlier[-1] if earlier else now
    if council != COUNCIL:
        now, last = (changed("node.council", council, base=one) for one in (now, last))
        earlier = tuple(changed("node.council", council, base=one) for one in earlier)
    facts = publishable(approved(now))
    facts = ApprovedFacts(council, facts.by_key)
    changes = differences(publishable(approved(last)), facts)
    versions = versions_of(*(earlier or (now,)), reason=reason)
    return as_json(Published(name, facts, changes, False, versions, releases, made_at))


def edited(change: Callable[[dict[str, Any]], object], content: bytes = b"") -> bytes:
    """A file that somebody has changed by hand."""
    body = json.loads(content or published_facts())
    change(body)
    return json.dumps(body).encode()
