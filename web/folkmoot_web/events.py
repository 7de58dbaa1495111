"""Every event that a site may write into a log, and why it discloses nothing of who uses it."""

from __future__ import annotations

from folkmoot_operator.events import Kind, Level, LogEvent, listed

_ID = "A random id that stands on the error page as well, and code; never the address asked for."

REQUEST_PROBLEM = LogEvent(
    "web.request.problem",
    Level.ERROR,
    "request {request}: {problem}",
    "A random id, and a problem of the installation: its texts name files, keys and addresses.",
    {"request": Kind.WORD, "problem": Kind.FAULT},
)
REQUEST_FAILED = LogEvent(
    "web.request.failed",
    Level.ERROR,
    "request {request} failed: {trace}",
    _ID,
    {"request": Kind.WORD, "trace": Kind.CODE},
)
PAGE_FAILED = LogEvent(
    "web.request.no_error_page",
    Level.ERROR,
    "request {request}: no error page: {trace}",
    _ID,
    {"request": Kind.WORD, "trace": Kind.CODE},
)
SIGN_IN_REFUSED = LogEvent(
    "web.sign_in.refused",
    Level.WARNING,
    "the OpenID provider's answer was refused: {error} {code}",
    "The type of an error and a code that the OpenID standard names; no account, no token.",
    {"error": Kind.WORD, "code": Kind.WORD},
    frozenset({"code"}),
)

EVENTS = listed(REQUEST_PROBLEM, REQUEST_FAILED, PAGE_FAILED, SIGN_IN_REFUSED)
"""All of them, by name."""
