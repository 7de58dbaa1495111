"""Diagonal lines: the sign of an area whose class is not certain."""

from __future__ import annotations

from folkmoot_coordinator.charts.palette import HATCHING, PALE

_LONG = 60


def pattern_id(prefix: str, colour: int) -> str:
    """The id of the pattern of one class."""
    return f"{prefix}-h{colour}"


def patterns(prefix: str, colours: tuple[int, ...], period: float) -> str:
    """Definitions of the patterns, for areas.

    Args:
        prefix: What their ids begin with.
        colours: Numbers of the colours.
        period: Distance from line to line, in the units of the picture.
    """
    size, line = f"{period:.4g}", f"{period * 0.42:.3g}"
    # A long tile: where two meet, some programs leave a gap in the line.
    length = f"{period * _LONG:.4g}"
    return "".join(
        f'<pattern id="{pattern_id(prefix, colour)}" patternUnits="userSpaceOnUse" width="{size}" '
        f'height="{length}" patternTransform="rotate(45)">'
        f'<path fill="{PALE[colour]}" d="M0 0h{size}v{length}h-{size}z"/>'
        f'<path fill="{HATCHING[colour]}" d="M0 0h{line}v{length}h-{line}z"/></pattern>'
        for colour in colours
    )


def hatched_swatch(x: int, y: int, width: int, height: int, colour: int) -> str:
    """A rectangle with the lines drawn one by one, for legends: no pattern is asked for."""
    lines = []
    for start in range(-height + 5, width, 6):
        # From the lower edge to the upper one, cut off at the sides.
        left, right = max(start, 0), min(start + height, width)
        lines.append(
            f"M{x + left} {y + height - (left - start)}L{x + right} {y + height - (right - start)}"
        )
    return (
        f'<path fill="{PALE[colour]}" d="M{x} {y}h{width}v{height}h-{width}z"/>'
        f'<path stroke="{HATCHING[colour]}" stroke-width="2" fill="none" d="{"".join(lines)}"/>'
    )
