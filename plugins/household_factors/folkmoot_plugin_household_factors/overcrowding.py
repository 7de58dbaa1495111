"""Overcrowding: fewer bedrooms than the bedroom standard asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_plugin_household_factors.code_scores import check_ascending
from folkmoot_plugin_household_factors.wording import sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class OvercrowdingParameters:
    """Parameters of the factor."""

    one_short: float = parameter(
        default=0.6, minimum=0.0, maximum=1.0, description="Score of one bedroom too few."
    )
    two_short: float = parameter(
        default=1.0, minimum=0.0, maximum=1.0, description="Score of two bedrooms too few, or more."
    )

    def __post_init__(self) -> None:
        check_ascending("one and two bedrooms too few", self.one_short, self.two_short)


class Overcrowding(RiskFactor):
    """Scores the bedrooms that are missing by the occupancy rating.

    Where the rating is not known, numbers may settle it, since the bedroom standard puts
    no more than two people in a bedroom: more than two to a bedroom are overcrowded, and
    a bedroom for each person is enough. In between, the score is unknown.
    """

    name = "overcrowding"
    title = "Overcrowding"
    description = (
        "The occupancy rating for bedrooms (those the home has, less those the bedroom standard "
        "asks for): -1 scores `one_short`, -2 or less `two_short`. Where it is not known, more "
        "than two people to a bedroom count as the bedrooms that are missing at least, one "
        "bedroom a person as enough; a bedsit has one bedroom. Who is overcrowded differs between "
        "ethnic groups: watch this factor in the equality audit."
    )
    domain = "housing"
    savvi_term = "Overcrowded"
    evidence = (
        Evidence(
            "Office for National Statistics, Census 2021 dictionary: occupancy rating for bedrooms",
            "https://www.ons.gov.uk/census/census2021dictionary/variablesbytopic/"
            "housingvariablescensus2021/occupancyratingforbedrooms",
            "Defines the rating and the bedroom standard; -1 or less means overcrowded.",
        ),
        Evidence(
            "Ministry of Housing, Communities and Local Government, English Housing Survey "
            "(annual)",
            "https://www.gov.uk/government/collections/english-housing-survey",
            "Measures overcrowding by the bedroom standard; it is more common among renters than "
            "among owners.",
        ),
        Evidence(
            "Office of the Deputy Prime Minister (2004), The impact of overcrowding on health and "
            "education: a review of the evidence and literature",
            "https://dera.ioe.ac.uk/5073/1/138631.pdf",
            "Found a small relationship with aspects of physical health, and no conclusive "
            "evidence on mental health.",
        ),
    )
    inputs = (
        Input("occupancy_rating", FieldType.INTEGER, direction="falls"),
        Input("people", FieldType.INTEGER, required=False, direction="rises"),
        Input("bedrooms", FieldType.INTEGER, required=False, direction="falls"),
    )
    Parameters = OvercrowdingParameters

    def __init__(self, parameters: OvercrowdingParameters) -> None:
        super().__init__(parameters)
        self._one = parameters.one_short
        self._two = parameters.two_short

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        rating, people = inputs["occupancy_rating"], inputs["people"]
        bedrooms = np.maximum(inputs["bedrooms"], 1.0)
        short = np.ceil(people / 2) - bedrooms
        undecided = (short <= 0) & (people > bedrooms)
        short = np.where(np.isnan(rating), short, -rating)
        result: FactorArray = np.where(short >= 1, self._one, 0.0)
        result[short >= 2] = self._two
        result[np.isnan(short) | (undecided & np.isnan(rating))] = np.nan
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says how many bedrooms are missing, or how many people share how many."""
        rating = values.get("occupancy_rating")
        if rating is not None:
            if rating >= 0:
                return "The home has the bedrooms that the bedroom standard asks for."
            return f"The home has {_bedrooms(-rating)} fewer than the bedroom standard asks for."
        people, bedrooms = values.get("people"), values.get("bedrooms")
        unknown = "The occupancy rating is not known."
        if people is None or bedrooms is None:
            return f"{unknown} Nor is the number of people or of bedrooms."
        bedrooms = max(bedrooms, 1)
        share = f"{people:g} {'person has' if people == 1 else 'people have'} {_bedrooms(bedrooms)}"
        if score > 0:
            said = f"{share}, more than two to a bedroom."
        elif score == 0:
            said = f"{share}, enough for one each."
        else:
            said = f"{share}; whether that is enough depends on who they are."
        return sentences(unknown, said)


def _bedrooms(number: float) -> str:
    return f"{number:g} bedroom{'' if number == 1 else 's'}"
