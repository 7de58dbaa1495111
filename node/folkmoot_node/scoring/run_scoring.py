"""Scores the households of a run, and holds its factors to what they promise."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack

import polars as pl

from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.bound import BoundFactor
from folkmoot_node.scoring.fresh import fresh
from folkmoot_node.scoring.independence import Halves, require_independent
from folkmoot_node.scoring.stratify import Stratified, added_up, contributions
from folkmoot_sdk.factor import ScoringContext


class RunScoring:
    """The factors of a run at work. Parts may be scored on several threads.

    Factors that nobody has reviewed are scored twice, see `Halves`; of the others a sample is
    scored again.
    """

    def __init__(
        self,
        factors: Sequence[BoundFactor],
        policy: RiskPolicy,
        context: ScoringContext,
        *,
        apart: bool = False,
    ) -> None:
        """Sets up scoring; no process is started yet.

        Args:
            factors: In the order of the policy.
            policy: The policy.
            context: That of the run.
            apart: Whether those that are scored twice also score the first time in processes
                that have seen nothing, and not in those of `factors`.
        """
        self._policy = policy
        self._context = context
        self._factors = list(factors)
        self._apart = apart
        self._twice = [at for at, bound in enumerate(factors) if bound.is_scored_twice]
        self._once = [at for at, bound in enumerate(factors) if not bound.is_scored_twice]
        self._started = ExitStack()
        self._halves: Halves | None = None
        self._lock = threading.Lock()

    def stratify(self, households: pl.DataFrame) -> Stratified:
        """Scores households, and compares with what factors say in other company.

        Args:
            households: A part of those of the run; no other part has any of them.

        Raises:
            FactorsFailed: Exit code FAULT, if a factor breaks its contract.
            Problem: Exit code FAULT, if a factor scores a household by what others have.
        """
        halves = self._opened()
        points = contributions(households, self._factors, self._context)
        once = [points[at] for at in self._once]
        require_independent(
            households, once, [self._factors[at] for at in self._once], self._context
        )
        if halves is not None:
            halves.require_same(households, [points[at] for at in self._twice], self._context)
        return added_up(points, self._policy)

    def close(self) -> None:
        """Ends the processes that were started for this."""
        self._started.close()

    def _opened(self) -> Halves | None:
        """What scores a second time; None if all factors are scored once."""
        if not self._twice:
            return None
        with self._lock:
            if self._halves is None:
                twice = [self._factors[at] for at in self._twice]
                self._halves = Halves(twice)
                self._started.callback(self._halves.close)
                if self._apart:
                    made = self._started.enter_context(fresh(twice))
                    for at, bound in zip(self._twice, made, strict=True):
                        self._factors[at] = bound
            return self._halves
