"""What a map shows of each area: its class, how certain that is, and a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.charts.palette import spread

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

NO_CLASS = -1
"""An area without a figure."""


@dataclass(frozen=True, slots=True, eq=False)
class AreaClasses:
    """Areas in classes.

    Attributes:
        classes: Number of the class of each area, from 0, the lowest; -1 for an area without a
            figure, int64, shape (areas,).
        certain: Whether the true figure is in this class with the probability that `sure` names,
            bool, shape (areas,).
        texts: For each area its name, value, interval and reliability; see `area_text`.
        labels: Of each class in words, such as `120 to 179 households`; at most five.
        sure: The probability from which a class is certain, for people, such as `90%`.
    """

    classes: Int64
    certain: Bool
    texts: Sequence[str]
    labels: Sequence[str]
    sure: str = "90%"

    def __post_init__(self) -> None:
        areas = len(self.texts)
        if self.classes.shape != (areas,) or self.certain.shape != (areas,):
            raise ValueError("classes, certain and texts have one entry for each area")
        if areas and not (self.classes.min() >= NO_CLASS and self.classes.max() < len(self.labels)):
            raise ValueError("a class has no label")
        spread(len(self.labels))

    @property
    def colours(self) -> tuple[int, ...]:
        """For each class the number of its colour."""
        return spread(len(self.labels))

    def places_of(self, number: int, *, certain: bool) -> list[int]:
        """Places of the areas of one class; of those without a figure, `certain` is not asked."""
        chosen = self.classes == number
        if number != NO_CLASS:
            chosen &= self.certain == certain
        return np.flatnonzero(chosen).tolist()


def area_text(name: str, value: str, interval: tuple[str, str], reliability: str) -> str:
    """What is said of an area when somebody points at it.

    Args:
        name: The area.
        value: Its figure with its unit, such as `134 households`.
        interval: Ends of its 95% interval.
        reliability: In words, such as `80% sure that it is in this class`.
    """
    low, high = interval
    return f"{name}: {value}, 95% interval {low} to {high}. {reliability}"


def no_figure_text(name: str) -> str:
    """What is said of an area without a figure."""
    return f"{name}: no figure"
