"""What a chart is: data alone, so that its picture can be found again without drawing it."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol


class Chart(Protocol):
    """A chart as data; a frozen dataclass of texts, numbers and tuples of them.

    Equal charts have equal pictures.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def altair(self) -> Any:
        """The Altair chart, whose theme `chart_theme` adds; it is typed as anything."""
