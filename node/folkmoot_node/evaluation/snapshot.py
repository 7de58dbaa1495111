"""Households as they were known on one date, and what then happened to them: columns."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.int16] | npt.NDArray[np.int32]
"""What factors add, in thousandths of a point; `UNKNOWN_POINTS` where it is not known."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Households divided into groups, as by a protected characteristic held for audit.

    Attributes:
        field: Name of the field.
        characteristic: As the Equality Act has it; empty if it is none.
        names: The groups, without that of unknown values.
        index: uint8, shape (households,); `len(names)` where it is not known.
    """

    field: str
    characteristic: str
    names: tuple[str, ...]
    index: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Happened:
    """One outcome of the evaluation file within its horizon.

    Attributes:
        name: Name in the evaluation file.
        months: The horizon.
        until: Last day of it.
        first: datetime64[D], shape (households,): the first event after the date and not after
            `until`; NaT if there was none.
        before: bool, shape (households,): whether there was an event on the date or earlier.
        ended: datetime64[D], shape (households,): the day within the horizon on which the
            household was observed no more (moved away, deceased); NaT if it was to its end.
        gone: bool, shape (households,): whether it was observed no more on the date already: it
            had left, and the frame has no record of its home since.
    """

    name: str
    months: int
    until: datetime.date
    first: Days
    before: Bools
    ended: Days
    gone: Bools


@dataclass(frozen=True, slots=True)
class Leak:
    """What nearly equals an outcome, as if it had been recorded after it.

    Attributes:
        outcome: Name in the evaluation file.
        kind: `factor` or `input`.
        name: Of the factor, or of the field.
        reason: In words, with figures.
    """

    outcome: str
    kind: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One date of a back-test.

    All arrays have the same order of households, which says nothing else.

    Attributes:
        date: The date.
        uprn: int64, shape (households,); for joins alone, never for output.
        score: Points, in whole thousandths, float64, shape (households,).
        band: uint8, shape (households,): index into `bands`.
        bands: Names, from the lowest.
        band_from: Points from which each band begins, float64, shape (bands,).
        factors: Names, in the order of the policy.
        weights: Points at a factor score of 1, float64, shape (factors,).
        points: What each factor adds to the score, in thousandths of a point: int16, or int32 if
            a weight needs it, shape (households, factors); `UNKNOWN_POINTS` where it is not known.
        happened: By outcome of the evaluation file.
        groups: Protected characteristics held for audit.
        ranks: By name of a field of `[baselines]`: float64, shape (households,), NaN if unknown.
        left_out: Records that were not read since they are dated later, by source.
        undated: Sources without record dates that were accepted as they are.
        without_date: Records that were not read since they have no date, or that hold no day of an
            event where nothing else is read, by source.
        not_in_frame: Records with events of homes that were no household on the date, or of who
            lived there before the household did, by source.
        withheld: Households that are not judged since their objection was upheld.
        leaks: What nearly equals an outcome.
    """

    date: datetime.date
    uprn: npt.NDArray[np.int64]
    score: Floats
    band: npt.NDArray[np.uint8]
    bands: tuple[str, ...]
    band_from: Floats
    factors: tuple[str, ...]
    weights: Floats
    points: Points
    happened: Mapping[str, Happened]
    groups: tuple[Groups, ...]
    ranks: Mapping[str, Floats]
    left_out: Mapping[str, int]
    undated: tuple[str, ...]
    without_date: Mapping[str, int] = field(default_factory=dict)
    not_in_frame: Mapping[str, int] = field(default_factory=dict)
    withheld: int = 0
    leaks: tuple[Leak, ...] = ()

    @property
    def households(self) -> int:
        """How many there are."""
        return len(self.score)
