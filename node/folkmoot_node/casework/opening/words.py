"""Values of an opened household as people read them."""

from __future__ import annotations

import datetime

from folkmoot_node.scoring.known_inputs import InputValue


def value_text(known: InputValue) -> str:
    """The value of an input with its unit."""
    value = known.value
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.date):
        return f"{value:%-d %B %Y}"
    text = f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else str(value)
    return f"£{text}" if known.unit == "GBP" else f"{text} {known.unit}".strip()
