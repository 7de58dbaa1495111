"""Means-tested support that a council knows of, which several factors use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_plugin_household_factors.wording import listed
from folkmoot_sdk import FieldType, Input
from folkmoot_sdk.factor import FactorArray, InputArrays

SUPPORT = {
    "council_tax_support": "council tax support",
    "housing_benefit": "housing benefit",
    "universal_credit": "Universal Credit",
}
"""Inputs, and their names in words."""

OPTIONAL = tuple(
    Input(name, FieldType.BOOLEAN, required=False, direction="rises") for name in SUPPORT
)
"""The inputs of a factor that can do without any of them."""

REQUIRED = (Input("council_tax_support", FieldType.BOOLEAN, direction="rises"), *OPTIONAL[1:])
"""The inputs of a factor that needs to know: the council itself grants the first."""


def supported(inputs: InputArrays) -> npt.NDArray[np.bool_]:
    """Whether any support is known to be received: bool, shape (households,); False if unknown."""
    result: npt.NDArray[np.bool_] = inputs["council_tax_support"] == 1
    result |= inputs["housing_benefit"] == 1
    result |= inputs["universal_credit"] == 1
    return result


def received(inputs: InputArrays) -> FactorArray:
    """Whether any support is received: float64, shape (households,).

    1 if any is; 0 if council tax support is not, and no other is known; NaN otherwise.
    """
    result: FactorArray = np.where(np.isnan(inputs["council_tax_support"]), np.nan, 0.0)
    result[supported(inputs)] = 1.0
    return result


def support_in_words(values: Mapping[str, Any]) -> str:
    """Says which support is received; empty if none is, and not all is known."""
    names = [words for name, words in SUPPORT.items() if values.get(name)]
    if names:
        return f"Receives {listed(names)}."
    if all(values.get(name) is not None for name in SUPPORT):
        return "Receives no means-tested support."
    return ""
