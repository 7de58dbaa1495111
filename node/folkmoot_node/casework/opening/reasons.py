"""Reasons as people type them: short, and without what names a household."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from folkmoot_sdk.geography import POSTCODE_AREA, POSTCODE_DISTRICT, POSTCODE_INWARD

_NUMBER = re.compile(r"[0-9](?:[ -]?[0-9]){5,}")
_POSTCODE = re.compile(
    rf"\b{POSTCODE_AREA}{POSTCODE_DISTRICT} ?{POSTCODE_INWARD}\b", re.IGNORECASE | re.ASCII
)
MAX_REASON = 300
"""Characters."""


def without_identifiers(text: str) -> str:
    """A text that the log keeps, as it is.

    Raises:
        ValueError: If it has a postcode, or a number of six digits or more, as a UPRN or a
            telephone number is.
    """
    # Wide digits and those of other scripts, and blanks that do not break.
    plain = "".join(str(unicodedata.digit(one, one)) for one in unicodedata.normalize("NFKC", text))
    if _NUMBER.search(plain) or _POSTCODE.search(plain):
        raise ValueError(
            "Leave out addresses, reference numbers and telephone numbers: the log keeps this text"
        )
    return text


Reason = Annotated[
    str,
    Field(title="the reason", min_length=5, max_length=MAX_REASON),
    AfterValidator(without_identifiers),
]
"""A field of a form: a reason that goes into the log."""


def whole_reason(choice: str, words: str) -> str:
    """The reason as the log has it: what was chosen, and what was typed."""
    return ": ".join(part for part in (choice, words) if part)
