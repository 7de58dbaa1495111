"""Every span that a node may trace, and why it discloses nothing of residents.

Stages have one span each, whatever the number of sources and of parts in which households are
scored: their number grows with that of households.
"""

from __future__ import annotations

from folkmoot_operator.events import Kind
from folkmoot_operator.spans import Span, listed

_ROUNDED = "It has no number of anything; its duration is rounded up to ten seconds."

RUN = Span("node.run", _ROUNDED, {"engine": Kind.WORD}, coarse=True)
STAGE = Span("node.run.stage", _ROUNDED, {"stage": Kind.WORD}, coarse=True)
VISIT = Span(
    "node.visit",
    "When a node visits the coordinator, and whether it reached it: the coordinator sees that.",
    {"result": Kind.WORD},
)
ANSWER = Span(
    "node.round.answer",
    "A round's id, and whether it was released, refused or left waiting, which the region learns. "
    "Its duration is rounded up to ten seconds, for counting takes longer for more households.",
    {"round": Kind.ROUND, "result": Kind.WORD},
    coarse=True,
)

SPANS = listed(RUN, STAGE, VISIT, ANSWER)
"""All of them, by name."""
