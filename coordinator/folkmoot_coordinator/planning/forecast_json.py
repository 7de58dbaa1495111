"""A forecast for programs."""

from __future__ import annotations

from typing import Any

from folkmoot.precision import Precision
from folkmoot_coordinator.planning.advice import Remedy, remedies
from folkmoot_coordinator.planning.comparison import Comparison, other_mechanism, other_objective
from folkmoot_coordinator.planning.forecast import (
    SHARED_HOUSEHOLDS,
    Forecast,
    MarginalForecast,
    Shares,
)


def as_json(forecast: Forecast) -> dict[str, Any]:
    """All that `round plan` knows."""
    round_, planning = forecast.round, forecast.planning
    person = round_.loss.for_person(SHARED_HOUSEHOLDS)
    objective, mechanism = other_objective(forecast), other_mechanism(forecast)
    return {
        "title": round_.title,
        "purpose": round_.purpose,
        "councils": list(round_.councils),
        "objective": {
            "name": planning.objective.value,
            "meaning": planning.objective.meaning,
            "above_optimum_at_most": planning.excess,
        },
        "privacy": {
            "mechanism": round_.mechanism.name.lower(),
            "rho": str(round_.loss),
            "delta": round_.delta.value,
            "epsilon_at_delta": round_.epsilon_for(),
            "guess_rate_at_most": round_.guess_rate(),
            "person_in_households": SHARED_HOUSEHOLDS,
            "person_rho": str(person),
            "person_epsilon_at_delta": round_.epsilon_for(SHARED_HOUSEHOLDS),
        },
        "assumption": forecast.sizes.assumption if forecast.sizes else None,
        "all_cells": _shares(forecast.shares),
        "marginals": [_marginal(one, list(round_.councils)) for one in forecast.marginals],
        "budgets": [
            {
                "factor": float(one.factor),
                "rho": str(one.rho),
                "epsilon_at_delta": one.epsilon,
                "median_standard_error": one.standard_error,
                "usable_share": one.usable,
            }
            for one in forecast.budgets
        ],
        "remedies": [_remedy(one) for one in remedies(forecast)],
        "other_objective": {"name": objective[0].value, **_comparison(objective[1])}
        if objective
        else None,
        "other_mechanism": {
            "name": mechanism.mechanism.name.lower(),
            "epsilon": mechanism.epsilon,
            "rho": str(mechanism.rho),
            **_comparison(mechanism.comparison),
        }
        if mechanism
        else None,
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "largest_standard_error": found.largest[1],
        "median_standard_error": found.median[1],
        "more_precise": list(found.better),
        "less_precise": list(found.worse),
    }


def _marginal(one: MarginalForecast, councils: list[str]) -> dict[str, Any]:
    return {
        "marginal": one.marginal.name,
        "weight": one.weight,
        "signed_weight": one.marginal.weight,
        "region": _precision(one.region),
        "councils": {
            council: _precision(made) for council, made in zip(councils, one.councils, strict=True)
        },
        "assumed": _shares(one.shares),
    }


def _precision(made: Precision) -> dict[str, Any]:
    return {
        "cells": made.cells,
        "standard_error": made.standard_error,
        "half_width_95": made.half_width,
        "usable_from": made.usable_from,
        "reliable_from": made.reliable_from,
    }


def _shares(shares: Shares | None) -> dict[str, float] | None:
    if shares is None:
        return None
    return {
        "average_households": shares.average,
        "reliable_share": shares.reliable,
        "usable_share": shares.usable,
    }


def _remedy(one: Remedy) -> dict[str, Any]:
    return {
        "marginal": one.marginal,
        "usable_share": one.usable,
        "rho_for_half": str(one.rho) if one.rho else None,
        "epsilon_for_half": one.epsilon,
        "coarser": {
            "marginal": one.coarser.name,
            "usable_share": one.coarser.usable,
            "included": one.coarser.included,
        }
        if one.coarser
        else None,
    }
