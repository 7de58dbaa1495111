"""A back-test as its report gets it, with figures made up for each kind of table."""

from __future__ import annotations

import datetime
from dataclasses import replace

from folkmoot_node.evaluation.measures.evaluation import (
    BandsOverDates,
    Evaluation,
    OutcomeOverDates,
    OverDates,
)
from folkmoot_node.evaluation.measures.judgement import (
    AtCapacity,
    Baseline,
    BaselineAt,
    Bounds,
    Changed,
    ChangedAt,
    CharacteristicJudgement,
    Compared,
    FactorKnown,
    Figures,
    GroupAt,
    GroupJudgement,
    Judgement,
    OutcomeJudgement,
    Ranking,
    Row,
    Share,
)
from folkmoot_node.intervals import Interval

DATES = (datetime.date(2025, 10, 1), datetime.date(2025, 11, 1), datetime.date(2025, 12, 1))
CAPACITY = (100, 200)
BANDS = ("low", "medium", "high")
FACTORS = ("council_tax_arrears", "overcrowding", "isolation")
GROUPS = ("heron", "kite", "wren + rook")
FEW = "Fewer than 10 events: no figure is shown."


def share(hits: float, of: float) -> Share:
    """A share with an interval that is as wide as it looks, and no more exact."""
    value = hits / of
    width = 2 * (value * (1 - value) / of) ** 0.5
    return Share(hits, of, value, Interval(max(0, value - width), min(1, value + width)))


def _about(value: float, width: float) -> Interval:
    return Interval(value - width, value + width)


def _rows(names: tuple[str, ...], households: int) -> tuple[Row, ...]:
    return tuple(
        Row(name, 10.0 * at, 10.0 * at + 9.5, households, share(4 + 12 * at, households))
        for at, name in enumerate(names)
    )


def _group(name: str, at: int) -> GroupJudgement:
    visited, missed = share(60 - 10 * at, 900), share(20 + 4 * at, 40)
    return GroupJudgement(
        name, 900, share(40, 900), 40 / (0.8 + 0.3 * at), 0.8 + 0.3 * at,
        _about(0.8 + 0.3 * at, 0.25), 0.71, _about(0.71, 0.06),
        _rows(BANDS, 300),
        tuple(
            GroupAt(
                capacity,
                Compared(visited, -0.01 * at, _about(-0.01 * at, 0.02)),
                Compared(missed, 0.1 * at, _about(0.1 * at, 0.15)),
            )
            for capacity in CAPACITY
        ),
    )  # fmt: skip


def _baseline(kind: str, name: str, gain: float) -> Baseline:
    return Baseline(
        kind, name, 0 if kind == "random" else 120, 0.5 + (0.2 - gain),
        tuple(
            BaselineAt(
                capacity, share(20, 100), share(30 - 60 * gain, 100), gain, _about(gain, 0.05),
                60 * gain,
            )
            for capacity in CAPACITY
        ),
    )  # fmt: skip


def _changed(factor: str, times: float) -> Changed:
    less = -0.02 * abs(1 - times)
    return Changed(
        factor, times, 0.74 + less, less,
        tuple(ChangedAt(capacity, 0.3 + less, less, _about(less, 0.01), 0.08)
              for capacity in CAPACITY),
    )  # fmt: skip


def figures() -> Figures:
    """All figures of one outcome on one date."""
    judged = tuple(_group(name, at) for at, name in enumerate(GROUPS))
    return Figures(
        ranking=Ranking(0.74, _about(0.74, 0.02), 0.21, _about(0.21, 0.03)),
        bands=_rows(BANDS, 900),
        is_ascending=True,
        tenths=_rows(tuple(str(one) for one in range(1, 11)), 270),
        at=tuple(
            AtCapacity(
                capacity, capacity, 42.5, 30, 12, share(capacity / 4, capacity),
                share(capacity / 4, 120), capacity / 60, Bounds(0.24, 0.27), Bounds(0.29, 0.33),
            )
            for capacity in CAPACITY
        ),
        baselines=(
            _baseline("random", "random", 0.25),
            _baseline("oldest first", "arrears_age", 0.08),
            *(_baseline("factor", name, 0.12) for name in FACTORS),
            _baseline("deprivation", "deprivation_rank", 0.18),
        ),
        groups=(
            CharacteristicJudgement(
                "ethnic_group", "race", judged, ("wren + rook",), ("not known",)
            ),
        ),
        completeness=CharacteristicJudgement(
            "completeness", "", judged[:2], (), ()
        ),
        known=tuple(FactorKnown(name, share(110, 2500), share(10, 200)) for name in FACTORS),
        weights=tuple(
            _changed(name, times) for name in FACTORS for times in (0, 0.75, 1.25)
        ),
    )  # fmt: skip


def outcome(name: str = "homelessness", shown: Figures | None = None) -> OutcomeJudgement:
    """One outcome on one date; without figures, one with too few events for any."""
    if shown is None:
        return OutcomeJudgement(
            name, 6, datetime.date(2026, 6, 1), 2700, 14, None, None, None, None, (FEW,)
        )
    return OutcomeJudgement(
        name, 6, datetime.date(2026, 6, 1), 2700, 14, 25, share(120, 2675), Bounds(0.044, 0.053),
        shown, ("25 households were lost from sight before the horizon ended.",),
    )  # fmt: skip


def _over(figure: str, mean: float, capacity: int | None = None) -> OverDates:
    values = (mean - 0.03, mean, mean + 0.03)
    return OverDates(
        figure, capacity, values, tuple(_about(value, 0.02) for value in values), mean,
        _about(mean, 0.02), values[0], values[-1], 2,
    )  # fmt: skip


def evaluation(outcomes: tuple[OutcomeJudgement, ...] | None = None) -> Evaluation:
    """A back-test of three dates, the same on each.

    Args:
        outcomes: Of each date; one with all figures if None.
    """
    outcomes = outcomes or (outcome(shown=figures()),)
    over = (
        _over("share of events", 0.045),
        _over("AUC", 0.74),
        _over("average precision", 0.21),
        *(_over(name, 0.3, capacity) for capacity in CAPACITY for name in ("precision", "recall")),
    )
    none = [
        replace(
            one, values=(None,) * 3, intervals=(None,) * 3, mean=None, mean_interval=None,
            lowest=None, highest=None, outside=0,
        )
        for one in over
    ]  # fmt: skip
    return Evaluation(
        name="Did the winter policy find homelessness?",
        capacity=CAPACITY,
        smallest=10,
        resamples=500,
        seed=1,
        dates=tuple(
            Judgement(
                date, 2750, {"low": 1000, "medium": 1000, "high": 750},
                {"council_tax": 310, "benefits": 44}, ("electoral_roll",), outcomes,
            )
            for date in DATES
        ),
        outcomes=tuple(
            OutcomeOverDates(
                one.name, over if one.figures else tuple(none),
                ("AUC changes more from date to date than chance allows.",) if one.figures else (),
            )
            for one in outcomes
        ),
        bands=tuple(BandsOverDates(band, (0.36, 0.37, 0.27)) for band in BANDS),
    )  # fmt: skip
