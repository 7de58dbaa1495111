"""Fuel poverty: a low income in a home that is hard to heat, and energy debt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_plugin_household_factors.code_scores import by_code, check_ascending
from folkmoot_plugin_household_factors.means_tested import (
    REQUIRED,
    SUPPORT,
    received,
    support_in_words,
)
from folkmoot_plugin_household_factors.ramp import ramp
from folkmoot_plugin_household_factors.reasons import strongest
from folkmoot_plugin_household_factors.wording import not_known, pounds, sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays

EPC_BANDS = ("A", "B", "C", "D", "E", "F", "G")
"""Codes of `epc_band`, from the most to the least efficient home."""
_EFFICIENT = EPC_BANDS[:3]


@dataclass(frozen=True, slots=True)
class FuelPovertyParameters:
    """Parameters of the factor."""

    band_d: float = parameter(
        default=0.4, minimum=0.0, maximum=1.0, description="Score of a low income in band D."
    )
    band_e: float = parameter(
        default=0.7, minimum=0.0, maximum=1.0, description="Score of a low income in band E."
    )
    band_f: float = parameter(
        default=0.9, minimum=0.0, maximum=1.0, description="Score of a low income in band F."
    )
    band_g: float = parameter(
        default=1.0, minimum=0.0, maximum=1.0, description="Score of a low income in band G."
    )
    energy_arrears_full: float = parameter(
        default=1000.0,
        unit="GBP",
        minimum=1.0,
        maximum=1_000_000.0,
        description="Energy arrears at which the score is 1, whatever the band and the income.",
    )

    def __post_init__(self) -> None:
        check_ascending("bands D to G", *self.bands())

    def bands(self) -> tuple[float, ...]:
        """The scores of bands D to G."""
        return self.band_d, self.band_e, self.band_f, self.band_g


class FuelPoverty(RiskFactor):
    """Scores a low income in a home of band D to G, or energy arrears if these score more.

    A band of A to C, or no means-tested support, settles the first whatever else is
    unknown; else it is unknown unless both are known. Energy arrears only raise the score.
    """

    name = "fuel_poverty"
    title = "Fuel poverty"
    description = (
        "A home of energy band D, E, F or G whose household has a low income: `band_d` to "
        "`band_g`; or energy arrears in proportion to `energy_arrears_full`, whichever is larger. "
        "Councils do not hold incomes: means-tested support stands for a low one, so that "
        "households which do not claim, or earn a little too much, are missed."
    )
    domain = "housing"
    savvi_term = "Fuel poverty"
    evidence = (
        Evidence(
            "Department for Energy Security and Net Zero, Fuel poverty statistics (annual)",
            "https://www.gov.uk/government/collections/fuel-poverty-statistics",
            "Low Income Low Energy Efficiency: a household is fuel poor in a home of band D or "
            "below if, after paying for the energy it needs, its income is below the poverty line.",
        ),
        Evidence(
            "National Institute for Health and Care Excellence (2015), Excess winter deaths and "
            "illness and the health risks associated with cold homes, NICE guideline NG6",
            "https://www.nice.org.uk/guidance/ng6",
            "Cold homes put health at risk; recommends that services find those who live in them "
            "and refer them for help.",
        ),
    )
    inputs = (
        Input("epc_band", FieldType.CATEGORY, codes=EPC_BANDS, direction="rises"),
        *REQUIRED,
        Input("energy_arrears", FieldType.NUMBER, unit="GBP", required=False, direction="rises"),
    )
    Parameters = FuelPovertyParameters

    def __init__(self, parameters: FuelPovertyParameters) -> None:
        super().__init__(parameters)
        self._bands = by_code(*(0.0 for _ in _EFFICIENT), *parameters.bands())
        self._full = parameters.energy_arrears_full

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        inefficient, low_income = self._bands[inputs["epc_band"]], received(inputs)
        both = inefficient * low_income
        both[(inefficient == 0) | (low_income == 0)] = 0.0
        return strongest(both, ramp(inputs["energy_arrears"], 0.0, self._full))

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says the band, the support received and what is owed for energy."""
        band, arrears = values.get("epc_band"), values.get("energy_arrears")
        home = "" if band is None else f"The home's energy rating is {band}."
        if band in _EFFICIENT:
            home += " The factor counts D to G."
        names = {"epc_band": "the home's energy rating"} | SUPPORT
        names["energy_arrears"] = "energy arrears"
        owed = ""
        if arrears is not None:
            owed = "Owes nothing for energy."
            if arrears > 0:
                owed = (
                    f"Owes {pounds(arrears)} for energy; the score is full at {pounds(self._full)}."
                )
        return sentences(home, support_in_words(values), owed, not_known(values, names))
