"""Limits on how much a request may send, and how slowly."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.types import Message

from folkmoot_web.errors import WebProblem

DEFAULT_MAX_BYTES = 256 * 1024
"""For a route that names no limit: a form with long texts."""
MAX_PARAMETERS = 100
"""Different names in an address. FastAPI looks each up among all, while nobody else is served: the
9,000 for which there is room took over a second."""
SECONDS = 60
"""Within which the body of a request has to arrive."""
_LENGTH = re.compile(r"[0-9]{1,30}")


def limited(request: Request, max_bytes: int) -> Request:
    """The request, with a body that fails once it is longer than allowed, or too slow.

    An address that has more parameters than any page knows fails at once.

    Args:
        request: As it came; its body was not read yet.
        max_bytes: Of the body.

    Raises:
        WebProblem: Status 413, now if the request says its length, else while it is read; or 408.
            Status 400, for too many parameters.
    """
    if len(request.query_params) > MAX_PARAMETERS:
        raise WebProblem(
            400,
            "The address is wrong",
            f"A page takes at most {MAX_PARAMETERS} parameters.",
            "Use the links and forms of the site.",
        )
    length = request.headers.get("content-length", "")
    if _LENGTH.fullmatch(length) and int(length) > max_bytes:
        raise _too_long(max_bytes)
    read = 0
    is_whole = False
    until = asyncio.get_running_loop().time() + SECONDS

    async def receive() -> Message:
        nonlocal read, is_whole
        if is_whole:  # what comes now is that the client has gone
            return await request.receive()
        try:
            async with asyncio.timeout_at(until):
                message = await request.receive()
        except TimeoutError:
            raise WebProblem(
                408, "What you sent took too long", "", "Try again over a better connection."
            ) from None
        is_whole = not message.get("more_body", False)
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
