"""Whether ours is fast enough at equal error."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

RATIO_LIMIT = 1.3
"""Ours to the floor."""
MAX_DEVIATIONS = 5.0
"""Standard errors between the two mean squared errors; equal ones differ by more in one run
of 1.7 million."""


def absolute_errors(
    histograms: Sequence[Mapping[int, float]], exact: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Absolute errors of all cells that were released, of all histograms, in one array."""
    return np.array(
        [abs(value - exact[cell]) for made in histograms for cell, value in made.items()],
        dtype=np.float64,
    )


def ratios(ours: Sequence[float], floor: Sequence[float]) -> list[float]:
    """Ratio of each pair."""
    return [one / other for one, other in zip(ours, floor, strict=True)]


def deviations(ours: npt.NDArray[np.float64], floor: npt.NDArray[np.float64]) -> float:
    """Difference of the two means, in its standard errors (Welch)."""
    error = math.sqrt(ours.var(ddof=1) / ours.size + floor.var(ddof=1) / floor.size)
    return float((ours.mean() - floor.mean()) / error)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Ours against the floor, in alternated pairs.

    Attributes:
        ratio: Median ratio of the pairs, one thread drawing noise on both sides.
        ratio_as_configured: The same with the threads a node has unless told otherwise.
        processor_ratio: The first in seconds of processors, all threads; for information. It
            hardly depends on what else the machine does.
        error: Root mean squared error of ours, households. It is what a plan makes least. The
            mean absolute error does not compare: ours is a weighted sum of whole numbers of
            noise, not one of them, which at equal variance has 2 % more of it.
        floor_error: That of the floor.
        deviations: Difference of the two mean squared errors, in standard errors.
    """

    ratio: float
    ratio_as_configured: float
    processor_ratio: float
    error: float
    floor_error: float
    deviations: float

    @classmethod
    def of(cls, paired: Mapping[str, Any], exact: npt.NDArray[np.int64]) -> Verdict:
        """Judges what `paired` measured."""
        squares = {
            name: absolute_errors([dict(enumerate(made)) for made in histograms], exact) ** 2
            for name, histograms in paired["histograms"].items()
        }
        ours = np.concatenate([squares["one thread"], squares["as configured"]])
        seconds = paired["seconds"]
        return cls(
            ratio=statistics.median(ratios(seconds["one thread"], seconds["floor"])),
            ratio_as_configured=statistics.median(
                ratios(seconds["as configured"], seconds["floor"])
            ),
            processor_ratio=statistics.median(
                ratios(
                    paired["processor_seconds"]["one thread"], paired["processor_seconds"]["floor"]
                )
            ),
            error=math.sqrt(ours.mean()),
            floor_error=math.sqrt(squares["floor"].mean()),
            deviations=deviations(ours, squares["floor"]),
        )

    def failures(self) -> list[str]:
        """What is not as it should be; empty if all is well."""
        found = []
        for name, ratio in (
            ("on one thread", self.ratio),
            ("as configured", self.ratio_as_configured),
        ):
            if ratio > RATIO_LIMIT:
                found.append(
                    f"{name}, ours takes {ratio:.2f} times the floor (at most {RATIO_LIMIT})"
                )
        if abs(self.deviations) > MAX_DEVIATIONS:
            found.append(
                f"the error of ours, {self.error:.3f}, is not that of bare OpenDP, "
                f"{self.floor_error:.3f}: {self.deviations:+.1f} standard errors apart"
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """For the results."""
        return asdict(self)
