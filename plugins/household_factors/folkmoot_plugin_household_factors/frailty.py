"""Frailty: the electronic frailty index of the frailest person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_plugin_household_factors.code_scores import by_code, check_ascending
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays

FRAILTY_CATEGORIES = ("fit", "mild", "moderate", "severe")
"""Codes of `frailty_category`, ascending."""


@dataclass(frozen=True, slots=True)
class FrailtyParameters:
    """Parameters of the factor."""

    mild: float = parameter(
        default=0.3, minimum=0.0, maximum=1.0, description="Score of mild frailty."
    )
    moderate: float = parameter(
        default=0.7, minimum=0.0, maximum=1.0, description="Score of moderate frailty."
    )
    severe: float = parameter(
        default=1.0, minimum=0.0, maximum=1.0, description="Score of severe frailty."
    )
    mild_above: float = parameter(
        default=0.12, minimum=0.0, maximum=1.0, description="An index above this is mild frailty."
    )
    moderate_above: float = parameter(
        default=0.24, minimum=0.0, maximum=1.0, description="Above this it is moderate frailty."
    )
    severe_above: float = parameter(
        default=0.36, minimum=0.0, maximum=1.0, description="Above this it is severe frailty."
    )

    def __post_init__(self) -> None:
        check_ascending("mild, moderate and severe frailty", self.mild, self.moderate, self.severe)
        if not self.mild_above <= self.moderate_above <= self.severe_above:
            raise ValueError("mild_above, moderate_above and severe_above do not ascend")


class Frailty(RiskFactor):
    """Scores the category of the frailest person, by the index where there is no category.

    The category goes first, since a clinician may have confirmed it. Unknown if neither
    is known; an index that is not from 0 to 1, such as a percentage, is not known.
    """

    name = "frailty"
    title = "Frailty"
    description = (
        "The frailty category of the frailest person, as their general practice records it; where "
        "there is none, by the electronic frailty index: above `mild_above`, `moderate_above`, "
        "`severe_above`. The index was made for people of 65 and over. Frailty nearly states "
        "disability, and age: expect its source to mark it as protected."
    )
    domain = "health"
    savvi_term = "Frailty"
    evidence = (
        Evidence(
            "Clegg, Bates, Young and others (2016), Development and validation of an electronic "
            "frailty index using routine primary care electronic health record data, Age and "
            "Ageing 45(3), 353-360",
            "https://doi.org/10.1093/ageing/afw039",
            "Mild, moderate and severe frailty by the index went with successively higher rates "
            "of death, hospital admission and nursing home admission.",
        ),
        Evidence(
            "National Institute for Health and Care Excellence (2016), Multimorbidity: clinical "
            "assessment and management, NICE guideline NG56",
            "https://www.nice.org.uk/guidance/ng56",
            "Names the electronic frailty index among the tools to find adults with several "
            "conditions who are at risk of, for example, an unplanned admission to hospital.",
        ),
    )
    inputs = (
        Input("frailty_category", FieldType.CATEGORY, codes=FRAILTY_CATEGORIES, direction="rises"),
        Input("frailty_index", FieldType.NUMBER, required=False, direction="rises"),
    )
    Parameters = FrailtyParameters

    def __init__(self, parameters: FrailtyParameters) -> None:
        super().__init__(parameters)
        self._scores = by_code(0.0, parameters.mild, parameters.moderate, parameters.severe)
        self._above = np.array(
            [parameters.mild_above, parameters.moderate_above, parameters.severe_above]
        )

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        category, index = inputs["frailty_category"], inputs["frailty_index"]
        by_index = np.searchsorted(self._above, index)
        by_index[~((index >= 0) & (index <= 1))] = -1
        return self._scores[np.where(category < 0, by_index, category)]

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says how frail the frailest person is, and what says so."""
        category, index = values.get("frailty_category"), values.get("frailty_index")
        if category is not None:
            return f"The frailest person here is recorded as {_in_words(category)}."
        if index is None:
            return "It is not known whether anybody here is frail."
        if not 0 <= index <= 1:
            return f"What is recorded as the frailty index, {index:g}, is not one from 0 to 1."
        found = FRAILTY_CATEGORIES[int(np.searchsorted(self._above, index))]
        return (
            "No frailty category is recorded. The largest electronic frailty index here is "
            f"{index:.2f}: {_in_words(found)}."
        )


def _in_words(category: str) -> str:
    return "fit" if category == "fit" else f"{category}ly frail"
