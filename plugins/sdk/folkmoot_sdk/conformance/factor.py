"""What `conformance.check_factor` checks, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from folkmoot_sdk import samples
from folkmoot_sdk.conformance.direction import directions
from folkmoot_sdk.conformance.explanations import explanations
from folkmoot_sdk.conformance.findings import Check, Finding, Found
from folkmoot_sdk.conformance.rows import COUNT, in_threads, independence, stateless
from folkmoot_sdk.conformance.trial import TODAY, Trial
from folkmoot_sdk.conformance.unknowns import unknowns
from folkmoot_sdk.declarations import factor_faults
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.parameters import build, describe

FACTOR_DECLARATION = Check(
    "factor-declaration", "factor", "The class declares all that a node needs to know",
    "A node refuses to load what it cannot describe to the council.",
    "Correct the class attribute that is named",
)  # fmt: skip
EVIDENCE = Check(
    "evidence", "factor", "The factor says what it relies on",
    "A council has to justify each factor to its residents.",
    "Name author, year and title, and what was found, in `evidence`",
)  # fmt: skip
PARAMETER_DESCRIPTION = Check(
    "parameter-description", "factor", "Each parameter is described",
    "Whoever writes the policy cannot know what it does.",
    "Write parameter(description=...)",
)  # fmt: skip
PARAMETER_DEFAULT = Check(
    "parameter-default", "factor", "A default is in the parameter's own range",
    "A policy that states the default is refused, while one that leaves it out is not.",
    "Correct the default, the minimum or the maximum",
)  # fmt: skip


def factor_findings(
    cls: type[RiskFactor], parameters: Mapping[str, Any] | None = None
) -> tuple[Finding, ...]:
    """Checks a factor in this process; see `conformance.check_factor`.

    Returns:
        What is wrong; empty if nothing is.
    """
    declared = declaration_findings(cls)
    if declared:
        return declared
    return trial_findings(
        Trial(cls, lambda: cls(build(cls.Parameters, parameters or {}, "parameters")))
    )


def declaration_findings(cls: type[RiskFactor]) -> tuple[Finding, ...]:
    """What the class says of itself that no node would load."""
    subject = f"factor {getattr(cls, 'name', getattr(cls, '__qualname__', cls))}"
    return tuple(FACTOR_DECLARATION.finding(fault, subject) for fault in factor_faults(cls))


def trial_findings(
    trial: Trial, step: Callable[[str], None] = lambda what: None
) -> tuple[Finding, ...]:
    """Every check of a factor that is made by calling it.

    Args:
        trial: The factor, here or in a process of its own.
        step: Called with what is checked next, in a few words.
    """
    findings = [*_described(trial)]
    try:
        step("scores")
        drawn = samples.households(trial.inputs, TODAY, COUNT)
        scores = trial.score(trial.fresh(), drawn, "made-up households")
    except Found as found:
        return (*findings, found.finding)
    findings += unknowns(trial, drawn, scores)
    step("order and batches")
    apart = independence(trial, drawn, scores)
    if not apart:
        apart = _of_this_process(trial, drawn, scores)
    findings += apart
    if not apart:
        step("directions")
        findings += directions(trial, drawn)
    step("explanations")
    findings += explanations(trial, drawn, scores)
    return tuple(dict.fromkeys(findings))


def _of_this_process(trial: Trial, drawn: samples.Arrays, scores: Any) -> list[Finding]:
    if not trial.shares_process:
        return in_threads(trial, drawn, scores)
    return stateless(trial, drawn) or in_threads(trial, drawn, scores)


def _described(trial: Trial) -> Iterator[Finding]:
    if not trial.cls.evidence:
        yield trial.finding(EVIDENCE, "`evidence` is empty")
    for entry in describe(trial.cls.Parameters):
        if not entry.description:
            seen = f"parameter `{entry.key}` has no description"
            yield trial.finding(PARAMETER_DESCRIPTION, seen)
        outside = isinstance(entry.default, int | float) and (
            (entry.minimum is not None and entry.default < entry.minimum)
            or (entry.maximum is not None and entry.default > entry.maximum)
        )
        if outside:
            seen = f"the default of parameter `{entry.key}` is out of its own range"
            yield trial.finding(PARAMETER_DEFAULT, seen)
