"""Answers that a browser may keep, and asks about again each time.

A result never changes, but it can be withdrawn, and who reads it can sign out. So a browser keeps
a page for its one visitor, and asks whether it still stands: mostly the answer is 304, without the
page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.region import region_of
from folkmoot_web.visitors import visitor_of

KEPT = "private, no-cache"
"""`Cache-Control` of a result: kept by whoever asked alone, and asked about each time."""


def page_tag(request: Request, published: Published, *more: object) -> str:
    """The strong ETag of a page about a round.

    It covers the figures, whether they were withdrawn, the program's version, the address, who
    reads, and how the answer is compressed: two answers with one tag have the same bytes.

    Args:
        request: What was asked.
        published: The round.
        more: What else the page depends on.
    """
    visitor = visitor_of(request)
    region = region_of(request)
    renderer = request.app.state.renderer
    parts = (
        published.digest,
        version("folkmoot-web"),
        str(renderer.environment.globals["static"]("site.css")),
        str(request.url),
        visitor.name,
        visitor.display_name,
        visitor.roles,
        region.boundaries_stamp(),
        _encoding(request),
        *more,
    )
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def file_tag(request: Request, digest: str) -> str:
    """The strong ETag of a file that is the same for everybody."""
    return f'"{digest[:32]}{_encoding(request)}"'


def not_changed(request: Request, tag: str) -> Response | None:
    """The answer to a browser that has this very answer already; None for any other."""
    return Response(status_code=304, headers=headers_of(tag)) if is_known(request, tag) else None


def is_known(request: Request, tag: str) -> bool:
    """Whether whoever asks has this answer already (RFC 9110, section 13.1.2)."""
    asked = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    return "*" in asked or tag in (one.removeprefix("W/") for one in asked)


def headers_of(tag: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Headers of an answer that may be kept."""
    vary = "Accept-Encoding, Cookie"
    return {"ETag": tag, "Cache-Control": KEPT, "Vary": vary, **(more or {})}


def _encoding(request: Request) -> str:
    return "-gzip" if "gzip" in request.headers.get("accept-encoding", "") else ""
