"""The risk factor, and its words for caseworkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from folkmoot_sdk import (
    Evidence,
    FieldType,
    Input,
    RiskFactor,
    ScoringContext,
    hookimpl,
)
from folkmoot_sdk.factor import FactorArray, InputArrays

from falls_forest import model

WORDS = {
    "oldest_age": "the oldest person is {:.0f}",
    "falls_last_year": "{:.0f} falls in the last year",
    "medicines": "{:.0f} medicines on repeat prescription",
    "lives_alone": "lives alone",
}
LITTLE = 0.005
"""Differences below half a percentage point are not mentioned."""


class FallsForest(RiskFactor):
    """A forest of 30 trees, each rising in every input."""

    name = "falls_forest"
    title = "Emergency admission after a fall"
    description = (
        "Probability of an emergency admission after a fall within twelve months, by a "
        "random forest (ONNX) of age, falls, medicines and living alone. It never goes "
        "down when one of them goes up. Unknown if any of them is unknown. "
        "Explanations compare with the same household with one input at the median of "
        "the training data."
    )
    domain = "health"
    evidence = (
        Evidence(
            "National Institute for Health and Care Excellence, Falls: assessment and "
            "prevention in older people and in people 50 and over at higher risk, 2025",
            "https://www.nice.org.uk/guidance/ng249",
            "Names earlier falls, age and medicines among the risk factors of falls.",
        ),
    )
    inputs = (
        Input("oldest_age", FieldType.INTEGER, unit="years", direction="rises"),
        Input("falls_last_year", FieldType.INTEGER, direction="rises"),
        Input("medicines", FieldType.INTEGER, direction="rises"),
        Input("lives_alone", FieldType.BOOLEAN, direction="rises"),
    )

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        return model.predict(inputs)

    def explain(
        self, values: Mapping[str, Any], score: float, context: ScoringContext
    ) -> str:
        missing = [
            name.replace("_", " ")
            for name in model.references()
            if values[name] is None
        ]
        if missing:
            return f"Cannot be estimated: not known: {', '.join(missing)}."
        moved = model.occlusion(values)
        said = [f"Estimated at {score:.1%}."]
        raised = [name for name in moved if moved[name] > LITTLE]
        lowered = [name for name in moved if moved[name] < -LITTLE]
        for names, verb in ((raised, "Higher"), (lowered, "Lower")):
            if names:
                said.append(f"{verb} because {_listed(names, moved, values)}.")
        return " ".join(said)


def _listed(
    names: Sequence[str], moved: Mapping[str, float], values: Mapping[str, Any]
) -> str:
    """In words, what moves the score most first."""
    ordered = sorted(names, key=lambda name: -abs(moved[name]))
    return ", ".join(_words(name, values[name]) for name in ordered)


def _words(name: str, value: Any) -> str:
    if name == "lives_alone":
        return "somebody lives alone" if value else "nobody lives alone"
    return WORDS[name].format(np.float64(value))


@hookimpl
def folkmoot_risk_factors() -> Sequence[type[RiskFactor]]:
    return [FallsForest]
