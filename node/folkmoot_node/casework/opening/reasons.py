"""Reasons as people type them: short, and without what names a household."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.geography import POSTCODE_AREA, POSTCODE_DISTRICT, POSTCODE_INWARD

_NUMBER = re.compile(r"[0-9](?:[ -]?[0-9]){5,}")
_POSTCODE = re.compile(
    rf"\b{POSTCODE_AREA}{POSTCODE_DISTRICT} ?{POSTCODE_INWARD}\b", re.IGNORECASE | re.ASCII
)
MIN_REASON, MAX_REASON = 5, 300
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
    Field(title="the reason", min_length=MIN_REASON, max_length=MAX_REASON),
    AfterValidator(without_identifiers),
]
"""A field of a form: a reason that goes into the log."""


def whole_reason(choice: str, words: str) -> str:
    """The reason as the log has it: what was chosen, and what was typed."""
    return ": ".join(part for part in (choice, words) if part)


def checked_reason(typed: str | None) -> str:
    """The reason as the log has it, from the option `--reason` of a command.

    Raises:
        Problem: Exit code USAGE, if there is none, or it is too short, too long, or names a
            household.
    """
    given = " ".join((typed or "").split())
    try:
        without_identifiers(given)
    except ValueError as error:
        raise Problem(
            "the reason has an address or a number in it",
            where="--reason",
            remedy=str(error),
            exit_code=ExitCode.USAGE,
        ) from None
    if not MIN_REASON <= len(given) <= MAX_REASON or not given.isprintable():
        raise Problem(
            "casework is set up at this node, so that reading households needs a reason"
            if not given
            else f"the reason is not one of {MIN_REASON} to {MAX_REASON} characters",
            where="--reason",
            remedy='Say why in a few words, which the log keeps: --reason "Monthly list for '
            'welfare rights". Name nobody in it',
            exit_code=ExitCode.USAGE,
        )
    return given
