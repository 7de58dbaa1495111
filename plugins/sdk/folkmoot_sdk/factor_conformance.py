"""What `conformance.check_factor` checks."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from folkmoot_sdk import samples
from folkmoot_sdk.declarations import factor_faults
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import RiskFactor, ScoringContext
from folkmoot_sdk.parameters import build, describe

_TODAY = datetime.date(2026, 4, 1)
_CONTEXT = ScoringContext(_TODAY)
_COUNT = 1000
_EXPLAINED = 200


class _Fault(Exception):
    """Stops the checks that make no sense after a fault."""


def factor_conformance(
    cls: type[RiskFactor], parameters: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Checks a factor; see `conformance.check_factor`.

    Returns:
        The faults, one sentence each; empty if there are none.
    """
    faults = list(factor_faults(cls))
    if faults:
        return tuple(faults)
    faults += _description_faults(cls)
    try:
        factor = _make(cls, parameters)
        drawn = samples.households(cls.inputs, _TODAY, _COUNT)
        scores = _scored(factor, drawn, "made-up households")
    except _Fault as fault:
        return (*faults, str(fault))
    for check in (_unknown, _required_only, _one_by_one, _threads, _stateless, _explanations):
        try:
            check(cls, parameters, drawn, scores)
        except _Fault as fault:
            faults.append(str(fault))
    return tuple(faults)


def _description_faults(cls: type[RiskFactor]) -> list[str]:
    faults = []
    if not cls.evidence:
        faults.append("`evidence` is empty; say why the factor is believed to matter")
    for entry in describe(cls.Parameters):
        if not entry.description:
            faults.append(f"parameter `{entry.key}` has no description")
        outside = isinstance(entry.default, int | float) and (
            (entry.minimum is not None and entry.default < entry.minimum)
            or (entry.maximum is not None and entry.default > entry.maximum)
        )
        if outside:
            faults.append(f"the default of parameter `{entry.key}` is out of its own range")
    return faults


def _make(cls: type[RiskFactor], parameters: Mapping[str, Any] | None) -> RiskFactor:
    try:
        return cls(build(cls.Parameters, parameters or {}, "parameters"))
    except PluginError as error:
        raise _Fault(f"cannot be made: {error}") from None
    except Exception as error:
        raise _Fault(f"cannot be made: {_said(error)}") from None


def _scored(factor: RiskFactor, arrays: samples.Arrays, what: str) -> np.ndarray[Any, Any]:
    """Scores and checks what every result must satisfy."""
    count = len(next(iter(arrays.values())))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scores: object = factor.score(arrays, _CONTEXT)
    except Warning as warning:
        raise _Fault(f"`score` of {what} warns: {warning}") from None
    except ValueError as error:
        if "read-only" in str(error):
            raise _Fault("`score` writes to its inputs") from None
        raise _Fault(f"`score` of {what} raises {_said(error)}") from None
    except Exception as error:
        raise _Fault(f"`score` of {what} raises {_said(error)}") from None
    if not isinstance(scores, np.ndarray) or scores.dtype != np.float64:
        found = getattr(scores, "dtype", type(scores).__name__)
        raise _Fault(f"`score` returns {found}, not an array of float64")
    if scores.shape != (count,):
        raise _Fault(f"`score` of {what} returns shape {scores.shape}, not ({count},)")
    if any(np.shares_memory(scores, array) for array in arrays.values()):
        raise _Fault("`score` returns one of its inputs; return a new array")
    outside = scores[(scores < 0) | (scores > 1)]
    if len(outside):
        raise _Fault(f"`score` of {what} gives {outside[0]}, which is not from 0 to 1")
    return scores


def _unknown(cls: type[RiskFactor], parameters: Mapping[str, Any] | None, *_: object) -> None:
    arrays = samples.frozen({entry.name: samples.unknowns(entry, 3) for entry in cls.inputs})
    scores = _scored(_make(cls, parameters), arrays, "households of which nothing is known")
    if not np.isnan(scores).all():
        raise _Fault(
            f"`score` gives {scores[0]} to a household of which nothing is known; give NaN"
        )


def _required_only(
    cls: type[RiskFactor],
    parameters: Mapping[str, Any] | None,
    drawn: samples.Arrays,
    _: object,
) -> None:
    optional = [entry for entry in cls.inputs if not entry.required]
    if not optional:
        return
    arrays = drawn | {entry.name: samples.unknowns(entry, _COUNT) for entry in optional}
    scores = _scored(_make(cls, parameters), samples.frozen(arrays), "required inputs alone")
    if np.isnan(scores).all():
        names = ", ".join(entry.name for entry in optional)
        raise _Fault(
            f"`score` is unknown for every household without {names}: declare as required what "
            "the factor cannot do without"
        )


def _one_by_one(
    cls: type[RiskFactor],
    parameters: Mapping[str, Any] | None,
    drawn: samples.Arrays,
    scores: Any,
) -> None:
    factor = _make(cls, parameters)
    if not _same(_scored(factor, drawn, "the same households"), scores):
        raise _Fault("`score` of the same households differs from call to call")
    for what, part in {
        "no household": slice(0, 0),
        "one household": slice(5, 6),
        "some of the households": slice(100, 700),
        "the households in another order": slice(None, None, -1),
    }.items():
        arrays = {name: array[part] for name, array in drawn.items()}
        if not _same(_scored(factor, arrays, what), scores[part]):
            raise _Fault(f"`score` of {what} differs: each must be scored by itself")


def _threads(
    cls: type[RiskFactor],
    parameters: Mapping[str, Any] | None,
    drawn: samples.Arrays,
    scores: Any,
) -> None:
    factor = _make(cls, parameters)
    parts = [slice(at, at + 50) for at in range(0, _COUNT, 50)] * 5

    def score(part: slice) -> bool:
        arrays = {name: array[part] for name, array in drawn.items()}
        return _same(factor.score(arrays, _CONTEXT), scores[part])

    with ThreadPoolExecutor(4) as pool:
        try:
            alike = all(pool.map(score, parts))
        except Exception as error:
            raise _Fault(f"`score` raises {_said(error)} in several threads") from None
    if not alike:
        raise _Fault("`score` gives other scores when several threads call it")


def _stateless(
    cls: type[RiskFactor],
    parameters: Mapping[str, Any] | None,
    drawn: samples.Arrays,
    _: object,
) -> None:
    factor = _make(cls, parameters)
    before = _state(factor)
    factor.score(drawn, _CONTEXT)
    if _state(factor) != before:
        raise _Fault("`score` changes the object; a factor keeps no state but its parameters")


def _state(factor: RiskFactor) -> dict[str, str]:
    held = dict(getattr(factor, "__dict__", {}))
    return {name: repr(value) for name, value in held.items()}


def _explanations(
    cls: type[RiskFactor],
    parameters: Mapping[str, Any] | None,
    drawn: samples.Arrays,
    scores: Any,
) -> None:
    factor = _make(cls, parameters)
    for at in range(_EXPLAINED):
        _explained(factor, samples.household(drawn, cls.inputs, at), float(scores[at]))
    nothing: dict[str, Any] = {entry.name: None for entry in cls.inputs}
    zeros = samples.frozen({e.name: samples.zeros(e, _TODAY, 1) for e in cls.inputs})
    zero = samples.household(zeros, cls.inputs, 0)
    score = float(_scored(factor, zeros, "a household of zeros")[0])
    if _explained(factor, nothing, float("nan")) == _explained(factor, zero, score):
        raise _Fault("`explain` says the same of what is not known as of zero")


def _explained(factor: RiskFactor, values: Mapping[str, Any], score: float) -> str:
    try:
        text: object = factor.explain(values, score, _CONTEXT)
    except Exception as error:
        unknown = [name for name, value in values.items() if value is None]
        hint = f" (unknown: {', '.join(unknown)})" if unknown else ""
        raise _Fault(f"`explain` raises {_said(error)}{hint}") from None
    if not isinstance(text, str) or not text.strip():
        raise _Fault("`explain` says nothing")
    for word in ("NaN", "nan ", "None", "NaT"):
        if word in text:
            raise _Fault(f"`explain` says {word.strip()!r}; say in words that it is not known")
    return text


def _same(first: Any, second: Any) -> bool:
    return bool(np.array_equal(first, second, equal_nan=True))


def _said(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
