"""What a factor does to its process, and whether another process finds the same."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from folkmoot_kit.checks.bench import Bench, Running
from folkmoot_sdk import samples
from folkmoot_sdk.conformance.findings import Check, Finding, Found, Severity
from folkmoot_sdk.conformance.rows import (
    COUNT,
    NOT_DETERMINISTIC,
    THREADS_LEFT,
    differing,
    same,
)
from folkmoot_sdk.conformance.trial import CONTEXT, SCORE_FAILS, SCORE_WARNS, TODAY, Trial
from folkmoot_sdk.factor import FactorArray, RiskFactor

GLOBAL_STATE = Check(
    "global-state", "factor", "A factor leaves nothing behind for later calls or other factors",
    "Scores would depend on which factors a policy names, and in which order they are used.",
    "Keep nothing on the module or the class; do not set NumPy's or Python's global options",
)  # fmt: skip
PRINTS = Check(
    "prints", "factor", "The plugin prints nothing",
    "What it prints could quote records; a node throws it away unread.",
    "Remove `print` and logging; say what an operator must know with PluginError",
)  # fmt: skip
MEMORY = Check(
    "memory", "factor", "Memory stays in proportion to the batch",
    "A node that runs out of memory stops scoring everybody.",
    "Work in place on one array; make no array of households by households or by days",
)  # fmt: skip
SLOW = Check(
    "slow", "factor", "A batch of 65,536 households takes no longer than the limit",
    "A run of a million households with twelve factors would take hours.",
    "Use NumPy on whole arrays instead of a loop over households",
)  # fmt: skip
RATHER_SLOW = Check(
    "rather-slow", "factor", "A batch of 65,536 households takes a tenth of the limit at most",
    "The factor takes longer than all others of a run together.",
    "Use NumPy on whole arrays instead of a loop over households",
    Severity.WARNING,
)  # fmt: skip

BATCH = 65_536
HUGE = 16 * BATCH
"""Households of a batch that no node sends, since a node sends smaller ones."""
SECONDS = 1.0
"""Limit for a batch of `BATCH` households."""
_CALLS = 8
_FOLD = 6
_SPARE = 128 << 20
"""Bytes that a process may take beyond `_FOLD` times what it was handed."""


Parameters = Mapping[str, Mapping[str, Any]]


def process_findings(bench: Bench, parameters: Parameters) -> tuple[Finding, ...]:
    """Compares the scores of several processes.

    Args:
        bench: Starts them.
        parameters: Of factors that cannot do with their defaults, by name.
    """
    return tuple(_compared(bench, parameters))


def loaded_findings(running: Running) -> tuple[Finding, ...]:
    """What a process has printed before anything was asked of its plugins."""
    return tuple(_printed("", running.printed(), "while it is loaded"))


def _compared(bench: Bench, parameters: Parameters) -> Iterator[Finding]:
    """Scores with all factors in three processes: in order, in order again, and backwards.

    What differs between the first two is not deterministic. What differs from the third, or when
    all are used once more, depends on what other factors have left behind.
    """
    with bench.start() as running:
        trials = {name: running.trial(name, parameters.get(name, {})) for name in running.factors}
        first = _scored(trials, trials)
        later = _scored(trials, trials)
    again: dict[str, FactorArray] = {}
    backwards: dict[str, FactorArray] = {}
    orders = [(again, tuple(trials)), (backwards, tuple(reversed(trials)))]
    for found, order in orders if len(trials) > 1 else orders[:1]:
        with bench.start() as running:
            others = {name: running.trial(name, parameters.get(name, {})) for name in trials}
            found.update(_scored(others, order))
    for name, scores in first.items():
        trial = trials[name]
        for found, check, seen in (
            (again, NOT_DETERMINISTIC, "another process gives other scores: "),
            (later, GLOBAL_STATE, "scores differ once all factors were used: "),
            (backwards, GLOBAL_STATE, "scores differ if other factors are used before: "),
        ):
            if name in found and not same(found[name], scores):
                yield trial.finding(check, seen + differing(found[name], scores))
                break


def _scored(trials: Mapping[str, Trial], order: Iterable[str]) -> dict[str, FactorArray]:
    """Scores of each factor on the same made-up households: float64, NaN where unknown."""
    scored = {}
    for name in order:
        trial = trials[name]
        arrays = samples.households(trial.inputs, TODAY, COUNT)
        try:
            scored[name] = trial.score(trial.fresh(), arrays, "made-up households")
        except Found:  # the checks of the factor itself say what is wrong
            continue
    return scored


_LIBRARIES = re.compile(r"^.*(?:cpuinfo|cpuid_info).*\n?", re.M)
"""What libraries say of a confined process, and no plugin can keep from them: onnxruntime looks
for the processor in `/proc`."""
_WARNED = re.compile(r"^\S+:[0-9]+: (\w*Warning): (.+)$", re.MULTILINE)


def _printed(subject: str, text: str, when: str) -> Iterator[Finding]:
    text = _LIBRARIES.sub("", text)
    if not text.strip():
        return
    warned = _WARNED.search(text)
    if warned:
        yield SCORE_WARNS.finding(f"warns {when}: {warned[1]}: {warned[2]}", subject)
        return
    line = text.strip().splitlines()[0]
    yield PRINTS.finding(f"prints {line[:80]!r} {when}", subject)


def measured_findings(
    running: Running, trial: Trial, seconds: float = SECONDS
) -> tuple[Finding, ...]:
    """Scores a batch and a huge batch, in a process that has not held a larger one yet.

    Args:
        running: The process.
        trial: A factor in it.
        seconds: Limit for `BATCH` households.
    """
    try:
        return tuple(_of_batches(running, trial, seconds))
    except Found as found:
        return (found.finding,)


def printed_findings(running: Running, subject: str, before: int) -> tuple[Finding, ...]:
    """What a process has printed since it had printed so many characters."""
    return tuple(_printed(subject, running.printed()[before:], "while it works"))


def _of_batches(running: Running, trial: Trial, seconds: float) -> Iterator[Finding]:
    arrays = samples.households(trial.inputs, TODAY, BATCH)
    factor = trial.fresh()
    small = {key: array[:COUNT] for key, array in arrays.items()}
    trial.score(factor, small, "made-up households")
    before = running.figures()
    took = min(_seconds(trial, factor, arrays) for _ in range(2))
    for _ in range(_CALLS):
        trial.score(factor, small, "made-up households")
    after = running.figures()
    seen = f"a batch of {BATCH:,} households takes {took:.2f} s; the limit is {seconds:g} s"
    if took > seconds:
        yield trial.finding(SLOW, seen)
    elif took > seconds / 10:
        yield trial.finding(RATHER_SLOW, seen)
    more = after.threads - before.threads if before is not None and after is not None else 0
    if more >= _CALLS:  # fewer may be those that answer the host
        yield trial.finding(THREADS_LEFT, f"{_CALLS} calls of `score` leave {more} more threads")
    if took > seconds or before is None:
        return
    huge = samples.frozen({key: np.tile(a, HUGE // BATCH) for key, a in arrays.items()})
    trial.score(factor, huge, f"{HUGE:,} households")
    peak = running.figures()
    handed = sum(array.nbytes for array in huge.values())
    used = peak.peak_bytes - before.peak_bytes if peak is not None else 0
    most = _FOLD * handed + _SPARE
    if used > most:
        seen = (
            f"{HUGE:,} households of {handed >> 20} MiB take {used >> 20} MiB more memory; the "
            f"limit is {most >> 20} MiB"
        )
        yield trial.finding(MEMORY, seen)


def _seconds(trial: Trial, factor: RiskFactor, arrays: samples.Arrays) -> float:
    start = time.perf_counter()
    try:
        factor.score(arrays, CONTEXT)
    except Exception as error:
        raise Found(trial.failure(SCORE_FAILS, error, "`score` of a batch", {})) from None
    return time.perf_counter() - start
