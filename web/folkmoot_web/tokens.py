"""Random tokens, how they are kept, and tokens of forms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_BYTES = 32
_FORM = b"folkmoot form"


def new_token() -> str:
    """A token that nobody guesses: 43 characters that URLs and cookies take as they are."""
    return secrets.token_urlsafe(_BYTES)


def digest(token: str) -> str:
    """What is kept of a token, so that who reads the database cannot use it: 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(cookie: str) -> str:
    """The token of a form for the browser that has this cookie.

    It is another text each time, so that compressed pages do not give it away (BREACH).

    Args:
        cookie: The session's token, or the browser's.
    """
    pad = secrets.token_bytes(_BYTES)
    return base64.urlsafe_b64encode(pad + _mask(pad, _form_code(cookie))).decode()


def is_form_token(cookie: str, token: str) -> bool:
    """Whether a form was made for the browser that has this cookie."""
    try:
        content = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, UnicodeEncodeError):
        return False
    if len(content) != 2 * _BYTES:
        return False
    code = _mask(content[:_BYTES], content[_BYTES:])
    return hmac.compare_digest(code, _form_code(cookie))


def _form_code(cookie: str) -> bytes:
    return hmac.digest(cookie.encode(), _FORM, "sha256")


def _mask(pad: bytes, content: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(pad, content, strict=True))
