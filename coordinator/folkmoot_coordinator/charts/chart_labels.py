"""Names beside the rows of a chart, given to Vega so that they stay text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folkmoot_coordinator.charts.chart_theme import label_characters, label_limit
from folkmoot_coordinator.charts.markup import wrapped
from folkmoot_operator.pictures import drawable

_MOST_LINES = 2
_STEP_OF_LINE = 20


def row_axis(names: Mapping[str, str], *, narrow: bool, **more: Any) -> Any:
    """An Altair axis with names of rows in up to two lines.

    Args:
        names: By key of the row; names may repeat, and keys are letters and digits.
        narrow: Whether the chart is for a phone.
        more: Other settings of the axis.
    """
    import altair

    return altair.Axis(
        labelExpr=f"{_object(names, label_characters(narrow))}[datum.value]",
        labelLimit=label_limit(narrow),
        labelLineHeight=_STEP_OF_LINE - 2,
        ticks=False,
        **more,
    )


def extra_height(names: Mapping[str, str], *, narrow: bool) -> int:
    """Pixels that each row needs more, because some name takes two lines."""
    most = max(len(wrapped(name, label_characters(narrow), _MOST_LINES)) for name in names.values())
    return (most - 1) * (_STEP_OF_LINE - 6)


def _object(names: Mapping[str, str], characters: int) -> str:
    """A Vega expression: an object of lists of texts, each character written as its number.

    So nothing in a name can be read as anything but text.
    """
    return (
        "{"
        + ",".join(
            f"{key}:[{','.join(_quoted(line) for line in wrapped(name, characters, _MOST_LINES))}]"
            for key, name in names.items()
        )
        + "}"
    )


def _quoted(text: str) -> str:
    units = drawable(text).encode("utf-16-be")
    escaped = (f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    return '"' + "".join(escaped) + '"'
