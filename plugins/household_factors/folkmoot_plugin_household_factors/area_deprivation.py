"""Area deprivation: how deprived the neighbourhood is among all of England's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_plugin_household_factors.ramp import ramp
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class AreaDeprivationParameters:
    """Parameters of the factor."""

    decile_full: float = parameter(
        default=1.0,
        unit="decile",
        minimum=1.0,
        maximum=9.0,
        description="Decile up to which the score is 1; 1 holds the most deprived areas.",
    )
    decile_none: float = parameter(
        default=4.0,
        unit="decile",
        minimum=2.0,
        maximum=10.0,
        description="Decile from which the score is 0.",
    )

    def __post_init__(self) -> None:
        if self.decile_none <= self.decile_full:
            raise ValueError(
                f"decile_none ({self.decile_none:g}) is not above decile_full "
                f"({self.decile_full:g})"
            )


class AreaDeprivation(RiskFactor):
    """Scores the decile of the neighbourhood's deprivation; unknown if it is not 1 to 10."""

    name = "area_deprivation"
    title = "Area deprivation"
    description = (
        "The decile of the household's neighbourhood (LSOA) in the Index of Multiple Deprivation: "
        "1 up to `decile_full`, falling in a straight line to 0 at `decile_none`. It speaks of "
        "the neighbourhood and not of the household, so give it a small weight; where ethnic "
        "groups live in different neighbourhoods it stands for them in part: watch it in the "
        "equality audit. Deciles of England, Wales and Scotland do not compare."
    )
    domain = "area"
    savvi_term = "Index of Multiple Deprivation decile"
    evidence = (
        Evidence(
            "Ministry of Housing, Communities and Local Government (2025), English Indices of "
            "Deprivation 2025",
            "https://www.gov.uk/government/statistics/english-indices-of-deprivation-2025",
            "Ranks small areas by relative deprivation. Not everybody in a deprived area is "
            "deprived, and deprived people live in other areas too.",
        ),
    )
    inputs = (Input("imd_decile", FieldType.INTEGER, direction="falls"),)
    Parameters = AreaDeprivationParameters

    def __init__(self, parameters: AreaDeprivationParameters) -> None:
        super().__init__(parameters)
        self._full = parameters.decile_full
        self._none = parameters.decile_none

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        decile = inputs["imd_decile"]
        # A rank or a score in the place of the decile must not pass for an affluent area.
        result = np.where((decile >= 1) & (decile <= 10), decile, np.nan)
        return ramp(result, self._none, self._full, out=result)

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says in which decile the neighbourhood is."""
        decile = values.get("imd_decile")
        if decile is None:
            return "It is not known how deprived the neighbourhood is."
        if not 1 <= decile <= 10:
            return f"What is recorded as the decile of deprivation, {decile:g}, is not one."
        said = (
            f"The neighbourhood is in decile {decile:g} of deprivation, of which 1 is the most "
            "deprived; that says nothing certain of this household."
        )
        if score == 0:
            said += f" The factor counts deciles below {self._none:g}."
        return said
