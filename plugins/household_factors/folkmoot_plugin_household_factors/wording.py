"""Phrases that several explanations use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def listed(items: Sequence[str], last: str = "and") -> str:
    """Items as in `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def not_known(values: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """A sentence that names the inputs that are not known; empty if all are.

    Args:
        values: The household's values by input.
        names: For each input that matters its name in words.
    """
    unknown = [words for name, words in names.items() if values.get(name) is None]
    return f"Not known: {listed(unknown)}." if unknown else ""


def sentences(*parts: str) -> str:
    """Joins the sentences that are not empty."""
    return " ".join(part for part in parts if part)


def pounds(amount: float) -> str:
    """An amount in pounds, without pence unless it is below ten."""
    return f"£{amount:,.2f}" if 0 < amount < 10 else f"£{amount:,.0f}"
