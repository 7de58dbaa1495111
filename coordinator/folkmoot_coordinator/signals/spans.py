"""Every span that a coordinator may trace, and why it discloses nothing."""

from __future__ import annotations

from folkmoot_operator.events import Kind
from folkmoot_operator.spans import Span, listed

CALL = Span(
    "coordinator.call",
    "The name of a method and how the call ended; neither who called nor what was sent.",
    {"method": Kind.WORD, "result": Kind.WORD},
)

SPANS = listed(CALL)
"""All of them, by name."""
