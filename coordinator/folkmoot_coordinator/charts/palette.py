"""Colours of maps and charts: GOV.UK's, and classes that colour-blind people distinguish."""

from __future__ import annotations

CLASSES = ("#cde594", "#80c6a3", "#1f9eb7", "#186290", "#080c54")
"""From low to high, darker each time, in print without colour too. Source: ONS, census maps."""
PALE = ("#f4f9e7", "#deefe6", "#cde9ef", "#b6cbdb", "#bcbdd0")
"""The same, for areas whose class is not certain; under the hatching."""
HATCHING = ("#8fa64c", "#4a9a75", "#1f9eb7", "#186290", "#080c54")
"""Lines over the pale colours. The two lightest are darkened, or nobody would see them."""
NO_FIGURE = "#eeefef"

INK = "#0b0c0c"
SECONDARY = "#505a5f"
GRID = "#dee0e2"
BACKGROUND = "#ffffff"
BLUE = "#1d70b8"
ORANGE = "#f47738"
SERIES = ("#12436d", "#28a197", "#801650", "#f46a25", "#3d3d3d", "#a285d1")
"""For lines and bars beside each other. Source: Government Analysis Function, categories."""
FONT = "Arial, Helvetica, sans-serif"


def spread(number: int) -> tuple[int, ...]:
    """Which of the five colours a scale of fewer classes takes, from the lightest to the darkest.

    Raises:
        ValueError: If there are more than five classes, or none.
    """
    if not 1 <= number <= len(CLASSES):
        raise ValueError(f"a map has 1 to {len(CLASSES)} classes, not {number}")
    return {1: (2,), 2: (1, 3), 3: (0, 2, 4), 4: (0, 1, 3, 4), 5: (0, 1, 2, 3, 4)}[number]
