"""Financial hardship: arrears of council tax and rent, and means-tested support."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_plugin_household_factors.means_tested import (
    OPTIONAL,
    SUPPORT,
    support_in_words,
    supported,
)
from folkmoot_plugin_household_factors.wording import listed, not_known, pounds, sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays

_ARREARS = {"council_tax_arrears": "council tax", "rent_arrears": "rent"}


@dataclass(frozen=True, slots=True)
class FinancialHardshipParameters:
    """Parameters of the factor."""

    arrears_full: float = parameter(
        default=2000.0,
        unit="GBP",
        minimum=1.0,
        maximum=1_000_000.0,
        description="Arrears of council tax and rent together at which the score is 1.",
    )
    support_score: float = parameter(
        default=0.2,
        minimum=0.0,
        maximum=1.0,
        description="Added to the score if the household receives means-tested support.",
    )


class FinancialHardship(RiskFactor):
    """Scores arrears in proportion to `arrears_full`, plus `support_score` if supported.

    At most 1. Council tax arrears are required: if they are not known, the score is
    what rent arrears and support alone give, or unknown if these give nothing.
    """

    name = "financial_hardship"
    title = "Financial hardship"
    description = (
        "Council tax and rent arrears together, in proportion to `arrears_full`; plus "
        "`support_score` if anybody receives council tax support, housing benefit or Universal "
        "Credit; at most 1. It brings together what `council_tax_arrears`, `rent_arrears` and "
        "`benefit_dependency` score apart: a policy that names those too counts the same twice."
    )
    domain = "finance"
    savvi_term = "Council tax arrears"
    evidence = (
        Evidence(
            "Levelling Up, Housing and Communities Committee (2023), Council Tax Collection, "
            "House of Commons",
            "https://publications.parliament.uk/pa/cm5804/cmselect/cmcomloc/57/report.html",
            "Council tax arrears rose sharply in the pandemic, often in households that had not "
            "been behind before and could not pay.",
        ),
        Evidence(
            "StepChange Debt Charity, Council tax debts: how to deal with the growing arrears "
            "crisis tipping families into problem debt",
            "",
            "Arrears on council tax and rent are a sign that a household cannot meet its most "
            "basic costs.",
        ),
    )
    inputs = (
        Input("council_tax_arrears", FieldType.NUMBER, unit="GBP", direction="rises"),
        Input("rent_arrears", FieldType.NUMBER, unit="GBP", required=False, direction="rises"),
        *OPTIONAL,
    )
    Parameters = FinancialHardshipParameters

    def __init__(self, parameters: FinancialHardshipParameters) -> None:
        super().__init__(parameters)
        self._full = parameters.arrears_full
        self._support = parameters.support_score

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        council_tax = inputs["council_tax_arrears"]
        # `fmax` with 0 takes 0 for unknown, and for an account in credit.
        result: FactorArray = np.fmax(inputs["rent_arrears"], 0.0)
        result += np.fmax(council_tax, 0.0)
        result *= 1 / self._full
        np.add(result, self._support, out=result, where=supported(inputs))
        np.minimum(result, 1.0, out=result)
        result[np.isnan(council_tax) & (result == 0)] = np.nan
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says what is owed and which support is received."""
        owed = {
            words: values[name]
            for name, words in _ARREARS.items()
            if values.get(name) is not None and values[name] > 0
        }
        unknown = not_known(
            values, {name: f"{words} arrears" for name, words in _ARREARS.items()} | SUPPORT
        )
        if owed:
            parts = listed([f"{pounds(amount)} of {words}" for words, amount in owed.items()])
            money = f"Owes {parts}; the score is full at {pounds(self._full)}."
        elif all(values.get(name) is not None for name in _ARREARS):
            money = "Owes neither council tax nor rent."
        elif values.get("council_tax_arrears") is not None:
            money = "Owes no council tax."
        elif values.get("rent_arrears") is not None:
            money = "Owes no rent."
        else:
            money = ""
        return sentences(money, support_in_words(values), unknown)
