"""What a back-test says of one date: figures with their intervals, and why some are missing."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from folkmoot_node.evaluation.measures.plain import plain
from folkmoot_node.intervals import Interval, wilson


@dataclass(frozen=True, slots=True)
class Share:
    """A share of households.

    Attributes:
        hits: How many have it; expected, and not always whole, where ties are cut.
        of: Of how many.
        share: From 0 to 1.
        interval: Of the share (Wilson 1927).
    """

    hits: float
    of: float
    share: float
    interval: Interval

    @classmethod
    def counted(cls, hits: float, of: float) -> Share:
        """The share of so many; `of` is above 0."""
        hits, of = float(hits), float(of)
        return cls(hits, of, hits / of, wilson(hits, of))


@dataclass(frozen=True, slots=True)
class Compared:
    """A share of one group beside that of all others.

    Attributes:
        share: Of the group.
        difference: Less the share of all others; None if there are none.
        difference_interval: Of the difference (Newcombe 1998).
    """

    share: Share
    difference: float | None
    difference_interval: Interval | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a figure could be, whatever happened to the households that were
    lost from sight. This is no interval: nothing is drawn here.
    """

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well the order of the scores tells households with the event from others.

    Attributes:
        auc: Probability that a household with the event has a higher score than one without;
            equal scores count half. 0.5 is chance.
        auc_interval: Bootstrap by household.
        average_precision: As scikit-learn defines it; chance is the share of events.
        average_precision_interval: Bootstrap by household.
    """

    auc: float
    auc_interval: Interval
    average_precision: float
    average_precision_interval: Interval


@dataclass(frozen=True, slots=True)
class Row:
    """Households of one band, or of one tenth of the scores.

    Where they are fewer than `smallest`, they are taken together with the next below, or, at the
    bottom, above; a row that is hidden could be computed from the others.

    Attributes:
        names: Of the band, or of several; of tenths "1" (lowest) to "10". Equal scores stay
            together, so that a tenth may hold more or fewer than a tenth, and some may not occur.
        lowest: Least score of its households, in points.
        highest: Highest score of its households, in points.
        households: How many were observed.
        events: Share that had the event.
    """

    names: tuple[str, ...]
    lowest: float
    highest: float
    households: int
    events: Share


@dataclass(frozen=True, slots=True)
class AtCapacity:
    """What visiting the households with the highest scores would have found.

    Equal scores at the cut share what places are left: the figures are expectations over a fair
    draw among them.

    Attributes:
        capacity: Households that can be visited.
        visited: How many would have been: all, if there are fewer.
        from_score: Score of the last household visited, in points.
        tied: Households with that score.
        drawn: Of which that many would have been visited.
        precision: Of the visited that were observed, the share that had the event; None if all
            were lost from sight.
        recall: Of the households that had the event, the share visited.
        lift: Recall by that of a random choice.
        precision_bounds: With those that were lost from sight.
        recall_bounds: The same.
    """

    capacity: int
    visited: int
    from_score: float
    tied: int
    drawn: int
    precision: Share | None
    recall: Share
    lift: float
    precision_bounds: Bounds
    recall_bounds: Bounds


@dataclass(frozen=True, slots=True)
class BaselineAt:
    """What another order would have found, at one capacity.

    Attributes:
        capacity: Households that can be visited.
        precision: As of the score; of a random choice, what is expected.
        recall: As of the score; of a random choice, what is expected, with no interval around it.
        gain: Recall of the score less this recall.
        gain_interval: Of the gain, over the same events (Newcombe 1998, paired).
        more_found: Households with the event that the score finds more, expected.
    """

    capacity: int
    precision: Share | None
    recall: Share
    gain: float
    gain_interval: Interval
    more_found: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a council would do instead.

    Attributes:
        kind: "random", "oldest first", "factor" or "deprivation".
        name: Field or factor; the kind for "random".
        unknown: Households whose value is not known, which come last.
        auc: Of its order.
        at: By capacity.
    """

    kind: str
    name: str
    unknown: int
    auc: float
    at: tuple[BaselineAt, ...]


@dataclass(frozen=True, slots=True)
class GroupAt:
    """One group at one capacity.

    Attributes:
        capacity: Households that can be visited.
        selected: Share of the group that would have been visited.
        missed: Of the group's households that had the event, the share not visited: the false
            negative rate.
    """

    capacity: int
    selected: Compared
    missed: Compared


@dataclass(frozen=True, slots=True)
class GroupJudgement:
    """One group.

    Attributes:
        group: Its name; of small groups taken together, all names.
        households: How many were observed.
        events: Share that had the event.
        ratio: How many times as often the event happened as to others with the same score, to a
            hundredth of the households (Mantel and Haenszel 1959): above 1 the score says too
            little of this group's need, below 1 too much, or its events are recorded less often.
            None if there are no others, or no events on either side.
        ratio_interval: Of the ratio (Greenland and Robins 1985); None with it.
        auc: Within the group; None if all or none had the event.
        auc_interval: Of the AUC (DeLong et al. 1988, on the scale of log odds).
        bands: Calibration by band.
        at: By capacity.
    """

    group: str
    households: int
    events: Share
    ratio: float | None
    ratio_interval: Interval | None
    auc: float | None
    auc_interval: Interval | None
    bands: tuple[Row, ...]
    at: tuple[GroupAt, ...]


@dataclass(frozen=True, slots=True)
class CharacteristicJudgement:
    """A protected characteristic, or how complete the records are.

    Attributes:
        field: Name of the field.
        characteristic: As the Equality Act has it; empty for completeness.
        groups: Those that are judged; households whose group is not known come last.
        together: Names of those that are several taken together, since some are too small.
        too_small: Groups with fewer households, or fewer events, than `smallest`: no figure.
    """

    field: str
    characteristic: str
    groups: tuple[GroupJudgement, ...]
    together: tuple[str, ...]
    too_small: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactorKnown:
    """How events differ with whether a factor is known.

    Attributes:
        factor: Its name.
        known: Of the households of which it is known, the share with the event; None if there are
            none, or if they or the others are fewer than `smallest`, but some.
        unknown: The same of the others.
    """

    factor: str
    known: Share | None
    unknown: Share | None


@dataclass(frozen=True, slots=True)
class ChangedAt:
    """Recall with another weight, at one capacity.

    Attributes:
        capacity: Households that can be visited.
        recall: With that weight.
        change: Less the recall of the policy.
        change_interval: Of the change, over the same events (Newcombe 1998, paired).
        replaced: Share of those visited whom the policy itself would not visit.
    """

    capacity: int
    recall: float
    change: float
    change_interval: Interval
    replaced: float


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer with another weight of one factor.

    Attributes:
        factor: Its name.
        times: By what its weight was multiplied: 0, 0.75 or 1.25.
        auc: With that weight.
        auc_change: Less the AUC of the policy.
        auc_interval: Of that change, over the same households (DeLong et al. 1988, with two events
            added as in Agresti and Min 2005).
        at: By capacity.
    """

    factor: str
    times: float
    auc: float
    auc_change: float
    auc_interval: Interval
    at: tuple[ChangedAt, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one outcome on one date.

    Attributes:
        ranking: AUC and average precision.
        bands: Calibration by band, from the lowest.
        is_ascending: Whether the share with the event rises, or stays, from band to band.
        tenths: Calibration by tenth of the score, from the lowest.
        at: By capacity.
        baselines: What a council would do instead; random comes first.
        groups: By protected characteristic held for audit.
        completeness: By whether all factors are known.
        known: By factor.
        weights: How far the answer depends on each factor.
    """

    ranking: Ranking
    bands: tuple[Row, ...]
    is_ascending: bool
    tenths: tuple[Row, ...]
    at: tuple[AtCapacity, ...]
    baselines: tuple[Baseline, ...]
    groups: tuple[CharacteristicJudgement, ...]
    completeness: CharacteristicJudgement
    known: tuple[FactorKnown, ...]
    weights: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class OutcomeJudgement:
    """One outcome on one date.

    Attributes:
        name: In the evaluation file.
        months: The horizon.
        until: Last day of it.
        households: That could have been visited.
        gone: Households left out, since they had left before the date.
        before: Others left out, since they had the event before the date; None if those are judged
            too.
        lost: Of `households`, those observed no more before the horizon ended, and without the
            event until then: they are in no share.
        events: Of the households that were observed, the share that had the event; None if the
            events are fewer than `smallest`.
        event_bounds: With those that were lost from sight; None with `events`.
        figures: None if there are too few events, or too few households without.
        notes: Sentences: why figures are missing, and what to mind.
    """

    name: str
    months: int
    until: datetime.date
    households: int
    gone: int
    before: int | None
    lost: int
    events: Share | None
    event_bounds: Bounds | None
    figures: Figures | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One date of a back-test.

    Attributes:
        date: The date.
        households: That were scored.
        bands: Households by band, from the lowest.
        left_out: Records that were not read since they are dated later, by source.
        undated: Sources without record dates that were accepted as they are.
        outcomes: In the order of the evaluation file.
    """

    date: datetime.date
    households: int
    bands: dict[str, int]
    left_out: dict[str, int]
    undated: tuple[str, ...]
    outcomes: tuple[OutcomeJudgement, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values: dates as ISO 8601, null where there is no figure."""
        return plain(self)  # type: ignore[no-any-return]
