r"""Texts in files that people open in spreadsheets, written so that none of them is a formula.

A cell that begins with `=`, `+`, `-` or `@` is computed, and can start programs or send what
other cells hold to an address. Blanks and characters without width before the sign do not help,
and the wide forms of Japanese keyboards count too. Where a list is separated by semicolons, a
semicolon inside a text begins a cell of its own. So an apostrophe goes before each such sign:
spreadsheets take what follows for text.

Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import re

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_UNSEEN = "\\s\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff"
FORMULA = f'(^|[;\\t\\r\\n])([{_UNSEEN}"]*)([{_SIGNS}])'
"""Where a cell begins with a sign of a formula: for `re`, and for the expressions of Polars."""
HARMLESS = "${1}${2}'${3}"
"""What stands there instead, for Polars."""
_FORMULA = re.compile(FORMULA)


def harmless(text: str) -> str:
    """The text as a spreadsheet takes it for text."""
    return _FORMULA.sub(r"\1\2'\3", text)


def harmless_line(text: str) -> str:
    """The same on one line, for files that people write into."""
    return harmless(" ".join(text.split()))
