"""Federated weights: an additive model of an outcome, fitted from a round's noisy tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot_coordinator.inference.federated_weights import (
    DEPARTURE,
    CellWeights,
    Coefficient,
    Factor,
    Tables,
    TooFewEvents,
    Weights,
    fit_weights,
)
from folkmoot_coordinator.inference.joint_distribution import Place
from folkmoot_coordinator.publication.noisy_tables import Names, NoisyTables
from folkmoot_coordinator.publication.outcome_round import BAND, NO, YES, OutcomeRound
from folkmoot_operator.problems import ExitCode, Problem

Float64 = NDArray[np.float64]
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RegionalWeights:
    """Weights of a region, and of each council alone where they were asked for.

    Attributes:
        asked: The round.
        factors: The attributes that are factors, in the order of the model.
        region: The model of all councils together.
        alone: Models of single councils; None for one whose counts are too few for a model.
    """

    asked: OutcomeRound
    factors: tuple[str, ...]
    region: Weights
    alone: dict[str, Weights | None]

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        stored = self.asked.stored
        return {
            "round_id": stored.round_.round_id,
            "coverage": str(self.asked.coverage),
            "policy_digest": stored.round_.policy_digest.hex(),
            "outcome": self.asked.outcome.name,
            "departure": DEPARTURE,
            "region": _weights(self.region),
            "councils": {name: one and _weights(one) for name, one in self.alone.items()},
        }


def regional_weights(
    asked: OutcomeRound, factors: Sequence[str] = (), *, each_council: bool = False
) -> RegionalWeights:
    """Fits the weights.

    Args:
        asked: The round; it asked for each factor by outcome.
        factors: Names of attributes; none for all that it counts by the outcome, but bands and
            areas.
        each_council: Whether to fit each council alone as well.

    Raises:
        Problem: SETTINGS if the round lacks a table or counts households without a known outcome;
            REFUSED if it was withdrawn or there are too few events.
    """
    if asked.stored.withdrawal is not None:
        raise Problem(
            f"the figures were withdrawn: {asked.stored.withdrawal}",
            where=asked.where,
            remedy="Fit from another round",
            exit_code=ExitCode.REFUSED,
        )
    if set(asked.outcome.codes_of(None)) != {NO, YES}:
        raise Problem(
            "households without a known outcome are in the tables of factors",
            where=f"{asked.where}: attribute {asked.outcome.name}",
            remedy=f'Open a round with codes = ["{NO}", "{YES}"], which leaves them out',
            exit_code=ExitCode.SETTINGS,
        )
    tables = asked.tables()
    chosen = _chosen(asked, tables, factors)
    asked.require_tables(tables, [(one.name, asked.outcome.name) for one in chosen])
    alone: dict[str, Weights | None] = {}
    region = _fit(asked, chosen, tables)
    if each_council:
        alone = {str(council): _alone(asked, chosen, council) for council in asked.councils}
    return RegionalWeights(asked, tuple(one.name for one in chosen), region, alone)


def _chosen(
    asked: OutcomeRound, tables: NoisyTables, factors: Sequence[str]
) -> tuple[Attribute, ...]:
    reserved = (BAND, asked.outcome.name)
    if factors:
        found = [asked.attribute(name) for name in factors]
        wrong = next((one.name for one in found if one.name in reserved), None)
        if wrong is not None or len(set(factors)) < len(factors):
            raise Problem(
                f"{wrong} is no factor" if wrong else "a factor is named twice",
                where="--factor",
                remedy="Name attributes that stand for factors, each once",
                exit_code=ExitCode.USAGE,
            )
        _check_nesting(asked, factors)
        return tuple(found)
    workload = asked.stored.round_.workload
    used = {name for one in workload.marginals for name in one.attributes}
    found = [
        one
        for one in workload.attributes
        if one.name in used
        and not one.is_area
        and one.name not in reserved
        and tables.has((one.name, asked.outcome.name))
    ]
    inner = {one.within for one in found}
    found = [one for one in found if one.name not in inner]
    if not found:
        raise Problem(
            f"no attribute is counted by {asked.outcome.name}",
            where=asked.where,
            remedy="Open a round with marginals of factor and outcome; docs/validation.md has one",
            exit_code=ExitCode.SETTINGS,
        )
    return tuple(found)


def _check_nesting(asked: OutcomeRound, factors: Sequence[str]) -> None:
    for name in factors:
        above = set(asked.stored.round_.workload.above(name)).intersection(factors)
        if above:
            raise Problem(
                f"{min(above)} follows from {name}",
                where="--factor",
                remedy="Name one of them",
                exit_code=ExitCode.USAGE,
            )


def _alone(asked: OutcomeRound, chosen: Sequence[Attribute], council: GssCode) -> Weights | None:
    try:
        return fit_weights(_factors(chosen), _tables(asked, chosen, asked.tables([council])))
    except ValueError:
        return None


def _fit(asked: OutcomeRound, chosen: Sequence[Attribute], tables: NoisyTables) -> Weights:
    try:
        return fit_weights(_factors(chosen), _tables(asked, chosen, tables))
    except TooFewEvents as error:
        raise Problem(
            str(error),
            where=f"{asked.where}: attribute {asked.outcome.name}",
            remedy="Name fewer factors with --factor, or ask more councils or over a longer time",
            exit_code=ExitCode.REFUSED,
        ) from None
    except ValueError as error:
        raise Problem(
            str(error),
            where=asked.where,
            remedy="Name fewer factors with --factor, or open a round of more councils, or with "
            "fewer and broader levels",
            exit_code=ExitCode.REFUSED,
        ) from None


def _factors(chosen: Sequence[Attribute]) -> list[Factor]:
    return [
        Factor(
            one.name,
            one.codes_of(None),
            NO if NO in one.codes else next(iter(code for code in one.codes if code != _UNKNOWN)),
        )
        for one in chosen
    ]


def _tables(asked: OutcomeRound, chosen: Sequence[Attribute], tables: NoisyTables) -> Tables:
    names = [one.name for one in chosen]
    by_outcome = [(name, asked.outcome.name) for name in names]
    order = [asked.outcome.codes.index(NO), asked.outcome.codes.index(YES)]
    places = _places(asked, names)
    of_place = {place: tuple(names[at] for at in place) for place in places}

    def covariance(weights: CellWeights) -> Float64:
        asked_for: dict[Names, Float64] = {}
        for place, table in weights.items():
            if len(place) == 1:
                moved = np.empty_like(table)
                moved[..., order] = table
                asked_for[by_outcome[place[0]]] = moved
            else:
                asked_for[of_place[place]] = table
        return tables.covariance(asked_for)

    return Tables(
        outcome=[tables.values(one)[:, order] for one in by_outcome],
        outcome_variance=[tables.variances(one)[:, order] for one in by_outcome],
        together={place: tables.values(of_place[place]) for place in places},
        together_variance={place: tables.variances(of_place[place]) for place in places},
        covariance=covariance,
        quantile=tables.quantile,
    )


def _places(asked: OutcomeRound, names: Sequence[str]) -> list[Place]:
    """The largest tables over several factors that follow from those that were asked for."""
    workload = asked.stored.round_.workload
    found: set[Place] = set()
    for marginal in workload.marginals:
        counted = set(marginal.attributes)
        for name in marginal.attributes:
            counted.update(workload.above(name))
        found.add(tuple(at for at, name in enumerate(names) if name in counted))
    return sorted(
        one for one in found if len(one) > 1 and not any(set(one) < set(other) for other in found)
    )


def _weights(one: Weights) -> dict[str, Any]:
    return {
        "events": one.events,
        "households": one.households,
        "intercept": one.intercept,
        "unpaired": [list(pair) for pair in one.unpaired],
        "coefficients": [_coefficient(found, one.quantile) for found in one.coefficients],
    }


def _coefficient(one: Coefficient, quantile: float) -> dict[str, Any]:
    return {
        "factor": one.factor,
        "level": one.level,
        "value": one.value,
        "lower": None if one.value is None else one.value - quantile * one.error,
        "upper": None if one.value is None else one.value + quantile * one.error,
        "error_of_noise": one.noise_error,
        "error_of_noise_and_chance": one.error,
        "left_open": one.left_open,
    }
