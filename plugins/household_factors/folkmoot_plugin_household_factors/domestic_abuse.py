"""Domestic abuse: how recent the last report is, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_plugin_household_factors.recency import ago, check_window, recency
from folkmoot_plugin_household_factors.wording import sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class DomesticAbuseParameters:
    """Parameters of the factor."""

    full_days: float = parameter(
        default=90.0,
        unit="days",
        minimum=0.0,
        maximum=36_500.0,
        description="A last report no longer ago than this counts in full.",
    )
    none_days: float = parameter(
        default=730.0,
        unit="days",
        minimum=1.0,
        maximum=36_500.0,
        description="A last report this long ago or longer does not count.",
    )
    single_score: float = parameter(
        default=0.6,
        minimum=0.0,
        maximum=1.0,
        description="Score of a single recent report.",
    )
    reports_full: float = parameter(
        default=4.0,
        unit="reports",
        minimum=2.0,
        maximum=1000.0,
        description="Number of reports from which a recent one scores 1.",
    )

    def __post_init__(self) -> None:
        check_window(self.full_days, self.none_days)


class DomesticAbuse(RiskFactor):
    """Scores the recency of the last report times the weight of their number.

    No report scores 0, and so does a last report older than the window. If the number is
    not known, a dated report counts as one. If there are reports and the date of the last
    is not known, or neither is known, the score is unknown.
    """

    name = "domestic_abuse"
    title = "Domestic abuse"
    description = (
        "Reports of domestic abuse. One recent report scores `single_score`, `reports_full` or "
        "more score 1. This counts in full up to `full_days` after the last report, and falls in "
        "a straight line to nothing at `none_days`."
    )
    domain = "safety"
    savvi_term = "Domestic abuse reported"
    evidence = (
        Evidence(
            "SafeLives (2015), Getting it right first time",
            "https://safelives.org.uk/research-policy-library/getting-it-right-first-time/",
            "Most victims had sought help several times in the year before they got effective "
            "help.",
        ),
        Evidence(
            "National Institute for Health and Care Excellence (2014), Domestic violence and "
            "abuse: multi-agency working, public health guideline PH50",
            "https://www.nice.org.uk/guidance/ph50",
            "Recommends that agencies share information, safely, to identify and help those "
            "affected.",
        ),
    )
    inputs = (
        Input("domestic_abuse_reports", FieldType.INTEGER),
        Input("domestic_abuse_last_report", FieldType.DATE, direction="rises"),
    )
    Parameters = DomesticAbuseParameters

    def __init__(self, parameters: DomesticAbuseParameters) -> None:
        super().__init__(parameters)
        self._full_days = parameters.full_days
        self._none_days = parameters.none_days
        self._single = parameters.single_score
        self._step = (1 - parameters.single_score) / (parameters.reports_full - 1)

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        reports = inputs["domestic_abuse_reports"]
        # Unknown numbers count as one report; the product stays unknown if the date is.
        result: FactorArray = np.fmax(reports, 1.0)
        result -= 1.0
        result *= self._step
        result += self._single
        np.minimum(result, 1.0, out=result)
        result *= recency(
            inputs["domestic_abuse_last_report"], context.today, self._full_days, self._none_days
        )
        result[reports == 0] = 0.0
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says how many reports there are, and when the last one was made."""
        reports = values.get("domestic_abuse_reports")
        last = values.get("domestic_abuse_last_report")
        if reports == 0:
            return "No report of domestic abuse is recorded."
        if reports is None and last is None:
            return "It is not known whether there are reports of domestic abuse."
        if reports is None:
            count = "The number of reports of domestic abuse is not known."
        elif reports == 1:
            count = "One report of domestic abuse is recorded."
        else:
            count = f"{reports:g} reports of domestic abuse are recorded."
        if last is None:
            return sentences(count, "The date of the last one is not known.")
        when = f"The last one was on {ago(last, context.reference_date)}."
        if score == 0:
            when += f" The factor counts reports of the last {self._none_days:g} days."
        return sentences(count, when)
