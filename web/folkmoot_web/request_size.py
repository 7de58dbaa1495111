"""Limits on how much a request may send."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.types import Message

from folkmoot_web.errors import WebProblem

DEFAULT_MAX_BYTES = 256 * 1024
"""For a route that names no limit: a form with long texts."""
_LENGTH = re.compile(r"[0-9]{1,30}")


def limited(request: Request, max_bytes: int) -> Request:
    """The request, with a body that fails once it is longer than allowed.

    Args:
        request: As it came; its body was not read yet.
        max_bytes: Of the body.

    Raises:
        WebProblem: Status 413, now if the request says its length, else while it is read.
    """
    length = request.headers.get("content-length", "")
    if _LENGTH.fullmatch(length) and int(length) > max_bytes:
        raise _too_long(max_bytes)
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > max_bytes:
            raise _too_long(max_bytes)
        return message

    return Request(request.scope, receive)


def _too_long(max_bytes: int) -> WebProblem:
    return WebProblem(
        413,
        "What you sent is too long",
        f"This page takes {max_bytes // 1024:,} KB at most.",
        "Send a smaller file or a shorter text.",
    )
