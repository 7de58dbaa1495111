"""Households of a back-test whose truth is known: what makes an event more likely, and for whom."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.leaks import points_known
from folkmoot_node.evaluation.snapshot import Floats, Groups, Happened, Snapshot
from folkmoot_node.store.schema import POINT, UNKNOWN_POINTS
from folkmoot_operator.moments import months_later

FIRST = datetime.date(2025, 1, 1)
FACTORS = (
    "arrears", "crowding", "isolation", "damp", "benefit_cap", "moved_often",
    "no_heating", "age_75", "lone_parent", "carer", "disrepair", "debt_advice",
)  # fmt: skip
"""The first have the largest effects on the outcome."""
EFFECTS = np.array([2.4, 1.8, 1.2, 0.8, 0.5, 0.3, 0.15, 0.0, 0.0, 0.0, 0.0, 0.0])
"""Log odds that a factor score of 1 adds to an event, in the order of `FACTORS`."""
WEIGHTS = np.array([30.0, 20.0, 25.0, 5.0, 10.0, 2.0, 4.0, 6.0, 1.0, 3.0, 2.0, 2.0])
"""Points of the policy that is judged: near the truth, and not at it."""
BANDS = ("low", "medium", "high")
BAND_FROM = np.array([0.0, 25.0, 50.0])
GROUPS = ("heron", "kite", "wren")
SHARES = (0.6, 0.3, 0.1)
"""Of the households whose group is known."""


@dataclass(frozen=True)
class Truth:
    """What no council knows.

    Attributes:
        factor_scores: float64, shape (households, factors), from 0 to 1; also where the council
            does not know them.
        probability: float64, shape (households,): of the event within the horizon.
        group: uint8, shape (households,): index into `GROUPS`, also where it is not known.
        recorded: float64, shape (households,): probability that an event is recorded.
    """

    factor_scores: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float64]
    group: npt.NDArray[np.uint8]
    recorded: npt.NDArray[np.float64]


def snapshot_of(
    households: int = 5000,
    *,
    seed: int = 1,
    date: datetime.date = FIRST,
    factors: int = 6,
    rate: float = 0.06,
    recording: Mapping[str, float] | None = None,
    unknown: float = 0.05,
    unknown_group: float = 0.1,
    lost: float = 0.03,
    before: float = 0.02,
    months: int = 6,
    leak: bool = False,
    weights: Sequence[float] | None = None,
    outcome: str = "homeless",
) -> tuple[Snapshot, Truth]:
    """Households as they were known on a date, with an outcome drawn from a stated mechanism.

    Args:
        households: How many.
        seed: The same one gives the same households.
        date: The date.
        factors: How many of `FACTORS`, from the first.
        rate: Share with the event, about.
        recording: By group, the probability that its events are recorded; 1 where none is said.
        unknown: Share of factor scores that the council does not know.
        unknown_group: Share of households whose group is not known.
        lost: Share that moves away within the horizon, on a day drawn evenly.
        before: Share that had the event before the date.
        months: Horizon.
        leak: Whether the last factor is the outcome itself.
        weights: Points by factor; the first of `WEIGHTS` if None.
        outcome: Name of the outcome.

    Returns:
        The snapshot, and the truth.
    """
    draw = np.random.default_rng(seed)
    scores = _factor_scores(draw, households, factors)
    logit = scores @ EFFECTS[:factors]
    probability = 1 / (1 + np.exp(-(logit + _intercept(logit, rate))))
    group = draw.choice(len(GROUPS), households, p=SHARES).astype(np.uint8)
    recorded = np.array([(recording or {}).get(one, 1.0) for one in GROUPS])[group]
    happens = draw.random(households) < probability * recorded

    until = months_later(date, months)
    days = (until - date).days
    first = _days(draw, happens, date, days)
    ended = _days(draw, draw.random(households) < lost, date, days)
    first[~np.isnat(ended) & (first > ended)] = np.datetime64("NaT")  # it left before
    if leak:
        scores[:, -1] = ~np.isnat(first)

    points = scores * np.array(WEIGHTS[:factors] if weights is None else weights)
    points = np.rint(points * 1000) / 1000
    hidden = draw.random(points.shape) < unknown
    score = np.rint(np.where(hidden, 0, points).sum(axis=1) * 1000) / 1000
    known_group = np.where(draw.random(households) < unknown_group, len(GROUPS), group)
    deprived = np.argsort(np.argsort(-(logit + draw.normal(0, 2, households)))) + 1.0
    days_old = np.ceil(scores[:, 0] * 400 + draw.normal(0, 60, households))
    oldest = np.where(scores[:, 0] > 0, days_old, np.nan)
    happened = Happened(
        name=outcome,
        months=months,
        until=until,
        first=first,
        before=draw.random(households) < before,
        ended=ended,
        gone=np.zeros(households, dtype=np.bool_),
    )
    snapshot = Snapshot(
        date=date,
        uprn=np.arange(households, dtype=np.int64) + 100,
        score=score,
        band=(np.searchsorted(BAND_FROM, score, side="right") - 1).astype(np.uint8),
        bands=BANDS,
        band_from=BAND_FROM,
        factors=FACTORS[:factors],
        weights=np.array(WEIGHTS[:factors] if weights is None else weights),
        points=thousandths(np.where(hidden, np.nan, points)),
        happened={outcome: happened},
        groups=(Groups("ethnic_group", "race", GROUPS, known_group.astype(np.uint8)),),
        ranks={"arrears_age": oldest, "deprivation_rank": deprived},
        left_out={"council_tax": 17},
        undated=("deprivation",),
    )
    return snapshot, Truth(scores, probability, group, recorded)


def thousandths(points: Floats) -> npt.NDArray[np.int32]:
    """What factors add as a snapshot holds it, from points: NaN where it is not known."""
    whole = np.rint(np.where(np.isnan(points), UNKNOWN_POINTS / POINT, points) * POINT)
    return np.asfortranarray(whole.astype(np.int32))


def in_points(snapshot: Snapshot) -> Floats:
    """What each factor adds, in points: shape (households, factors), NaN where not known."""
    return points_known(snapshot.points) / POINT


def snapshots_of(dates: int = 3, households: int = 5000, **changes: Any) -> list[Snapshot]:
    """One snapshot a month, of other draws."""
    seed = changes.pop("seed", 1)
    return [
        snapshot_of(households, seed=seed + at, date=months_later(FIRST, at), **changes)[0]
        for at in range(dates)
    ]


def evaluation_of(
    snapshots: Sequence[Snapshot], *, outcome: Mapping[str, Any] | None = None, **changes: Any
) -> EvaluationFile:
    """The evaluation file that would have given these snapshots.

    Args:
        snapshots: At least one.
        outcome: Keys of the table of every outcome, instead of those here.
        **changes: Keys of the file, instead of those here.
    """
    settings: dict[str, Any] = {
        "schema": 1,
        "name": "Homelessness within six months",
        "dates": [one.date for one in snapshots],
        "capacity": [100, 500],
        "outcomes": {
            name: {"events": ["homeless_application"], "months": one.months, **(outcome or {})}
            for name, one in snapshots[0].happened.items()
        },
        "undated": list(snapshots[0].undated),
        "baselines": {"oldest_first": ["arrears_age"], "deprivation": "deprivation_rank"},
        "resamples": 200,
    }
    return EvaluationFile.model_validate({**settings, **changes})


def _factor_scores(
    draw: np.random.Generator, households: int, factors: int
) -> npt.NDArray[np.float64]:
    """Yes or no, levels and amounts in turn; most households have little of anything."""
    scores = np.empty((households, factors))
    for at in range(factors):
        kind, some = at % 3, draw.random(households) < 0.35
        if kind == 0:
            value = np.round(draw.beta(1.2, 2.0, households), 3)
        elif kind == 1:
            value = draw.choice([0.25, 0.5, 1.0], households)
        else:
            value = np.ones(households)
        scores[:, at] = np.where(some, value, 0.0)
    return scores


def _intercept(logit: npt.NDArray[np.float64], rate: float) -> float:
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-(logit + middle)))).mean() < rate:
            low = middle
        else:
            high = middle
    return low


def _days(
    draw: np.random.Generator, which: npt.NDArray[np.bool_], date: datetime.date, days: int
) -> npt.NDArray[np.datetime64]:
    drawn = np.datetime64(date, "D") + draw.integers(1, days + 1, len(which))
    return np.where(which, drawn, np.datetime64("NaT", "D"))
