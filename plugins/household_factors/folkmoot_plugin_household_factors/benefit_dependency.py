"""Benefit dependency: means-tested support, and how little is earned beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_plugin_household_factors.graded import rising
from folkmoot_plugin_household_factors.means_tested import (
    REQUIRED,
    SUPPORT,
    received,
    support_in_words,
)
from folkmoot_plugin_household_factors.ramp import ramp
from folkmoot_plugin_household_factors.wording import not_known, pounds, sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class BenefitDependencyParameters:
    """Parameters of the factor."""

    support_score: float = parameter(
        default=0.5,
        minimum=0.0,
        maximum=1.0,
        description="Score of means-tested support beside earnings of `earnings_enough` or more, "
        "and where earnings are not known.",
    )
    earnings_enough: float = parameter(
        default=1000.0,
        unit="GBP/month",
        minimum=1.0,
        maximum=100_000.0,
        description="Household earnings from which they no longer raise the score.",
    )


class BenefitDependency(RiskFactor):
    """Scores means-tested support: `support_score`, rising to 1 as earnings fall to nothing.

    No support scores 0. Council tax support is required: if it is not known, the score is
    what housing benefit or Universal Credit give, or unknown if neither is received.
    """

    name = "benefit_dependency"
    title = "Dependency on means-tested benefits"
    description = (
        "Anybody receives council tax support, housing benefit or Universal Credit: "
        "`support_score` if the household earns `earnings_enough` or more, rising in a straight "
        "line to 1 if it earns nothing. Pensioners have no earnings as a rule: let the source "
        "leave their earnings unknown. `financial_hardship` counts the same support: name one of "
        "the two."
    )
    domain = "finance"
    savvi_term = "Receives means-tested benefits"
    evidence = (
        Evidence(
            "Department for Work and Pensions, Households below average income (annual statistics)",
            "https://www.gov.uk/government/collections/households-below-average-income-hbai--2",
            "Reports low income by whether adults work and which benefits are received; it is "
            "more common where nobody works.",
        ),
        Evidence(
            "Trussell Trust (2023), Hunger in the UK",
            "https://issuu.com/trusselltrust/docs/2023-hunger-in-the-uk-executive-summary-aw-web",
            "Most people who were referred to its food banks received a means-tested benefit: "
            "having one does not mean that the essentials are paid for.",
        ),
        Evidence(
            "Joseph Rowntree Foundation (2025), UK Poverty 2025",
            "https://www.jrf.org.uk/uk-poverty-2025-the-essential-guide-to-understanding-poverty-"
            "in-the-uk",
            "Describes poverty by work and by benefit, and how both have changed.",
        ),
    )
    inputs = (
        *REQUIRED,
        Input(
            "household_earnings",
            FieldType.NUMBER,
            unit="GBP/month",
            required=False,
            direction="falls",
        ),
    )
    Parameters = BenefitDependencyParameters

    def __init__(self, parameters: BenefitDependencyParameters) -> None:
        super().__init__(parameters)
        self._base = parameters.support_score
        self._enough = parameters.earnings_enough

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        result = rising(self._base, ramp(inputs["household_earnings"], self._enough, 0.0))
        result *= received(inputs)
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says which support is received and what is earned."""
        earnings = values.get("household_earnings")
        names = dict(SUPPORT)
        earned = ""
        if any(values.get(name) for name in SUPPORT):
            names["household_earnings"] = "what the household earns"
            if earnings is not None:
                earned = "No earnings are recorded."
                if earnings > 0:
                    earned = f"Earns {pounds(earnings)} a month."
        return sentences(support_in_words(values), earned, not_known(values, names))
