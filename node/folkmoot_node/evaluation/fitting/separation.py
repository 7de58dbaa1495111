"""Data that a model of chances cannot be fitted to, since they leave no chance."""

from __future__ import annotations

import numpy as np

from folkmoot_node.evaluation.fitting.additive_model import SEPARATED, AdditiveModel
from folkmoot_node.evaluation.fitting.known_dates import Patterns
from folkmoot_operator.problems import ExitCode, Problem


def check_single(data: Patterns, factors: tuple[str, ...]) -> None:
    """Refuses a factor that separates households with the event from those without.

    It does if no household without the event has a higher score than any household with it
    (Albert and Anderson 1984): the likelihood then has no maximum.

    Args:
        data: The households.
        factors: Names, in the order of the columns.

    Raises:
        Problem: Exit code DATA; the names are for the terminal alone.
    """
    with_event = data.events > 0
    without = data.households > data.events
    found = []
    for at, name in enumerate(factors):
        levels = data.levels[:, at]
        varies = levels.min() < levels.max()
        if varies and levels[without].max(initial=0) <= levels[with_event].min(initial=1000):
            found.append(name)
    if found:
        raise _separated(found)


def check_together(data: Patterns, factors: tuple[str, ...], model: AdditiveModel) -> None:
    """Refuses factors that separate the households when they are added up.

    Raises:
        Problem: As `check_single`.
    """
    log_odds = model.log_odds(data.levels)
    with_event = data.events > 0
    without = data.households > data.events
    large = [
        name for name, effect in zip(factors, model.effects, strict=True) if effect > SEPARATED
    ]
    if large or log_odds[with_event].min() > log_odds[without].max():
        raise _separated(large or [f for f, e in zip(factors, model.effects, strict=True) if e > 0])


def too_few(needed: int, factors: int, found: int, what: str, where: str) -> Problem:
    """Says how many events are needed; how many there are is for the terminal alone."""
    return Problem(
        f"there are too few events to fit {factors} factors {what}: {needed} households with the "
        "event are needed, and as many without, 10 for each factor",
        where=where,
        remedy="Add earlier dates, give a longer horizon, or name factors in leave_out. "
        "`folkmoot-node evaluate` judges the present policy with fewer",
        exit_code=ExitCode.DATA,
        for_operator=[f"There are {found:,}."],
    )


def _separated(factors: list[str]) -> Problem:
    return Problem(
        "some factors separate the households with the event from those without, so that no "
        "weight is large enough (perfect separation)",
        where="fit",
        remedy="A factor that knows the outcome is made from it, or was recorded after it. See "
        "which inputs it has with `folkmoot-node policy show`, and name it in leave_out",
        exit_code=ExitCode.DATA,
        for_operator=[f"They are: {', '.join(factors)}."],
    )


def is_constant(data: Patterns) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which factors have one score in all households.

    Returns:
        bool, one value for each factor; never null.
    """
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = data.levels.min(axis=0) == data.levels.max(
        axis=0
    )
    return found
