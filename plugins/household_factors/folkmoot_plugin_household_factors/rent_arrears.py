"""Rent arrears: how many weeks of rent are owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_plugin_household_factors.wording import pounds
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class RentArrearsParameters:
    """Parameters of the factor."""

    weeks_full: float = parameter(
        default=8.0,
        unit="weeks",
        minimum=1.0,
        maximum=520.0,
        description="Weeks of rent owed at which the score is 1.",
    )
    arrears_full: float = parameter(
        default=1000.0,
        unit="GBP",
        minimum=1.0,
        maximum=1_000_000.0,
        description="Arrears at which the score is 1 if the weekly rent is not known.",
    )


class RentArrears(RiskFactor):
    """Scores arrears by weeks of rent, or by amount where the weekly rent is not known.

    Unknown if the arrears are not known. No rent, or a rent of nothing, is a rent that is
    not known.
    """

    name = "rent_arrears"
    title = "Rent arrears"
    description = (
        "Rent arrears as weeks of rent, in proportion to `weeks_full`; where the weekly rent is "
        "not known, as an amount in proportion to `arrears_full`. `financial_hardship` counts the "
        "same arrears: name one of the two. Councils know the rents of their own homes and, "
        "seldom, those of others: somebody who rents elsewhere is unknown, not free of arrears."
    )
    domain = "finance"
    savvi_term = "Rent arrears"
    evidence = (
        Evidence(
            "Ministry of Justice, Pre-Action Protocol for Possession Claims by Social Landlords",
            "https://www.justice.gov.uk/courts/procedure-rules/civil/protocol/"
            "pre-action-protocol-for-possession-claims-by-social-landlords",
            "Asks landlords to make contact as soon as reasonably possible when rent is not paid, "
            "to look at income and benefits, and to agree affordable payments before a claim.",
        ),
        Evidence(
            "Ministry of Housing, Communities and Local Government, English Housing Survey "
            "(annual)",
            "https://www.gov.uk/government/collections/english-housing-survey",
            "Reports each year how many social and private renters are, or have lately been, "
            "behind with their rent.",
        ),
    )
    inputs = (
        Input("rent_arrears", FieldType.NUMBER, unit="GBP", direction="rises"),
        Input("weekly_rent", FieldType.NUMBER, unit="GBP/week", required=False),
    )
    Parameters = RentArrearsParameters

    def __init__(self, parameters: RentArrearsParameters) -> None:
        super().__init__(parameters)
        self._weeks = parameters.weeks_full
        self._full = parameters.arrears_full

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        arrears, rent = inputs["rent_arrears"], inputs["weekly_rent"]
        # The arrears of a full score: by the week, or the fixed amount.
        full = np.where(rent > 0, rent * self._weeks, self._full)
        result: FactorArray = arrears / full
        np.clip(result, 0.0, 1.0, out=result)
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says what is owed, and how many weeks of rent that is."""
        arrears, rent = values.get("rent_arrears"), values.get("weekly_rent")
        if arrears is None:
            return "It is not known whether rent is owed."
        if arrears <= 0:
            return "Owes no rent."
        owed = f"Owes {pounds(arrears)} of rent"
        if rent is None or rent <= 0:
            return f"{owed}; the score is full at {pounds(self._full)}. Not known: the weekly rent."
        return (
            f"{owed}, {arrears / rent:.1f} weeks of it; the score is full at {self._weeks:g} weeks."
        )
