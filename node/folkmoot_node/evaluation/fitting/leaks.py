"""Factors that nearly equal the outcome are refused, before weight is given to them."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence

from folkmoot_node.evaluation.snapshot import Leak
from folkmoot_operator.problems import ExitCode, Problem

Found = Sequence[tuple[datetime.date, Leak]]
"""What was found, each with the date on which households were known so."""


def refuse_leaks(leaks: Found, unused: Collection[str], where: str) -> None:
    """Refuses to fit while a factor that may be used nearly equals the outcome on some date.

    Args:
        leaks: What was found on all dates.
        unused: Factors that will not be used.
        where: The fit file.

    Raises:
        Problem: Exit code DATA; the names are for the terminal alone.
    """
    factors = sorted(
        f"{leak.name}, as known on {date.isoformat()}: {leak.reason}"
        for date, leak in leaks
        if leak.kind == "factor" and leak.name not in unused
    )
    if factors:
        raise Problem(
            "some factors nearly equal the outcome, as if they had been recorded after it",
            where=where,
            remedy="Find out when their inputs are recorded; name the factors in leave_out, or "
            "correct the record dates of their sources",
            exit_code=ExitCode.DATA,
            for_operator=factors,
        )


def warnings_of(leaks: Found) -> tuple[str, ...]:
    """What to say of inputs that nearly equal the outcome; a factor may use them in part."""
    found = {leak.name: leak for _, leak in leaks if leak.kind == "input"}
    return tuple(
        f"The input {name!r} nearly equals the outcome: {leak.reason}"
        for name, leak in sorted(found.items())
    )
