"""Snapshots of a rehearsed council, made of what is true of it instead of what its records say.

They test figures and fits against a mechanism that is known, without a node. Factors are the
severities that the mechanism shows; see `folkmoot_rehearsal.outcomes.mechanism`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.snapshot import Groups, Happened, Snapshot
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.outcomes.documents import HORIZON, evaluation_dates
from folkmoot_rehearsal.outcomes.events import Lived
from folkmoot_rehearsal.outcomes.mechanism import GROUPS, NOT_STATED, SHOWN, Mechanism
from folkmoot_rehearsal.outcomes.severities import severities
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.synthesis import Recipe, draw, live
from tests.evaluation_snapshots import thousandths

TODAY = datetime.date(2026, 11, 23)
DATES = evaluation_dates(TODAY)
WEIGHTS = {
    "financial_hardship": 30.0,
    "isolation": 15.0,
    "clinical_vulnerability": 20.0,
    "social_care_need": 15.0,
    "domestic_abuse": 10.0,
    "relationship_breakdown": 10.0,
    "child_need": 10.0,
}
"""Those of the rehearsal's policy: not those of the mechanism."""
BANDS = {"none": 0.0, "low": 10.0, "medium": 20.0, "high": 35.0}


@dataclass(frozen=True)
class Rehearsed:
    """A council, and its two years.

    Attributes:
        population: The council.
        lived: Its two years.
    """

    population: Population
    lived: Lived


def rehearse(council: Council, households: int, mechanism: Mechanism, seed: int = 7) -> Rehearsed:
    """Draws a council and its two years."""
    recipe = Recipe(households=households, seed=seed, today=TODAY, outcomes=mechanism)
    population = draw(council, recipe)
    lived = live(population, council, recipe)
    assert lived is not None
    return Rehearsed(population, lived)


def snapshot_at(rehearsed: Rehearsed, date: datetime.date, seed: int = 1) -> Snapshot:
    """The council as it was on a date, and what its systems then heard of.

    Args:
        rehearsed: The council.
        date: First day of a month.
        seed: Of whose group is not known.
    """
    population, lived = rehearsed.population, rehearsed.lived
    day = np.datetime64(date, "D")
    there = np.flatnonzero((lived.history.opened <= day) & ~(lived.left <= day))
    found = severities(population, lived.history, np.zeros(len(population.uprn)), day)
    weights = np.array([WEIGHTS[name] for name in SHOWN])
    points = np.stack([found[name][there] for name in SHOWN], axis=1) * weights
    points = np.rint(points * 1000) / 1000
    score = np.rint(points.sum(axis=1) * 1000) / 1000
    known = np.random.default_rng(seed).random(len(population.uprn)) >= NOT_STATED
    group = np.where(known, lived.group, len(GROUPS)).astype(np.uint8)[there]
    low = np.array(list(BANDS.values()))
    return Snapshot(
        date=date,
        uprn=population.uprn[there],
        score=score,
        band=(np.searchsorted(low, score, side="right") - 1).astype(np.uint8),
        bands=tuple(BANDS),
        band_from=low,
        factors=SHOWN,
        weights=weights,
        points=thousandths(points),
        happened={
            outcome.name: _happened(lived, at, outcome.name, day, there)
            for at, outcome in enumerate(lived.mechanism.outcomes)
        },
        groups=(Groups("ethnic_group", "race", GROUPS, group),),
        ranks={},
        left_out={},
        undated=(),
    )


def chances(rehearsed: Rehearsed, snapshot: Snapshot, outcome: str) -> npt.NDArray[np.float64]:
    """How likely a recorded event within the horizon was, for each household of a snapshot."""
    chance = rehearsed.lived.chance(outcome, snapshot.date, HORIZON)
    order = np.argsort(rehearsed.population.uprn)
    at = order[np.searchsorted(rehearsed.population.uprn[order], snapshot.uprn)]
    return chance[at]


def together(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Councils of one date as if they were one."""
    first = snapshots[0]

    def joined(column: str) -> Any:
        return np.concatenate([getattr(one, column) for one in snapshots])

    happened: Mapping[str, Happened] = {
        name: replace(
            one,
            first=np.concatenate([each.happened[name].first for each in snapshots]),
            before=np.concatenate([each.happened[name].before for each in snapshots]),
            ended=np.concatenate([each.happened[name].ended for each in snapshots]),
            gone=np.concatenate([each.happened[name].gone for each in snapshots]),
        )
        for name, one in first.happened.items()
    }
    groups = tuple(
        replace(one, index=np.concatenate([each.groups[at].index for each in snapshots]))
        for at, one in enumerate(first.groups)
    )
    columns = {name: joined(name) for name in ("uprn", "score", "band", "points")}
    return replace(first, **columns, happened=happened, groups=groups)


def evaluation_of(dates: Sequence[datetime.date], *outcomes: str, **changes: Any) -> EvaluationFile:
    """An evaluation file of some dates and outcomes."""
    settings: dict[str, Any] = {
        "schema": 1,
        "name": "Rehearsed",
        "dates": list(dates),
        "capacity": [200, 1000],
        "outcomes": {name: {"events": [name], "months": HORIZON} for name in outcomes},
        "resamples": 100,
    }
    return EvaluationFile.model_validate({**settings, **changes})


def _happened(
    lived: Lived, at: int, name: str, day: np.datetime64, there: npt.NDArray[np.int64]
) -> Happened:
    n, events = len(lived.group), lived.events
    until = (day.astype("datetime64[M]") + HORIZON).astype("datetime64[D]")
    heard = (events.outcome == at) & ~np.isnat(events.noted)
    first = np.full(n, np.datetime64("9999-01-01"))
    within = heard & (events.day > day) & (events.day <= until)
    np.minimum.at(first, events.household[within], events.day[within])
    before = np.zeros(n, dtype=np.bool_)
    before[events.household[heard & (events.day <= day)]] = True
    gone = lived.left <= until
    nothing = np.datetime64("NaT", "D")
    return Happened(
        name=name,
        months=HORIZON,
        until=until.astype(datetime.date),
        first=np.where(first < np.datetime64("9999-01-01"), first, nothing)[there],
        before=before[there],
        ended=np.where(gone, lived.left, nothing)[there],
        gone=(lived.left <= day)[there],
    )
