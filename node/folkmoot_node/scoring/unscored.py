"""Stands for a factor whose plugin has failed, in this run or since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from folkmoot_sdk.factor import FactorArray, InputArrays, NoParameters, RiskFactor, ScoringContext


class Unscored(RiskFactor):
    """Unknown for every household."""

    def __init__(self, failure: str) -> None:
        """Stands in.

        Args:
            failure: How the plugin failed, for the operator.
        """
        super().__init__(NoParameters())
        self.failure = failure

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Unknown: float64 of shape (households,), all NaN."""
        del context
        return np.full(len(next(iter(inputs.values()))), np.nan)

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Nothing: who explains a score says that the plugin failed, and when."""
        del values, score, context
        return ""
