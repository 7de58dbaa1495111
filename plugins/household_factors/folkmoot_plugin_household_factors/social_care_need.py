"""Social-care need: the size of the largest care package in the household."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_plugin_household_factors.code_scores import by_code, check_ascending
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays

CARE_PACKAGES = ("none", "low", "medium", "high")
"""Codes of `care_package`, ascending."""


@dataclass(frozen=True, slots=True)
class SocialCareNeedParameters:
    """Parameters of the factor."""

    low: float = parameter(
        default=0.4, minimum=0.0, maximum=1.0, description="Score of a low care package."
    )
    medium: float = parameter(
        default=0.7, minimum=0.0, maximum=1.0, description="Score of a medium care package."
    )
    high: float = parameter(
        default=1.0, minimum=0.0, maximum=1.0, description="Score of a high care package."
    )

    def __post_init__(self) -> None:
        check_ascending("low, medium and high care packages", self.low, self.medium, self.high)


class SocialCareNeed(RiskFactor):
    """Scores the largest care package; unknown if it is not known."""

    name = "social_care_need"
    title = "Social-care need"
    description = (
        "The largest adult social care package of anybody in the household: `low`, `medium` or "
        "`high` score as the policy says, none scores 0. A care package nearly states disability: "
        "expect its source to mark it as protected."
    )
    domain = "care"
    savvi_term = "Receives adult social care"
    evidence = (
        Evidence(
            "The Care and Support (Eligibility Criteria) Regulations 2015, SI 2015/313, made "
            "under the Care Act 2014, section 13",
            "https://www.legislation.gov.uk/uksi/2015/313/contents/made",
            "A care package follows an assessment that needs have, or are likely to have, a "
            "significant impact on wellbeing.",
        ),
        Evidence(
            "National Institute for Health and Care Excellence (2015), Older people with social "
            "care needs and multiple long-term conditions, NICE guideline NG22",
            "https://www.nice.org.uk/guidance/ng22",
            "Asks for a named care coordinator, and for plans that cover what happens when "
            "support fails.",
        ),
    )
    inputs = (Input("care_package", FieldType.CATEGORY, codes=CARE_PACKAGES, direction="rises"),)
    Parameters = SocialCareNeedParameters

    def __init__(self, parameters: SocialCareNeedParameters) -> None:
        super().__init__(parameters)
        self._scores = by_code(0.0, parameters.low, parameters.medium, parameters.high)

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        return self._scores[inputs["care_package"]]

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says which care package there is."""
        package = values.get("care_package")
        if package is None:
            return "It is not known whether anybody here has an adult social care package."
        if package == "none":
            return "Nobody here has an adult social care package."
        return f"Somebody here has a {package} adult social care package."
