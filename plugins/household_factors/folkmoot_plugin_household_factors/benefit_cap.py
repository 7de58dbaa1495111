"""Benefit cap: benefits are reduced to the limit, and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_plugin_household_factors.graded import graded
from folkmoot_plugin_household_factors.wording import pounds
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class BenefitCapParameters:
    """Parameters of the factor."""

    capped_score: float = parameter(
        default=0.5,
        minimum=0.0,
        maximum=1.0,
        description="Score of a household that is capped by little, or by an amount not known.",
    )
    reduction_full: float = parameter(
        default=400.0,
        unit="GBP/month",
        minimum=1.0,
        maximum=100_000.0,
        description="Reduction at which the score is 1.",
    )


class BenefitCap(RiskFactor):
    """Scores `capped_score` if benefits are capped, rising to 1 with the reduction.

    If it is not known whether they are, a reduction that is known says so; if neither is
    known, the score is unknown.
    """

    name = "benefit_cap"
    title = "Benefit cap"
    description = (
        "Housing benefit or Universal Credit is reduced by the benefit cap: `capped_score`, rising "
        "in a straight line to 1 at a reduction of `reduction_full`. Convert weekly reductions to "
        "months (times 52, divided by 12)."
    )
    domain = "finance"
    savvi_term = "Benefit capped"
    evidence = (
        Evidence(
            "Department for Work and Pensions, Benefit cap statistics (quarterly)",
            "https://www.gov.uk/government/collections/benefit-cap-statistics",
            "Most capped households have children; the statistics give how many are capped, and "
            "by how much.",
        ),
        Evidence(
            "Welfare Reform Act 2012, sections 96 and 97",
            "https://www.legislation.gov.uk/ukpga/2012/5/section/96",
            "Limits the total of certain benefits that a household of working age can receive.",
        ),
    )
    inputs = (
        Input("benefit_capped", FieldType.BOOLEAN, direction="rises"),
        Input(
            "benefit_cap_reduction",
            FieldType.NUMBER,
            unit="GBP/month",
            required=False,
            direction="rises",
        ),
    )
    Parameters = BenefitCapParameters

    def __init__(self, parameters: BenefitCapParameters) -> None:
        super().__init__(parameters)
        self._base = parameters.capped_score
        self._full = parameters.reduction_full

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        return graded(
            inputs["benefit_capped"], inputs["benefit_cap_reduction"], self._base, self._full
        )

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says whether benefits are capped, and by how much."""
        capped, reduction = values.get("benefit_capped"), values.get("benefit_cap_reduction")
        if capped is None:
            if reduction is None:
                return "It is not known whether the benefit cap reduces this household's benefits."
            capped = reduction > 0
        if not capped:
            return "The benefit cap does not reduce this household's benefits."
        if reduction is None:
            return "The benefit cap reduces this household's benefits. Not known: by how much."
        return (
            f"The benefit cap reduces this household's benefits by {pounds(reduction)} a month; "
            f"the score is full at {pounds(self._full)}."
        )
