"""The Atom feed of changes (RFC 4287): an entry for each approved version."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from html import escape
from xml.etree import ElementTree as Xml

from folkmoot_node.scrutiny.public.versions import Version
from folkmoot_operator.moments import to_text

_ATOM = "http://www.w3.org/2005/Atom"
_IDS = uuid.UUID("5b0b1f4c-5c0e-4d0c-9d3e-5f6a2d9b7e11")
"""Under which the ids of feeds and entries are made: the same for the same council and version."""


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
    feed = Xml.Element("feed", {"xmlns": _ATOM, "xml:lang": "en-GB"})
    _text(feed, "title", f"How {name} scores households: changes")
    _text(feed, "id", _id(council))
    _text(feed, "updated", to_text(versions[-1].at))
    _text(Xml.SubElement(feed, "author"), "name", name)
    if address:
        Xml.SubElement(feed, "link", {"rel": "self", "href": f"{address}feed.atom"})
    Xml.SubElement(feed, "link", {"rel": "alternate", "href": f"{address}index.html"})
    for version in reversed(versions):
        entry = Xml.SubElement(feed, "entry")
        _text(entry, "title", f"Version {version.number}")
        _text(entry, "id", _id(council, str(version.number), version.facts_sha256))
        _text(entry, "updated", to_text(version.at))
        link = f"{address}index.html#version-{version.number}"
        Xml.SubElement(entry, "link", {"rel": "alternate", "href": link})
        _text(entry, "summary", f"Reason: {version.reason}")
        points = "".join(f"<li>{escape(one)}</li>" for one in version.words)
        _text(entry, "content", f"<ul>{points}</ul>", type="html")
    Xml.indent(feed)
    return bytes(Xml.tostring(feed, encoding="utf-8", xml_declaration=True)) + b"\n"


def _text(parent: Xml.Element, name: str, text: str, **attributes: str) -> None:
    Xml.SubElement(parent, name, attributes).text = text


def _id(*parts: str) -> str:
    return uuid.uuid5(_IDS, "/".join(parts)).urn
