"""Relationship breakdown: a household that has recently lost an adult."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_plugin_household_factors.reasons import strongest
from folkmoot_plugin_household_factors.recency import ago, check_window, recency
from folkmoot_plugin_household_factors.wording import not_known, sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class RelationshipBreakdownParameters:
    """Parameters of the factor."""

    full_days: float = parameter(
        default=180.0,
        unit="days",
        minimum=0.0,
        maximum=36_500.0,
        description="A change no longer ago than this counts in full.",
    )
    none_days: float = parameter(
        default=730.0,
        unit="days",
        minimum=1.0,
        maximum=36_500.0,
        description="A change this long ago or longer does not count.",
    )
    change_score: float = parameter(
        default=0.7,
        minimum=0.0,
        maximum=1.0,
        description="Score of a recent change; 1 if children's services are involved as well.",
    )

    def __post_init__(self) -> None:
        check_window(self.full_days, self.none_days)


class RelationshipBreakdown(RiskFactor):
    """Scores how recently a discount for one adult, or a sole tenancy, began.

    The more recent of the two counts. No discount is known to be no change on that side;
    a discount with no date is unknown. The tenancy and children's services only raise the
    score: while they are not known it is what the discount gives.
    """

    name = "relationship_breakdown"
    title = "Relationship breakdown"
    description = (
        "A single person discount that began, or a joint tenancy that became a sole one, recently: "
        "`change_score` up to `full_days` ago, falling in a straight line to nothing at "
        "`none_days`; in proportion up to 1 if children's services are involved. A bereavement, "
        "or a child who left home, shows in the same way: ask, do not assume."
    )
    domain = "family"
    savvi_term = "Relationship breakdown"
    evidence = (
        Evidence(
            "Harold, Acquah, Sellers and Chowdry (2016), What works to enhance inter-parental "
            "relationships and improve outcomes for children, Early Intervention Foundation",
            "https://www.drugsandalcohol.ie/29699/",
            "Frequent, intense and poorly resolved conflict between parents puts children's "
            "mental health and life chances at risk.",
        ),
        Evidence(
            "Ministry of Housing, Communities and Local Government, Statutory homelessness in "
            "England (official statistics, quarterly)",
            "https://www.gov.uk/government/collections/homelessness-statistics",
            "The end of a relationship is among the recorded reasons for the loss of the last "
            "settled home.",
        ),
    )
    inputs = (
        Input("single_person_discount", FieldType.BOOLEAN, direction="rises"),
        Input("single_person_discount_from", FieldType.DATE, direction="rises"),
        Input("tenancy_change_date", FieldType.DATE, required=False, direction="rises"),
        Input("children_services", FieldType.BOOLEAN, required=False, direction="rises"),
    )
    Parameters = RelationshipBreakdownParameters

    def __init__(self, parameters: RelationshipBreakdownParameters) -> None:
        super().__init__(parameters)
        self._full_days = parameters.full_days
        self._none_days = parameters.none_days
        self._change = parameters.change_score

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        discount = inputs["single_person_discount"]
        change = self._recency(inputs["single_person_discount_from"], context)
        # A date without a discount is that of one that has ended.
        change[discount == 0] = 0.0
        tenancy = self._recency(inputs["tenancy_change_date"], context)
        # A tenancy that did not change lately does not settle an unknown discount.
        result = strongest(change, tenancy)
        result *= np.where(inputs["children_services"] == 1, 1.0, self._change)
        return result

    def _recency(self, dates: Any, context: ScoringContext) -> FactorArray:
        return recency(dates, context.today, self._full_days, self._none_days)

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says when the discount and the sole tenancy began, and who is involved."""
        today = context.reference_date
        discount = values.get("single_person_discount")
        began, tenancy = (
            values.get("single_person_discount_from"), values.get("tenancy_change_date"),
        )  # fmt: skip
        parts = []
        if discount == 0:
            parts.append("No single person discount is paid.")
        elif discount is None and began is None:
            parts.append("It is not known whether a single person discount is paid.")
        elif began is None:
            parts.append("A single person discount is paid; since when is not known.")
        else:
            parts.append(f"A single person discount is paid since {ago(began, today)}.")
        if tenancy is not None:
            parts.append(f"A joint tenancy became a sole one on {ago(tenancy, today)}.")
        if values.get("children_services"):
            parts.append("Children's services are involved.")
        unknown = {
            "tenancy_change_date": "a change from a joint to a sole tenancy",
            "children_services": "whether children's services are involved",
        }
        if score == 0 and (discount or tenancy is not None):
            parts.append(f"The factor counts changes of the last {self._none_days:g} days.")
        return sentences(*parts, not_known(values, unknown))
