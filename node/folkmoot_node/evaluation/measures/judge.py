"""Judges one date of a back-test: every outcome, against every order, in one pass over columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.measures.baselines import (
    Present,
    baseline,
    present,
    random_choice,
)
from folkmoot_node.evaluation.measures.calibration import (
    bands_of_codes,
    is_ascending,
    parts_of,
    rows,
)
from folkmoot_node.evaluation.measures.capacity import at_capacity
from folkmoot_node.evaluation.measures.groups import Bands, by_group
from folkmoot_node.evaluation.measures.judgement import (
    Baseline,
    Bounds,
    Changed,
    FactorKnown,
    Figures,
    Judgement,
    OutcomeJudgement,
    Share,
)
from folkmoot_node.evaluation.measures.observed import Observed, observed
from folkmoot_node.evaluation.measures.orders import (
    Order,
    order_of,
    order_of_whole,
    thousandths,
)
from folkmoot_node.evaluation.measures.ranking import ranking
from folkmoot_node.evaluation.measures.sensitivity import Basis, basis, changed, other_orders
from folkmoot_node.evaluation.snapshot import Bools, Groups, Points, Snapshot
from folkmoot_node.store.schema import UNKNOWN_POINTS

TENTHS = tuple(str(at) for at in range(1, 11))
NOT_ASCENDING = "The share with the event falls from a band to a higher one: see the intervals."
COMPLETE = ("all factors known", "some factor not known")


@dataclass(slots=True)
class _Judged:
    """An outcome with events enough, and what has been found of it so far."""

    name: str
    score: Present
    basis: Basis
    baselines: list[Baseline] = field(default_factory=list)
    known: list[FactorKnown] = field(default_factory=list)
    weights: list[Changed] = field(default_factory=list)


def judge(snapshot: Snapshot, evaluation: EvaluationFile) -> Judgement:
    """Compares the scores of one date with what then happened.

    The same snapshot and file give the same figures. Rows are counted by score, which is in whole
    thousandths of a point, so that nothing is sorted and what is drawn is few.

    Args:
        snapshot: With every outcome of the file.
        evaluation: The file.
    """
    order = order_of_whole(thousandths(snapshot.score))
    seen = {
        name: observed(snapshot.happened[name], repeated=entry.repeated)
        for name, entry in evaluation.outcomes.items()
    }
    judged = {
        name: _judged(name, order, one, evaluation)
        for name, one in seen.items()
        if _is_enough(one, evaluation.smallest)
    }
    every = tuple(judged.values())
    is_complete = np.ones(snapshot.households, dtype=np.bool_)
    if every:
        _by_rank(snapshot, evaluation, every)
        for at, name in enumerate(snapshot.factors):
            points = snapshot.points[:, at]
            is_known = points != UNKNOWN_POINTS
            is_complete &= is_known
            _by_factor(name, points, is_known, every, evaluation.smallest)
            for times, other in other_orders(order, points):
                for one in every:
                    one.weights.append(changed(name, times, other, one.basis))
    of_code = bands_of_codes(order.code, snapshot.band, order.codes)
    bands = Bands(snapshot.bands, of_code)
    figures = {one.name: _figures(one, snapshot, evaluation, bands, is_complete) for one in every}
    in_band = np.bincount(snapshot.band, minlength=len(snapshot.bands))
    return Judgement(
        date=snapshot.date,
        households=snapshot.households,
        bands={name: int(in_band[at]) for at, name in enumerate(snapshot.bands)},
        left_out=dict(snapshot.left_out),
        undated=snapshot.undated,
        outcomes=tuple(
            _outcome(name, one, snapshot, evaluation, figures.get(name))
            for name, one in seen.items()
        ),
    )


def _is_enough(seen: Observed, smallest: int) -> bool:
    return min(len(seen.events), seen.observed - len(seen.events)) >= smallest


def _judged(name: str, order: Order, seen: Observed, evaluation: EvaluationFile) -> _Judged:
    score = present(order, seen, evaluation.capacity)
    return _Judged(name, score, basis(score), [random_choice(score)])


def _by_rank(snapshot: Snapshot, evaluation: EvaluationFile, every: tuple[_Judged, ...]) -> None:
    ask = evaluation.baselines
    wanted = [("oldest first", name, 1) for name in ask.oldest_first]
    if ask.deprivation is not None:
        wanted.append(("deprivation", ask.deprivation, -1 if ask.deprivation_is_rank else 1))
    for kind, name, sign in wanted:
        values = snapshot.ranks[name]
        order = order_of(sign * values)
        unknown = int(np.count_nonzero(np.isnan(values)))
        for one in every:
            one.baselines.append(baseline(kind, name, unknown, order, one.score))


def _by_factor(
    name: str, points: Points, is_known: Bools, every: tuple[_Judged, ...], smallest: int
) -> None:
    """Visiting by one factor alone; where it is not known, its points are below all others."""
    unknown = len(points) - int(np.count_nonzero(is_known))
    order = order_of_whole(points)
    for one in every:
        one.baselines.append(baseline("factor", name, unknown, order, one.score))
        one.known.append(_known(name, is_known, one.score.seen, smallest))


def _known(name: str, is_known: Bools, seen: Observed, smallest: int) -> FactorKnown:
    left = np.concatenate([seen.lost, seen.excluded])
    known = int(np.count_nonzero(is_known)) - int(np.count_nonzero(is_known[left]))
    unknown = seen.observed - known
    if 0 < known < smallest or 0 < unknown < smallest:
        return FactorKnown(name, None, None)  # either could be computed from the other
    hits = int(np.count_nonzero(is_known[seen.events]))
    return FactorKnown(
        name,
        Share.counted(hits, known) if known else None,
        Share.counted(len(seen.events) - hits, unknown) if unknown else None,
    )


def _figures(
    one: _Judged,
    snapshot: Snapshot,
    evaluation: EvaluationFile,
    bands: Bands,
    is_complete: Bools,
) -> Figures:
    score, smallest = one.score, evaluation.smallest
    values = score.order.values
    by_band = rows(score.tally, values, bands.of_code, bands.names, smallest)
    complete = Groups("completeness", "", COMPLETE, (~is_complete).astype(np.uint8))
    # The seed does not depend on which other dates and outcomes there are.
    seed = (evaluation.seed, snapshot.date.toordinal(), *one.name.encode())
    return Figures(
        ranking=ranking(score.tally, resamples=evaluation.resamples, seed=seed),
        bands=by_band,
        is_ascending=is_ascending(by_band),
        tenths=rows(score.tally, values, parts_of(score.tally, 10), TENTHS, smallest),
        at=tuple(at_capacity(score.tally, cut, values) for cut in score.cuts),
        baselines=tuple(one.baselines),
        groups=tuple(by_group(divided, score, bands, smallest) for divided in snapshot.groups),
        completeness=by_group(complete, score, bands, smallest),
        known=tuple(one.known),
        weights=tuple(one.weights),
    )


def _outcome(
    name: str,
    seen: Observed,
    snapshot: Snapshot,
    evaluation: EvaluationFile,
    figures: Figures | None,
) -> OutcomeJudgement:
    happened = snapshot.happened[name]
    events, lost = len(seen.events), len(seen.lost)
    is_shown = events >= evaluation.smallest
    return OutcomeJudgement(
        name=name,
        months=happened.months,
        until=happened.until,
        households=seen.considered,
        gone=seen.gone,
        before=None if evaluation.outcomes[name].repeated else len(seen.excluded) - seen.gone,
        lost=lost,
        events=Share.counted(events, seen.observed) if is_shown else None,
        event_bounds=(
            Bounds(events / seen.considered, (events + lost) / seen.considered)
            if is_shown
            else None
        ),
        figures=figures,
        notes=tuple(_notes(seen, evaluation, figures)),
    )


def _notes(seen: Observed, evaluation: EvaluationFile, figures: Figures | None) -> list[str]:
    smallest, found = evaluation.smallest, []
    if len(seen.events) < smallest:
        found.append(
            f"Too few events to judge: fewer than {smallest} households had the event. "
            "No figure is shown."
        )
    elif figures is None:
        found.append(
            f"Too few households to compare with: fewer than {smallest} were observed without the "
            "event. No figure is shown."
        )
    if len(seen.lost) and len(seen.events) >= smallest:  # else no bounds are shown
        found.append(
            f"{len(seen.lost):,} households were lost from sight before the horizon ended, and are "
            "left out. The bounds say how much that could matter."
        )
    if figures is not None:
        if not figures.is_ascending:
            found.append(NOT_ASCENDING)
        found.extend(
            f"There are no more than {at.visited:,} households: a capacity of {at.capacity:,} "
            "visits them all."
            for at in figures.at
            if at.visited == seen.considered
        )
    return found
