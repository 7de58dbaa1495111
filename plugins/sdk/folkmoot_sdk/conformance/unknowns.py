"""Unknown is not zero: what is not known gives no score, and what is known gives one."""

from __future__ import annotations

import numpy as np

from folkmoot_sdk import samples
from folkmoot_sdk.conformance.findings import Check, Finding, Found
from folkmoot_sdk.conformance.trial import Arrays, Trial
from folkmoot_sdk.factor import FactorArray

UNKNOWN_SCORED = Check(
    "unknown-scored", "factor", "A household of which nothing is known has no score",
    "It would look like one that needs no help.",
    "Give NaN where the inputs that settle the score are unknown",
)  # fmt: skip
NEVER_KNOWN = Check(
    "never-known", "factor", "Some household has a score",
    "A factor that knows nothing of anybody has no use; a unit or a code list may be wrong.",
    "Give NaN only where an input is unknown",
)  # fmt: skip
OPTIONAL_NEEDED = Check(
    "optional-needed", "factor", "The factor works without its optional inputs",
    "A council without such a source is told that the factor will work.",
    "Declare as required what the factor cannot do without",
)  # fmt: skip
EXTREME_VALUES = Check(
    "extreme-values", "factor", "Values that no household should have do not break `score`",
    "Records hold mistakes: amounts of millions, dates in the year 1900.",
    "Clip values before the arithmetic, and give NaN to what cannot be true",
)  # fmt: skip


def unknowns(trial: Trial, drawn: Arrays, scores: FactorArray) -> list[Finding]:
    """Scores households of which nothing, everything, or only the required is known.

    Args:
        trial: The factor.
        drawn: Arrays of shape (households,).
        scores: What it gave for them.
    """
    findings = []
    for check in (_nothing_known, _something_known, _required_only, _extremes):
        try:
            check(trial, drawn, scores)
        except Found as found:
            findings.append(found.finding)
    return findings


def _nothing_known(trial: Trial, _: Arrays, __: FactorArray) -> None:
    arrays = samples.frozen({entry.name: samples.unknowns(entry, 3) for entry in trial.inputs})
    scores = trial.score(trial.fresh(), arrays, "households of which nothing is known")
    if not np.isnan(scores).all():
        seen = f"`score` gives {scores[0]:g} to a household of which nothing is known; give NaN"
        raise Found(trial.finding(UNKNOWN_SCORED, seen))


def _something_known(trial: Trial, _: Arrays, scores: FactorArray) -> None:
    if np.isnan(scores).all():
        raise Found(trial.finding(NEVER_KNOWN, "`score` is NaN for every made-up household"))


def _required_only(trial: Trial, drawn: Arrays, scores: FactorArray) -> None:
    optional = [entry for entry in trial.inputs if not entry.required]
    if not optional or np.isnan(scores).all():
        return
    count = len(scores)
    arrays = {**drawn, **{entry.name: samples.unknowns(entry, count) for entry in optional}}
    found = trial.score(trial.fresh(), samples.frozen(arrays), "required inputs alone")
    if np.isnan(found).all():
        names = ", ".join(entry.name for entry in optional)
        seen = f"`score` is unknown for every household without {names}"
        raise Found(trial.finding(OPTIONAL_NEEDED, seen))


def _extremes(trial: Trial, _: Arrays, __: FactorArray) -> None:
    arrays = samples.frozen(samples.extremes(trial.inputs))
    try:
        trial.score(trial.fresh(), arrays, "extreme values")
    except Found as found:
        raise Found(trial.finding(EXTREME_VALUES, found.finding.seen)) from None
