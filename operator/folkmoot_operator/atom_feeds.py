"""Atom feeds (RFC 4287), of texts that people wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from folkmoot_operator.moments import to_text

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One thing that happened.

    Attributes:
        title: What it is.
        id: Names it for ever: a URN or another IRI.
        at: When, seconds since 1970-01-01T00:00:00Z.
        link: Page that tells more.
        summary: One sentence; empty for none.
        points: What it consists of, a sentence each; empty for none.
        author: Who did it, if not the feed's author.
    """

    title: str
    id: str
    at: int
    link: str
    summary: str = ""
    points: tuple[str, ...] = ()
    author: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed.

    Attributes:
        title: What it is about.
        id: Names it for ever.
        author: Who publishes it.
        link: The page beside it.
        own_link: Its own address; empty if that is not known.
        at: When it changed last, seconds since 1970-01-01T00:00:00Z.
        entries: The newest first.
    """

    title: str
    id: str
    author: str
    link: str
    own_link: str
    at: int
    entries: Sequence[FeedEntry]


def as_atom(feed: Feed) -> bytes:
    """Writes a feed.

    Returns:
        XML in UTF-8; the same content gives the same bytes.
    """
    return _NOT_IN_XML.sub("", "".join(f"{line}\n" for line in _lines(feed))).encode()


def _lines(feed: Feed) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB">'
    yield f"  <title>{escape(feed.title)}</title>"
    yield f"  <id>{escape(feed.id)}</id>"
    yield f"  <updated>{to_text(feed.at)}</updated>"
    yield f"  <author><name>{escape(feed.author)}</name></author>"
    if feed.own_link:
        yield f'  <link rel="self" href="{escape(feed.own_link)}"/>'
    yield f'  <link rel="alternate" href="{escape(feed.link)}"/>'
    for entry in feed.entries:
        yield "  <entry>"
        yield from _entry(entry)
        yield "  </entry>"
    yield "</feed>"


def _entry(entry: FeedEntry) -> Iterator[str]:
    yield f"    <title>{escape(entry.title)}</title>"
    yield f"    <id>{escape(entry.id)}</id>"
    yield f"    <updated>{to_text(entry.at)}</updated>"
    if entry.author:
        yield f"    <author><name>{escape(entry.author)}</name></author>"
    yield f'    <link rel="alternate" href="{escape(entry.link)}"/>'
    if entry.summary:
        yield f"    <summary>{escape(entry.summary)}</summary>"
    if entry.points:
        yield '    <content type="xhtml">'
        yield '      <div xmlns="http://www.w3.org/1999/xhtml"><ul>'
        for point in entry.points:
            yield f"        <li>{escape(point)}</li>"
        yield "      </ul></div>"
        yield "    </content>"
