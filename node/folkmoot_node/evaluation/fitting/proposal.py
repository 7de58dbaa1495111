"""Fits a policy to what was observed, and says what would change."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.fitting import comparison, forward, scorecard
from folkmoot_node.evaluation.fitting.comparison import BandCut, GroupChange, JudgedDate
from folkmoot_node.evaluation.fitting.fit_file import FitFile
from folkmoot_node.evaluation.fitting.known_dates import (
    KnownDate,
    households_with_event,
    households_without_event,
    patterns,
)
from folkmoot_node.evaluation.fitting.policy_file import proposed_text
from folkmoot_node.evaluation.fitting.resampling import intervals
from folkmoot_node.evaluation.fitting.scorecard import Limits, Scorecard
from folkmoot_node.evaluation.fitting.separation import check_single, is_constant, too_few
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_operator.problems import ExitCode, Problem

Progress = Callable[[str, int, int], None]

PROTECTED = "reads a protected characteristic"
LEFT_OUT = "left out by the fit file"
CONSTANT = "is the same for all households"
NOTHING_MORE = "adds nothing that others do not say"
NO_POINT = "is less than half a point"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a fit.

    Attributes:
        fit: The fit file.
        fit_path: Where it was read.
        fit_digest: SHA-256 of its bytes, hexadecimal.
        evaluation: The evaluation file.
        evaluation_path: As `fit_path`.
        evaluation_digest: As `fit_digest`.
        outcome: Name of the outcome.
    """

    fit: FitFile
    fit_path: str
    fit_digest: str
    evaluation: EvaluationFile
    evaluation_path: str
    evaluation_digest: str
    outcome: str

    @property
    def seed(self) -> int:
        """Of all that is drawn."""
        return self.evaluation.seed

    def run_of(self, policy: RiskPolicy) -> str:
        """Names the run: the same files and seed have the same name, 16 hexadecimal digits."""
        parts = (self.fit_digest, self.evaluation_digest, policy.digest.hex(), str(self.seed))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ProposedFactor:
    """One factor of the present policy.

    Attributes:
        factor: Its name.
        present: Points now.
        points: Points proposed, whole; 0 if it would be taken out.
        low: Lower end of the interval of the points.
        high: Upper end.
        odds: How many times as high the odds of the event are at a factor score of 1.
        reason: Why it has no points; empty if it has.
    """

    factor: str
    present: float
    points: int
    low: float
    high: float
    odds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed policy, and its evidence. It tells of residents and stays at the council.

    Attributes:
        run: Names the run.
        policy: Name of the present policy.
        policy_sha256: Digest of its file.
        outcome: Name of the outcome.
        months: Horizon.
        dates: Those it was fitted to, ISO 8601.
        households: Different households on the newest date.
        events: Different households with the event.
        doubling: Points more for which the odds of the event are twice as high.
        factors: In the order of the present policy.
        bands: Ascending.
        judged: Later dates, judged by points fitted before them.
        not_judged: Later dates before which no points could be fitted, ISO 8601.
        moves: Households by present band, then proposed band, on the newest date.
        capacity: Of the figures by group.
        groups: What would change by protected group.
        small_groups: Groups too small to show, and those too small for a floor of recall.
        penalty: Chosen, as a share of the largest.
        losses: Mean log loss on later dates for each penalty tried.
        undated: Sources that were read as they are today.
        protected: Proposed factors that read a protected characteristic.
        warnings: What nearly equals the outcome, in sentences.
        text: The policy file.
    """

    run: str
    policy: str
    policy_sha256: str
    outcome: str
    months: int
    dates: tuple[str, ...]
    households: int
    events: int
    doubling: float
    factors: tuple[ProposedFactor, ...]
    bands: tuple[BandCut, ...]
    judged: tuple[JudgedDate, ...]
    not_judged: tuple[str, ...]
    moves: tuple[tuple[int, ...], ...]
    capacity: int
    groups: tuple[GroupChange, ...]
    small_groups: tuple[str, ...]
    penalty: float
    losses: dict[str, float]
    undated: tuple[str, ...]
    protected: tuple[str, ...]
    warnings: tuple[str, ...]
    text: str

    @property
    def sha256(self) -> str:
        """Digest of the proposed file."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**dataclasses.asdict(self), "sha256": self.sha256}


def propose(
    observed: Sequence[KnownDate],
    policy: RiskPolicy,
    question: Question,
    *,
    protected: Collection[str],
    undated: Sequence[str],
    warnings: Sequence[str] = (),
    progress: Progress,
) -> Proposal:
    """Fits a policy.

    Args:
        observed: The dates, ascending, with the factors of the policy in its order.
        policy: The present policy.
        question: What is asked.
        protected: Factors that read a protected characteristic.
        undated: Sources that were read as they are today.
        warnings: For the report, in sentences.
        progress: Told how far it is.

    Raises:
        Problem: If there are too few events, they are separated, or limits cannot be met.
    """
    from threadpoolctl import threadpool_limits

    # The matrices are narrow: threads of the library would wait for each other, and take from
    # other programs what they do not use.
    with threadpool_limits(1, "blas"):
        found = _proposed(observed, policy, question, protected, progress)
    return dataclasses.replace(found, undated=tuple(undated), warnings=tuple(warnings))


def _proposed(
    observed: Sequence[KnownDate],
    policy: RiskPolicy,
    question: Question,
    protected: Collection[str],
    progress: Progress,
) -> Proposal:
    fit, smallest = question.fit, question.evaluation.smallest
    reasons = _reasons(observed, policy, fit, protected)
    limits = _limits(policy, fit, [not reason for reason in reasons])
    count = len(limits.factors)
    _require_events(observed, count, question)
    check_single(patterns(observed, limits.factors), limits.names)
    dates = [(one.date, one.until) for one in observed]
    folds = forward.usable_folds(observed, forward.folds(dates), count, question.evaluation_path)
    choice = forward.choose(
        observed,
        folds,
        limits.factors,
        limits.keep,
        lambda done, total: progress("cross-validation", done, total),
    )
    asked = [(one.field, one.capacity, one.least) for one in fit.recall]
    floors, too_small = scorecard.floors_of(observed, asked, smallest)

    def card_of(dates: Sequence[KnownDate], *, must: bool) -> Scorecard:
        left = forward.left_at(patterns(dates, limits.factors), limits.keep, choice.step)
        return scorecard.meet_floors(
            dates, left, limits, floors, must=must, where=question.fit_path
        )

    card = card_of(observed, must=True)
    judged: list[tuple[KnownDate, Scorecard]] = []
    not_judged: list[str] = []
    for at, fold in enumerate(folds):
        progress("later dates", at, len(folds))
        later = observed[fold.judge]
        try:
            judged.append((later, card_of([observed[one] for one in fold.learn], must=False)))
        except Problem:  # fewer dates may separate where all of them do not
            not_judged.append(later.date.isoformat())
            if len(not_judged) == len(folds):
                raise  # what no later date has judged is not proposed
    progress("later dates", len(folds), len(folds))
    spread = intervals(
        observed,
        card,
        limits,
        resamples=question.evaluation.resamples,
        seed=question.seed,
        advance=lambda done, total: progress("resamples", done, total),
    )
    newest = observed[-1]
    score = card.scores(newest, limits.factors)
    cuts = comparison.recut(policy, newest.band, score)
    band = comparison.bands_by(cuts, score)
    capacity = question.evaluation.capacity[0]
    groups, hidden = comparison.group_changes(
        newest, band, judged, limits.factors, capacity, smallest
    )
    proposed = _factors(policy, limits, card, spread, reasons)
    entry = question.evaluation.outcomes[question.outcome]
    return Proposal(
        run=question.run_of(policy),
        policy=policy.name,
        policy_sha256=policy.digest.hex(),
        outcome=question.outcome,
        months=entry.months,
        dates=tuple(one.date.isoformat() for one in observed),
        households=len(newest.uprn),
        events=households_with_event(observed),
        doubling=card.per_log_odds * math.log(2),
        factors=proposed,
        bands=cuts,
        not_judged=tuple(not_judged),
        judged=tuple(
            comparison.judge_date(
                one, learnt, limits.factors, question.evaluation.capacity, smallest
            )
            for one, learnt in judged
        ),
        moves=tuple(
            tuple(int(cell) for cell in row)
            for row in comparison.moves(newest.band, band, len(policy.bands))
        ),
        capacity=capacity,
        groups=groups,
        small_groups=tuple(dict.fromkeys([*hidden, *too_small])),
        penalty=choice.step,
        losses={f"{s:g}": loss for s, loss in zip(forward.STEPS, choice.losses, strict=True)},
        undated=(),
        protected=tuple(one.factor for one in proposed if one.points and one.factor in protected),
        warnings=(),
        text=proposed_text(
            policy,
            {one.factor: one.points for one in proposed},
            [cut.proposed_from for cut in cuts],
            evidence(policy, question, observed),
        ),
    )


def evidence(
    policy: RiskPolicy, question: Question, observed: Sequence[KnownDate]
) -> tuple[str, ...]:
    """Lines for the proposed file. They say where it comes from, and nothing of any household."""
    entry = question.evaluation.outcomes[question.outcome]
    return (
        "Proposed by `folkmoot-node fit`. Not in force: its owner decides (docs/fitting.md).",
        "Fitted to residents' records: it stays at the council, unless a named person decides to",
        "publish it. The guarantee of differential privacy does not cover that.",
        f"Run {question.run_of(policy)}, seed {question.seed}.",
        f"Outcome {question.outcome!r} within {entry.months} months, households as known on "
        f"{len(observed)} dates",
        f"from {observed[0].date.isoformat()} to {observed[-1].date.isoformat()}.",
        f"Fit file sha256:{question.fit_digest}",
        f"Evaluation file sha256:{question.evaluation_digest}",
        f"Policy before sha256:{policy.digest.hex()}",
        "",
    )


def _reasons(
    observed: Sequence[KnownDate], policy: RiskPolicy, fit: FitFile, protected: Collection[str]
) -> list[str]:
    """Why factors may not be used; empty for those that may."""
    everything = np.arange(len(policy.factors))
    constant = is_constant(patterns(observed, everything))
    found = []
    for at, entry in enumerate(policy.factors):
        if entry.factor in protected and not fit.protected_inputs:
            found.append(PROTECTED)
        elif entry.factor in fit.leave_out:
            found.append(LEFT_OUT)
        else:
            is_left = constant[at] and entry.factor not in fit.keep
            found.append(CONSTANT if is_left else "")
    return found


def _limits(policy: RiskPolicy, fit: FitFile, permitted: Sequence[bool]) -> Limits:
    indexes = [at for at, one in enumerate(permitted) if one]
    names = tuple(policy.factors[at].factor for at in indexes)
    return Limits(
        factors=np.array(indexes, dtype=np.int64),
        names=names,
        keep=np.array([name in fit.keep for name in names], dtype=np.bool_),
        most=np.array([fit.most_of(name) for name in names], dtype=np.int64),
        total=fit.points or max(10, round(policy.total_weight)),
    )


def _require_events(observed: Sequence[KnownDate], factors: int, question: Question) -> None:
    if not factors:
        raise Problem(
            "no factor of the policy may be used",
            where=question.fit_path,
            remedy="Name fewer factors in leave_out, or say protected_inputs = true if the policy "
            "permits the characteristics",
            exit_code=ExitCode.SETTINGS,
        )
    needed = forward.EVENTS_PER_FACTOR * factors
    fewer = min(households_with_event(observed), households_without_event(observed))
    if fewer < needed:
        raise too_few(needed, factors, fewer, f"to {question.outcome!r}", question.fit_path)


def _factors(
    policy: RiskPolicy, limits: Limits, card: Scorecard, spread: Any, reasons: Sequence[str]
) -> tuple[ProposedFactor, ...]:
    place = {int(index): at for at, index in enumerate(limits.factors)}
    found = []
    for index, entry in enumerate(policy.factors):
        at = place.get(index)
        if at is None:
            unused = ProposedFactor(entry.factor, entry.weight, 0, 0.0, 0.0, 1.0, reasons[index])
            found.append(unused)
            continue
        points, effect = int(card.points[at]), float(card.model.effects[at])
        reason = "" if points else (NO_POINT if effect > 1e-4 else NOTHING_MORE)
        low, high = (float(end) for end in spread[at])
        odds = math.exp(effect)
        found.append(ProposedFactor(entry.factor, entry.weight, points, low, high, odds, reason))
    return tuple(found)
