"""Council tax arrears: what is owed, and how far its recovery has gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_plugin_household_factors.code_scores import by_code, check_ascending
from folkmoot_plugin_household_factors.ramp import ramp
from folkmoot_plugin_household_factors.reasons import strongest
from folkmoot_plugin_household_factors.wording import not_known, pounds, sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays

RECOVERY_STAGES = ("none", "reminder", "summons", "liability_order", "enforcement")
"""Codes of `council_tax_recovery`, ascending."""
_IN_WORDS = {
    "none": "No recovery is under way.",
    "reminder": "A reminder has been sent.",
    "summons": "A summons has been sent.",
    "liability_order": "A court has made a liability order.",
    "enforcement": "The debt is with enforcement agents.",
}


@dataclass(frozen=True, slots=True)
class CouncilTaxArrearsParameters:
    """Parameters of the factor."""

    arrears_full: float = parameter(
        default=2000.0,
        unit="GBP",
        minimum=1.0,
        maximum=1_000_000.0,
        description="Arrears at which the score is 1.",
    )
    reminder: float = parameter(
        default=0.1, minimum=0.0, maximum=1.0, description="Score of a reminder, at least."
    )
    summons: float = parameter(
        default=0.3, minimum=0.0, maximum=1.0, description="Score of a summons, at least."
    )
    liability_order: float = parameter(
        default=0.6, minimum=0.0, maximum=1.0, description="Score of a liability order, at least."
    )
    enforcement: float = parameter(
        default=0.8, minimum=0.0, maximum=1.0, description="Score of enforcement agents, at least."
    )

    def __post_init__(self) -> None:
        check_ascending("the stages of recovery", *self.stages())

    def stages(self) -> tuple[float, ...]:
        """The scores of the stages after none, in their order."""
        return self.reminder, self.summons, self.liability_order, self.enforcement


class CouncilTaxArrears(RiskFactor):
    """Scores the larger of arrears in proportion to `arrears_full` and the stage of recovery.

    Arrears are required: if they are not known, the score is that of the stage, or
    unknown if no recovery is known to be under way.
    """

    name = "council_tax_arrears"
    title = "Council tax arrears"
    description = (
        "Council tax arrears in proportion to `arrears_full`, or the score of the stage that "
        "their recovery has reached, whichever is larger. `financial_hardship` counts the same "
        "arrears: name one of the two."
    )
    domain = "finance"
    savvi_term = "Council tax arrears"
    evidence = (
        Evidence(
            "Levelling Up, Housing and Communities Committee (2023), Council Tax Collection, "
            "House of Commons",
            "https://publications.parliament.uk/pa/cm5804/cmselect/cmcomloc/57/report.html",
            "Some households in arrears cannot afford to pay; recovery should consider what they "
            "can, and lead them to advice.",
        ),
        Evidence(
            "The Council Tax (Administration and Enforcement) Regulations 1992, SI 1992/613",
            "https://www.legislation.gov.uk/uksi/1992/613/contents/made",
            "Recovery goes by reminder, summons, liability order and enforcement, and each step "
            "may add costs to the debt.",
        ),
    )
    inputs = (
        Input("council_tax_arrears", FieldType.NUMBER, unit="GBP", direction="rises"),
        Input(
            "council_tax_recovery",
            FieldType.CATEGORY,
            codes=RECOVERY_STAGES,
            required=False,
            direction="rises",
        ),
    )
    Parameters = CouncilTaxArrearsParameters

    def __init__(self, parameters: CouncilTaxArrearsParameters) -> None:
        super().__init__(parameters)
        self._full = parameters.arrears_full
        self._stages = by_code(0.0, *parameters.stages())

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        owed = ramp(inputs["council_tax_arrears"], 0.0, self._full)
        return strongest(owed, self._stages[inputs["council_tax_recovery"]])

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says what is owed and how far recovery has gone."""
        arrears, stage = values.get("council_tax_arrears"), values.get("council_tax_recovery")
        owed = ""
        if arrears is not None:
            owed = "Owes no council tax."
            if arrears > 0:
                owed = (
                    f"Owes {pounds(arrears)} of council tax; the score is full at "
                    f"{pounds(self._full)}."
                )
        unknown = {
            "council_tax_arrears": "council tax arrears",
            "council_tax_recovery": "how far their recovery has gone",
        }
        return sentences(owed, _IN_WORDS[stage] if stage else "", not_known(values, unknown))
