"""How well the scoring inputs predict a protected characteristic that is not scored.

A classifier learns the characteristic from the inputs of some households and is tried on
others. If it does better than chance, the inputs partly reveal the characteristic, and the
score may act as a proxy for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.intervals import Interval, two_sided
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.schema import field_column
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem

SEED = 20_100_408
"""Of the sample, the folds and the shuffling: the same scores give the same report."""
FOLDS = 5
MAX_HOUSEHOLDS = 50_000
"""Sampled at most, unless the operator says otherwise."""
TREES = 60
MIN_IN_FOLD = 10
"""Households that a group needs in each fold to be distinguished."""
NOTHING, LOOK = 0.55, 0.7
"""Below the one an AUC says next to nothing; above the other the inputs need a look."""
TOO_SMALL = "(small groups together)"

SHUFFLES = 2
"""Of each input in each fold."""
MIN_LOSS = 0.002
"""A smaller fall of the AUC is noise, and is not reported."""

Floats = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class GroupSkill:
    """How accurately one group is distinguished from the rest.

    Attributes:
        group: Its name.
        households: In the sample.
        auc: Probability that a household of the group is ranked above one of the rest; 0.5 is
            chance, 1 certainty.
        interval: Of the AUC (DeLong et al. 1988, over folds as LeDell et al. 2015).
    """

    group: str
    households: int
    auc: float
    interval: Interval

    @property
    def words(self) -> str:
        """What the figure means."""
        if self.auc < NOTHING or self.interval.low <= 0.5:
            return "the inputs say next to nothing"
        return "look at the inputs named" if self.auc >= LOOK else "the inputs say something"


@dataclass(frozen=True, slots=True)
class Carrier:
    """An input that predicts the characteristic.

    Attributes:
        field: Name of the input.
        loss: By how much the mean AUC falls, on households not learnt from, when the input
            is shuffled among them.
    """

    field: str
    loss: float


@dataclass(frozen=True, slots=True)
class ProxyCheck:
    """What the inputs reveal about one characteristic.

    Attributes:
        field: The audited field.
        sampled: Households of which the characteristic is known and that were used.
        skill: 1 - log loss of the classifier / log loss of the base rates alone: 0 if the
            inputs say nothing, 1 if they say all.
        skill_interval: Of the skill.
        groups: In order; small groups together.
        carriers: Inputs that carry it, the strongest first.
        left_out: Inputs that state the characteristic themselves and were not used.
        impossible: Why there was no check; empty if there was.
    """

    field: str
    sampled: int
    skill: float
    skill_interval: Interval
    groups: tuple[GroupSkill, ...]
    carriers: tuple[Carrier, ...]
    left_out: tuple[str, ...]
    impossible: str = ""

    @property
    def evident(self) -> float:
        """The largest AUC that the data show with confidence: the highest lower end."""
        return max((group.interval.low for group in self.groups), default=0.0)


def require_libraries() -> None:
    """Raises Problem unless the libraries of the audit are installed."""
    if find_spec("sklearn") is None or find_spec("scipy") is None:
        raise Problem(
            "the audit needs scikit-learn and SciPy",
            where="folkmoot-node equality",
            remedy=f"Install them: {how_to_install('folkmoot-node', 'audit')}",
            exit_code=ExitCode.USAGE,
        )


class Sample:
    """Some households with their inputs and groups: for the same scores the same ones."""

    def __init__(self, run: RunSummary, most: int) -> None:
        self._run = run
        everybody = pl.int_range(run.households, eager=True)
        chosen = everybody.sample(min(most, run.households), seed=SEED)
        self._chosen = chosen.sort().to_numpy()
        self._passed = 0
        self._inputs: list[dict[str, Floats]] = []
        self._groups: list[dict[str, Indexes]] = []

    def add(self, part: pl.DataFrame) -> None:
        """Takes the chosen households of a part, as `HouseholdStore.audited` gives it."""
        first, last = np.searchsorted(self._chosen, [self._passed, self._passed + part.height])
        rows = part[self._chosen[first:last] - self._passed]
        self._passed += part.height
        prefix = field_column("")
        self._inputs.append(
            {
                name.removeprefix(prefix): _numbers(rows[name])
                for name in rows.columns
                if name.startswith(prefix)
            }
        )
        self._groups.append(
            {
                field: rows[audit.column].to_numpy().astype(np.int64)
                for field, audit in self._run.audited.items()
            }
        )

    def check(self, field: str, progress: Progress) -> ProxyCheck:
        """Checks one audited field."""
        audit = self._run.audited[field]
        stating = self._run.protected_inputs
        left_out = tuple(name for name in stating if stating[name] == audit.characteristic)
        inputs = {
            name: np.concatenate([part[name] for part in self._inputs])
            for name in self._inputs[0]
            if name not in left_out
        }
        group = np.concatenate([part[field] for part in self._groups])
        return check(field, audit.groups, inputs, group, left_out, progress)


def _numbers(series: pl.Series) -> Floats:
    """Values as numbers, NaN where unknown: dates as days, categories as their index.

    Trees cut a list of codes anywhere, so that its order matters little.
    """
    physical = series.to_physical() if series.dtype == pl.Date else series
    return physical.cast(pl.Float64).to_numpy()


def check(
    field: str,
    groups: Sequence[str],
    inputs: Mapping[str, Floats],
    group: Indexes,
    left_out: tuple[str, ...],
    progress: Progress,
) -> ProxyCheck:
    """Learns a characteristic from inputs, and tries what was learnt on other households.

    Args:
        field: The audited field.
        groups: Its groups.
        inputs: By name, shape (households,); NaN where unknown, which may reveal something too.
        group: Index of each household's group; `len(groups)` if it is not known.
        left_out: Inputs that state the characteristic themselves, for the report.
        progress: Called as the work advances.
    """
    names, target = _classes(groups, group)
    used = target >= 0
    if len(names) < 2 or not inputs:
        return ProxyCheck(
            field,
            int(used.sum()),
            math.nan,
            Interval(math.nan, math.nan),
            (),
            (),
            left_out,
            "fewer than two groups are large enough" if inputs else "no input is left",
        )
    matrix = np.column_stack([values[used] for values in inputs.values()])
    folds = _cross_validate(matrix, target[used], lambda done: progress(field, done, FOLDS))
    size = np.bincount(target[used])
    skill, skill_interval = _skill(
        np.concatenate([fold.loss for fold in folds]),
        np.concatenate([fold.base_loss for fold in folds]),
    )
    loss = np.mean([fold.importance for fold in folds], axis=0)
    carriers = [Carrier(name, float(lost)) for name, lost in zip(inputs, loss, strict=True)]
    return ProxyCheck(
        field=field,
        sampled=int(used.sum()),
        skill=skill,
        skill_interval=skill_interval,
        groups=tuple(
            GroupSkill(name, int(size[at]), *mean_auc([fold.of_group(at) for fold in folds]))
            for at, name in enumerate(names)
        ),
        carriers=tuple(sorted((c for c in carriers if c.loss >= MIN_LOSS), key=lambda c: -c.loss)),
        left_out=left_out,
    )


def _classes(groups: Sequence[str], group: Indexes) -> tuple[list[str], Indexes]:
    """The groups to distinguish, and each household's place among them, -1 if in none.

    Small groups are combined, and left out if together they are still too few.
    """
    least = FOLDS * MIN_IN_FOLD
    size = np.bincount(group, minlength=len(groups) + 1)[: len(groups)]
    large = np.flatnonzero(size >= least)
    names = [groups[int(at)] for at in large]
    together = size.sum() - size[large].sum() >= least
    place = np.full(len(groups) + 1, len(large) if together else -1)
    place[large] = np.arange(len(large))
    place[-1] = -1
    return [*names, TOO_SMALL] if together else names, place[group]


@dataclass(frozen=True, slots=True)
class _Fold:
    """What was found on the households of one fold, none of which was learnt from.

    Attributes:
        predicted: Probability of each group, shape (households, groups).
        target: Index of the group.
        loss: Log loss of each household.
        base_loss: Its log loss if each group is as likely as it was among those learnt from.
        importance: For each input the fall of the mean AUC when it is shuffled.
    """

    predicted: Floats
    target: Indexes
    loss: Floats
    base_loss: Floats
    importance: Floats

    def of_group(self, at: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Probability of one group, and which households belong to it."""
        return self.predicted[:, at], self.target == at


def _cross_validate(matrix: Floats, target: Indexes, done: Callable[[int], None]) -> list[_Fold]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    scoring = "roc_auc" if target.max() == 1 else "roc_auc_ovr"
    folds = []
    # Threads that wait for each other gain little on a quiet machine, and lose much on a busy
    # one: six times the time where it was measured. The limit holds for what is loaded by now.
    with threadpool_limits(1):
        for at, (learn, held) in enumerate(splitter.split(matrix, target)):
            done(at)
            # An input that is unknown for all households learnt from is no help.
            known = ~np.isnan(matrix[learn]).all(axis=0)
            usable = np.where(known, matrix, 0)
            model: Any = HistGradientBoostingClassifier(
                max_iter=TREES,
                max_leaf_nodes=15,
                min_samples_leaf=20,
                l2_regularization=1.0,
                random_state=SEED,
            )
            model.fit(usable[learn], target[learn])
            predicted = model.predict_proba(usable[held])
            base = np.bincount(target[learn]) / len(learn)
            rows = np.arange(len(held))
            shuffled = permutation_importance(
                model,
                usable[held],
                target[held],
                scoring=scoring,
                n_repeats=SHUFFLES,
                random_state=SEED + at,
            )
            folds.append(
                _Fold(
                    predicted,
                    target[held],
                    -np.log(np.clip(predicted[rows, target[held]], 1e-12, 1)),
                    -np.log(base[target[held]]),
                    shuffled.importances_mean,
                )
            )
    done(FOLDS)
    return folds


def mean_auc(folds: Sequence[tuple[Floats, npt.NDArray[np.bool_]]]) -> tuple[float, Interval]:
    """Mean area under the curve over folds, with its interval.

    The variance in each fold is DeLong's; folds share no household that is judged, so that
    the mean's variance is theirs together (LeDell, Petersen and van der Laan 2015).

    Args:
        folds: For each fold the probabilities, and which households belong to the group.
    """
    areas, variances = zip(*(_auc(*fold) for fold in folds), strict=True)
    mean = float(np.mean(areas))
    half = two_sided() * math.sqrt(sum(variances)) / len(folds)
    return mean, Interval(max(0.0, mean - half), min(1.0, mean + half))


def _auc(predicted: Floats, member: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Area and its variance, by placements (DeLong, DeLong and Clarke-Pearson 1988)."""
    from scipy.stats import rankdata

    inside, outside = predicted[member], predicted[~member]
    n, m = len(inside), len(outside)
    ranks = rankdata(np.concatenate([inside, outside]))
    below = (ranks[:n] - rankdata(inside)) / m  # of each member: others that are less likely
    above = 1 - (ranks[n:] - rankdata(outside)) / n
    variance = np.var(below, ddof=1) / n + np.var(above, ddof=1) / m
    return float(below.mean()), float(variance)


def _skill(loss: Floats, base: Floats) -> tuple[float, Interval]:
    """Skill over the base rates; the interval is that of a ratio of means (delta method)."""
    skill = 1 - loss.mean() / base.mean()
    deviation = loss - (1 - skill) * base
    half = two_sided() * deviation.std(ddof=1) / math.sqrt(len(loss)) / base.mean()
    return float(skill), Interval(float(skill - half), float(skill + half))
