"""What a back-test says of all its dates together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from folkmoot_node.evaluation.measures.judgement import Judgement
from folkmoot_node.evaluation.measures.plain import plain
from folkmoot_node.intervals import Interval


@dataclass(frozen=True, slots=True)
class OverDates:
    """One figure over all dates, of which one at least has it.

    Attributes:
        figure: "share of events", "AUC", "average precision", or "precision" or "recall" at a
            capacity.
        capacity: Of precision and recall; None of the others.
        values: By date, in order; None where there is no figure.
        intervals: By date; None where there is no figure.
        mean: Over dates with a figure.
        mean_interval: Mean of the intervals: right if the dates hold the same households and
            events, too wide where they do not, never too narrow.
        lowest: Least value.
        highest: Highest value.
        outside: Dates whose interval does not hold the mean; one in twenty is by chance.
    """

    figure: str
    capacity: int | None
    values: tuple[float | None, ...]
    intervals: tuple[Interval | None, ...]
    mean: float
    mean_interval: Interval
    lowest: float
    highest: float
    outside: int


@dataclass(frozen=True, slots=True)
class OutcomeOverDates:
    """One outcome over all dates.

    Attributes:
        name: In the evaluation file.
        figures: One for each figure, and capacity.
        notes: Sentences: dates without a figure, figures that change more than chance allows.
    """

    name: str
    figures: tuple[OverDates, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BandsOverDates:
    """How the households divide among the bands, date by date.

    Attributes:
        band: Its name.
        shares: Of all households, from 0 to 1, by date.
    """

    band: str
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A back-test.

    Attributes:
        name: Of the evaluation file.
        capacity: Households that the council can visit, as in the file.
        smallest: Groups of fewer households, or fewer events, show no figure.
        resamples: Bootstrap samples.
        seed: Of all that is drawn.
        dates: One judgement for each, ascending.
        outcomes: Over all dates.
        bands: Over all dates.
    """

    name: str
    capacity: tuple[int, ...]
    smallest: int
    resamples: int
    seed: int
    dates: tuple[Judgement, ...]
    outcomes: tuple[OutcomeOverDates, ...]
    bands: tuple[BandsOverDates, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values: dates as ISO 8601, null where there is no figure."""
        return plain(self)  # type: ignore[no-any-return]
