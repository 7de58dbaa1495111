"""Text that others wrote, made safe to show: signs that steer a terminal are shown, not obeyed.

Whoever writes into a log, a backup or a settings file could otherwise move the cursor, hide lines
or change the order of letters on the screen of whoever reads it.
"""

from __future__ import annotations

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # all controls but the tab and the end of a line
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # those that change the order of letters
    "\ud800-\udfff]"  # halves of pairs, which no terminal takes
)


def plain(text: str) -> str:
    r"""A text in which each sign that steers a terminal is written out, such as `\u001b`."""
    return _STEERING.sub(_written_out, text)


def is_plain(text: str) -> bool:
    """Whether a text has no sign that steers a terminal; halves of pairs stand for odd names."""
    return not any(not "\ud800" <= found.group() <= "\udfff" for found in _STEERING.finditer(text))


def _written_out(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"
