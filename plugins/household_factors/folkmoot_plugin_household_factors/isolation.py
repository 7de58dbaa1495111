"""Isolation: somebody of 65 or over who lives alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays

HOUSEHOLD_TYPES = (
    "one_person_66_over",
    "one_person_other",
    "couple_no_children",
    "couple_children",
    "lone_parent",
    "other",
)
"""Codes of `household_type`; the first two are for people who live alone."""
_ALONE = HOUSEHOLD_TYPES[:2]


@dataclass(frozen=True, slots=True)
class IsolationParameters:
    """Parameters of the factor."""

    age_from: float = parameter(
        default=65.0,
        unit="years",
        minimum=18.0,
        maximum=120.0,
        description="Age from which living alone counts.",
    )
    age_full: float = parameter(
        default=85.0,
        unit="years",
        minimum=18.0,
        maximum=120.0,
        description="Age from which the score is 1.",
    )
    score_from: float = parameter(
        default=0.6,
        minimum=0.0,
        maximum=1.0,
        description="Score at `age_from`; it rises to 1 at `age_full`.",
    )

    def __post_init__(self) -> None:
        if self.age_full < self.age_from:
            raise ValueError(f"age_full ({self.age_full:g}) is below age_from ({self.age_from:g})")


class Isolation(RiskFactor):
    """Scores people of `age_from` or over who live alone, more the older they are.

    Whether somebody lives alone is said by the number of people, where it is known; else
    by the household type; else by a single person discount, which proves that there is
    one adult only if it is paid. The score is 0 if somebody is known to be too young or
    not to live alone, whatever else is unknown; otherwise unknown unless both are known.
    """

    name = "isolation"
    title = "Isolation"
    description = (
        "A person of `age_from` years or over who lives alone: `score_from` at that age, rising "
        "in a straight line to 1 at `age_full`. Lives alone: one person is recorded; or, where "
        "the number is not known, the household type says so; or a single person discount is paid. "
        "Age is a protected characteristic: expect its source to mark it."
    )
    domain = "isolation"
    savvi_term = "Older person living alone"
    evidence = (
        Evidence(
            "National Institute for Health and Care Excellence (2015), Older people: independence "
            "and mental wellbeing, NICE guideline NG32",
            "https://www.nice.org.uk/guidance/ng32",
            "Older people who live alone and have little opportunity to socialise are among those "
            "most at risk of a decline in independence and mental wellbeing.",
        ),
        Evidence(
            "HM Government (2018), A connected society: a strategy for tackling loneliness",
            "https://www.gov.uk/government/publications/a-connected-society-a-strategy-for-"
            "tackling-loneliness",
            "Sets out why loneliness harms health, and the part of local services in finding "
            "those at risk.",
        ),
    )
    inputs = (
        Input("oldest_age", FieldType.INTEGER, unit="years", direction="rises"),
        Input("people", FieldType.INTEGER, required=False, direction="falls"),
        Input("household_type", FieldType.CATEGORY, codes=HOUSEHOLD_TYPES, required=False),
        Input("single_person_discount", FieldType.BOOLEAN, required=False, direction="rises"),
    )
    Parameters = IsolationParameters

    def __init__(self, parameters: IsolationParameters) -> None:
        super().__init__(parameters)
        self._from = parameters.age_from
        self._full = parameters.age_full
        self._base = parameters.score_from

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        age, people = inputs["oldest_age"], inputs["people"]
        kind = inputs["household_type"]
        result = self._by_age(age)
        uncounted = np.isnan(people)
        alone = people == 1
        alone |= uncounted & ((kind == 0) | (kind == 1))
        alone |= uncounted & (kind < 0) & (inputs["single_person_discount"] == 1)
        together = people > 1
        together |= uncounted & (kind > 1)
        too_young = age < self._from
        result[~(alone | together | too_young)] = np.nan
        result[together | too_young] = 0.0
        return result

    def _by_age(self, age: FactorArray) -> FactorArray:
        """The score of somebody who lives alone and is old enough, NaN if not known."""
        span = self._full - self._from
        if span == 0:
            return np.where(np.isnan(age), np.nan, 1.0)
        slope = (1 - self._base) / span
        result: FactorArray = age * slope
        result += self._base - slope * self._from
        np.minimum(result, 1.0, out=result)
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says how old the oldest person is, and whether somebody lives alone."""
        age = values.get("oldest_age")
        older = "" if age is None else f"The oldest person is {age:g}."
        if age is not None and age < self._from:
            return f"{older} The factor counts from {self._from:g}."
        alone, because = _alone(values)
        if age is None:
            older = "The age of the oldest person is not known."
        if alone is None:
            return f"{older} It is not known whether somebody lives here alone."
        return f"{older} {because}"


def _alone(values: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Whether somebody lives alone, and what says so."""
    people, kind = values.get("people"), values.get("household_type")
    if people is not None and people >= 1:
        if people == 1:
            return True, "One person is recorded here."
        return False, f"{people:g} people are recorded here."
    if people is None and kind is not None:
        if kind in _ALONE:
            return True, "The household type is one person alone."
        return False, "The household type is not one person alone."
    if people is None and values.get("single_person_discount"):
        return True, "A single person discount is paid."
    return None, ""
