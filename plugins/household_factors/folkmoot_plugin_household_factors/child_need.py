"""Child need: what children's services do for a child of the household."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_plugin_household_factors.code_scores import by_code, check_ascending
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays

CHILD_STATUSES = ("none", "early_help", "child_in_need", "child_protection", "looked_after")
"""Codes of `child_status`, ascending."""
_IN_WORDS = {
    "none": "No child here is known to children's services.",
    "early_help": "The family here receives early help.",
    "child_in_need": "A child here has a child in need plan.",
    "child_protection": "A child here has a child protection plan.",
    "looked_after": "A child of this home is looked after by the council.",
}


@dataclass(frozen=True, slots=True)
class ChildNeedParameters:
    """Parameters of the factor."""

    involved: float = parameter(
        default=0.6,
        minimum=0.0,
        maximum=1.0,
        description="Score of an involvement of children's services whose kind is not known.",
    )
    early_help: float = parameter(
        default=0.3, minimum=0.0, maximum=1.0, description="Score of early help."
    )
    child_in_need: float = parameter(
        default=0.6, minimum=0.0, maximum=1.0, description="Score of a child in need plan."
    )
    child_protection: float = parameter(
        default=1.0, minimum=0.0, maximum=1.0, description="Score of a child protection plan."
    )
    looked_after: float = parameter(
        default=1.0, minimum=0.0, maximum=1.0, description="Score of a child who is looked after."
    )

    def __post_init__(self) -> None:
        check_ascending("what children's services do", *self.statuses())

    def statuses(self) -> tuple[float, ...]:
        """The scores of the statuses after none, in their order."""
        return self.early_help, self.child_in_need, self.child_protection, self.looked_after


class ChildNeed(RiskFactor):
    """Scores the status of the child with the greatest need, or that services are involved.

    The status goes first. Where it is not known, the score is `involved` or 0 by whether
    children's services are involved; unknown if neither is known.
    """

    name = "child_need"
    title = "Child need"
    description = (
        "The largest of what children's services do for a child of the household: early help, "
        "child in need, child protection plan, looked after. Where the kind is not known, "
        "`involved` if they are involved. A looked-after child counts at the home that the child "
        "came from: a source that gives the foster home marks carers as in need. That there is a "
        "child states age, and a child may be in need because of disability: a source may mark "
        "these inputs as protected."
    )
    domain = "family"
    savvi_term = "Child in need"
    evidence = (
        Evidence(
            "Children Act 1989, section 17",
            "https://www.legislation.gov.uk/ukpga/1989/41/section/17",
            "Councils have a general duty to safeguard and promote the welfare of children in "
            "need, and to support their families in bringing them up.",
        ),
        Evidence(
            "Department for Education, Children in need (annual statistics)",
            "https://explore-education-statistics.service.gov.uk/find-statistics/children-in-need",
            "Domestic abuse and parents' mental health are among the factors that assessments "
            "find most often.",
        ),
        Evidence(
            "Department for Education, Working together to safeguard children (statutory guidance)",
            "https://www.gov.uk/government/publications/working-together-to-safeguard-children--2",
            "Asks agencies to offer help early, and to share information about risks to children.",
        ),
    )
    inputs = (
        Input("children_services", FieldType.BOOLEAN, direction="rises"),
        Input(
            "child_status",
            FieldType.CATEGORY,
            codes=CHILD_STATUSES,
            required=False,
            direction="rises",
        ),
    )
    Parameters = ChildNeedParameters

    def __init__(self, parameters: ChildNeedParameters) -> None:
        super().__init__(parameters)
        self._involved = parameters.involved
        self._statuses = by_code(0.0, *parameters.statuses())

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        by_status = self._statuses[inputs["child_status"]]
        involved = inputs["children_services"] * self._involved
        result: FactorArray = np.where(np.isnan(by_status), involved, by_status)
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says what children's services do here."""
        status, involved = values.get("child_status"), values.get("children_services")
        if status is not None:
            return _IN_WORDS[status]
        if involved is None:
            return "It is not known whether children's services are involved here."
        if involved:
            return "Children's services are involved here. Not known: with which kind of plan."
        return "Children's services are not involved here."
