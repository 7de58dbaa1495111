"""The Atom feed of changes: an entry for each approved version."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.public_facts import version_id
from folkmoot_node.scrutiny.public.versions import Version
from folkmoot_operator.atom_feeds import Feed, FeedEntry, as_atom


def as_feed(council: str, name: str, versions: Sequence[Version], address: str = "") -> bytes:
    """Makes the feed, the newest version first.

    Args:
        council: GSS code of the council.
        name: Its name.
        versions: Oldest first; at least one.
        address: Where the page will be published, an address that ends with a slash; links stay
            relative if it is empty.

    Returns:
        XML in UTF-8; the same content gives the same bytes.
    """
    return as_atom(
        Feed(
            title=f"How {name} scores households: changes",
            id=version_id(council),
            author=name,
            link=f"{address}index.html",
            own_link=f"{address}feed.atom" if address else "",
            at=versions[-1].at,
            entries=[
                FeedEntry(
                    title=f"Version {one.number}",
                    id=version_id(council, str(one.number), one.facts_sha256),
                    at=one.at,
                    link=f"{address}index.html#version-{one.number}",
                    summary=f"Reason: {one.reason}",
                    points=one.words,
                )
                for one in reversed(versions)
            ],
        )
    )
