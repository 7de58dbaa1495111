"""The model by which records about people are compared: read from its file, given to Splink.

The file `person_model.toml` is part of the package and says where its numbers come from. It is
data, so that somebody can read the whole model without reading code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

MODEL_FILE = "person_model.toml"
NHS_NUMBER = "nhs_number"
CONFLICT = "conflict"
INITIAL = "initial"
UNKNOWN = -1
"""Level of a comparison in which one value is not known."""


@dataclass(frozen=True, slots=True)
class AgreementLevel:
    """One way in which two values may compare.

    Attributes:
        name: For people.
        condition: SQL over columns with the endings `_l` and `_r`; empty for all the rest.
        m: Probability for two records of one person.
        u: Probability for two records of different people.
        usual: How often a value occurs in the mean, where frequencies are estimated.
        frequency: Whether u is replaced by how often the value occurs.
        least: The least that it is replaced by.
    """

    name: str
    condition: str
    m: float
    u: float
    usual: float
    frequency: bool
    least: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one identifier is compared: its levels, the strictest first."""

    name: str
    levels: tuple[AgreementLevel, ...]

    @property
    def by_frequency(self) -> AgreementLevel | None:
        """The level whose u depends on how often the value occurs."""
        return next((level for level in self.levels if level.frequency), None)

    def number(self, level: str) -> int:
        """The number that Splink gives to a level: 0 for the last, rising to the first."""
        names = [found.name for found in self.levels]
        return len(names) - 1 - names.index(level)


@dataclass(frozen=True, slots=True)
class NameShares:
    """What share of people has the name in a place of the list of common names.

    Attributes:
        scale: The share is `scale / (place + offset) ** power`.
        offset: See `scale`.
        power: See `scale`.
        community: The least share of a name that is common in some community.
    """

    scale: float
    offset: float
    power: float
    community: float

    def share(self, place: int) -> float:
        """From 0 to 1; `place` counts from 1."""
        return float(self.scale / (place + self.offset) ** self.power)


@dataclass(frozen=True, slots=True)
class PersonModel:
    """The model.

    Attributes:
        coverage: Share of records that are about somebody who is known.
        first_of_january: Share of dates of birth that are 1 January of one year.
        names: Shares of common names, for forenames and surnames.
        smoothing: People to whom the frequencies of the file are worth, beside the known, where
            they are estimated.
        comparisons: One for each identifier.
        blocking: SQL conditions over `l` and `r`; a pair is compared if one holds.
    """

    coverage: float
    first_of_january: float
    names: Mapping[str, NameShares]
    smoothing: float
    comparisons: tuple[Comparison, ...]
    blocking: tuple[str, ...]

    def __getitem__(self, name: str) -> Comparison:
        """The comparison of an identifier."""
        return next(found for found in self.comparisons if found.name == name)

    def settings(self, people: int) -> dict[str, Any]:
        """Splink's settings.

        Args:
            people: Among how many people a record's is looked for, at least 1.
        """
        return {
            "link_type": "dedupe_only",
            "sql_dialect": "duckdb",
            "probability_two_random_records_match": min(0.5, self.coverage / people),
            "blocking_rules_to_generate_predictions": [],
            "comparisons": [_comparison(found) for found in self.comparisons],
            "retain_matching_columns": True,  # the levels are told only with them
            "retain_intermediate_calculation_columns": False,
            "unique_id_column_name": "unique_id",
        }


@cache
def person_model(*, nhs_numbers: bool) -> PersonModel:
    """The model that comes with the node.

    Args:
        nhs_numbers: Whether NHS numbers are compared.
    """
    text = (resources.files(__package__) / MODEL_FILE).read_text("utf-8")
    written = tomllib.loads(text)
    comparisons = tuple(
        Comparison(found["name"], tuple(_level(level) for level in found["levels"]))
        for found in written["comparisons"]
        if nhs_numbers or found["name"] != NHS_NUMBER
    )
    blocking = tuple(written["blocking"]["rules"])
    if nhs_numbers:
        blocking += (written["blocking"][NHS_NUMBER],)
    return PersonModel(
        coverage=written["coverage"],
        first_of_january=written["first_of_january"],
        names={name: NameShares(**found) for name, found in written["names"].items()},
        smoothing=written["smoothing"],
        comparisons=comparisons,
        blocking=blocking,
    )


def _level(written: dict[str, Any]) -> AgreementLevel:
    return AgreementLevel(
        name=written["name"],
        condition=written.get("if", ""),
        m=written["m"],
        u=written["u"],
        usual=written.get("usual", written["u"]),
        frequency=written.get("frequency", False),
        least=written.get("least", 0.0),
    )


def _comparison(comparison: Comparison) -> dict[str, Any]:
    """One comparison in Splink's form, with the level of unknown values before the others."""
    column = comparison.name
    unknown = {
        "sql_condition": f"{column}_l is null or {column}_r is null",
        "label_for_charts": "not known",
        "is_null_level": True,
    }
    levels: list[dict[str, Any]] = [unknown]
    for level in comparison.levels:
        found: dict[str, Any] = {
            "sql_condition": level.condition or "ELSE",
            "label_for_charts": level.name,
            "m_probability": level.m,
            "u_probability": level.u,
        }
        if level.frequency:
            found["tf_adjustment_column"] = column
            found["tf_adjustment_weight"] = 1.0
            found["tf_minimum_u_value"] = level.least
        levels.append(found)
    return {
        "output_column_name": column,
        "comparison_description": column,
        "comparison_levels": levels,
    }
