"""The Atom feed of changes (RFC 4287): an entry for each approved version."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from folkmoot_node.scrutiny.public.page import templates
from folkmoot_node.scrutiny.public.versions import Version

_IDS = uuid.UUID("5b0b1f4c-5c0e-4d0c-9d3e-5f6a2d9b7e11")
"""Under which the ids of feeds and entries are made: the same for the same council and version."""
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids, in texts that people wrote."""


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
    ids = {one.number: _id(council, str(one.number), one.facts_sha256) for one in versions}
    text = (
        templates()
        .get_template("feed.atom")
        .render(name=name, id=_id(council), ids=ids, versions=versions, address=address)
    )
    return _NOT_IN_XML.sub("", text).encode()


def _id(*parts: str) -> str:
    return uuid.uuid5(_IDS, "/".join(parts)).urn
