"""Answers of the API: ETags, HEAD, and tables sent a piece at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.api.access import key_of
from folkmoot_coordinator.viewer.api.forms import Form
from folkmoot_coordinator.viewer.caching import KEPT, is_known
from folkmoot_coordinator.viewer.noted_downloads import note_download

_VARY = "Accept, Authorization, Cookie, Accept-Encoding"


def tag_of(request: Request, *parts: object) -> str:
    """A strong ETag: answers that have the same one have the same bytes.

    Args:
        request: Its address and encodings count too.
        parts: What else the answer depends on.
    """
    encoding = "gzip" in request.headers.get("accept-encoding", "")
    query = sorted(request.query_params.multi_items())
    text = repr((request.url.path, query, encoding, *parts))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def send_document(request: Request, content: Any, media_type: str = "application/json") -> Response:
    """A short document as JSON.

    Args:
        request: That asked for it.
        content: What it says.
        media_type: For the header Content-Type.
    """
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    tag = tag_of(request, hashlib.sha256(body).hexdigest())
    headers = _headers(tag)
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def send_figures(request: Request, published: Published, name: str, content: Any) -> Response:
    """Figures of a round as a short document; that they were sent is noted.

    Args:
        request: That asked for them.
        published: The round.
        name: Which of its figures, for the audit log.
        content: What it says.
    """
    answer = send_document(request, content)
    if answer.status_code == 200 and request.method == "GET":
        key = key_of(request)
        more = {"key": key.key_id} if key else {}
        note_download(request, published.round_.round_id, name, "json", **more)
    return answer


def send_table(
    request: Request,
    tag: str,
    form: Form,
    name: str,
    make: Callable[[], Iterator[bytes]],
    note: Callable[[], None],
    more: Mapping[str, str] | None = None,
) -> Response:
    """A table, a piece at a time.

    Args:
        request: That asked for it.
        tag: Its ETag.
        form: Its form.
        name: Of the file, without its ending.
        make: Gives its pieces.
        note: Records that it was sent; not called where no figure is.
        more: Other headers.
    """
    headers = {**_headers(tag), **(more or {})}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = form.content_type
    if form is not Form.JSON:
        headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    if request.method == "HEAD":
        return StreamingResponse(iter(()), headers=headers)
    pieces = make()
    # Before anything is sent an error still has a page of its own.
    first = next(pieces, b"")
    note()
    return StreamingResponse(chain([first], pieces), headers=headers)


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": KEPT, "Vary": _VARY}
