"""Unpaid care: somebody cares for another, for many hours, or is a child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_plugin_household_factors.graded import graded
from folkmoot_plugin_household_factors.reasons import strongest
from folkmoot_plugin_household_factors.wording import not_known, sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class UnpaidCareParameters:
    """Parameters of the factor."""

    carer_score: float = parameter(
        default=0.3,
        minimum=0.0,
        maximum=1.0,
        description="Score of a carer of few hours, or of hours that are not known.",
    )
    hours_full: float = parameter(
        default=50.0,
        unit="hours/week",
        minimum=1.0,
        maximum=168.0,
        description="Hours of unpaid care at which the score is 1.",
    )
    young_carer_score: float = parameter(
        default=0.8, minimum=0.0, maximum=1.0, description="Score of a young carer, at least."
    )


class UnpaidCare(RiskFactor):
    """Scores `carer_score` for an unpaid carer, rising to 1 with hours; a young carer more.

    If it is not known whether there is a carer, hours that are known say so. Whether there
    is a young carer only raises the score, or settles it if all else is unknown.
    """

    name = "unpaid_care"
    title = "Unpaid care"
    description = (
        "Somebody in the household gives unpaid care: `carer_score`, rising in a straight line to "
        "1 at `hours_full`; at least `young_carer_score` if a child or young person does. That "
        "somebody is a young carer nearly states age, and that somebody is cared for at home may "
        "state disability: expect the sources to mark them as protected."
    )
    domain = "care"
    savvi_term = "Unpaid carer"
    evidence = (
        Evidence(
            "Care Act 2014, section 10; Children and Families Act 2014, section 96",
            "https://www.legislation.gov.uk/ukpga/2014/23/section/10",
            "Councils must assess carers, young carers among them, who may need support.",
        ),
        Evidence(
            "Office for National Statistics (2023), Unpaid care, England and Wales: Census 2021",
            "https://www.ons.gov.uk/peoplepopulationandcommunity/healthandsocialcare/"
            "healthandwellbeing/bulletins/unpaidcareenglandandwales/census2021",
            "Counts those who care for up to 19, 20 to 49, and 50 or more hours a week.",
        ),
        Evidence(
            "Public Health England (2021), Caring as a social determinant of health: findings "
            "from a rapid review of reviews and analysis of the GP Patient Survey",
            "https://www.gov.uk/government/publications/"
            "caring-as-a-social-determinant-of-health-review-of-evidence",
            "Reviews evidence that carers may have poorer physical and mental health than others.",
        ),
    )
    inputs = (
        Input("unpaid_carer", FieldType.BOOLEAN, direction="rises"),
        Input(
            "unpaid_care_hours",
            FieldType.NUMBER,
            unit="hours/week",
            required=False,
            direction="rises",
        ),
        Input("young_carer", FieldType.BOOLEAN, required=False, direction="rises"),
    )
    Parameters = UnpaidCareParameters

    def __init__(self, parameters: UnpaidCareParameters) -> None:
        super().__init__(parameters)
        self._base = parameters.carer_score
        self._full = parameters.hours_full
        self._young = parameters.young_carer_score

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        carer = graded(inputs["unpaid_carer"], inputs["unpaid_care_hours"], self._base, self._full)
        return strongest(carer, inputs["young_carer"] * self._young)

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says whether there is a carer, how much care is given, and whether by the young."""
        carer, hours = values.get("unpaid_carer"), values.get("unpaid_care_hours")
        young = values.get("young_carer")
        if carer is None and hours is not None:
            carer = hours > 0
        names = {"young_carer": "whether there is a young carer"}
        if carer or young:
            said = f"{'A young person' if young else 'Somebody'} here gives unpaid care."
            if hours is not None and hours > 0:
                said += f" It is {hours:g} hours a week; the score is full at {self._full:g}."
            names["unpaid_care_hours"] = "for how many hours"
        elif carer is None:
            said = "It is not known whether anybody here gives unpaid care."
        else:
            said = "Nobody here is recorded as an unpaid carer."
        return sentences(said, not_known(values, names))
