"""Each household is scored by itself, alike every time, and nothing is kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from folkmoot_sdk import samples
from folkmoot_sdk.conformance.findings import Check, Finding, Found
from folkmoot_sdk.conformance.trial import CONTEXT, TODAY, Arrays, Trial
from folkmoot_sdk.factor import FactorArray, RiskFactor

NOT_DETERMINISTIC = Check(
    "not-deterministic", "factor", "The same households get the same scores every time",
    "Nobody can check a score that changes by itself, nor answer for it.",
    "Use no random numbers, clock, counter or hash; take the date from `context`",
)  # fmt: skip
OTHER_HOUSEHOLDS = Check(
    "other-households", "factor", "A household's score does not depend on other households",
    "A score would say something about the neighbours, and change when their records change.",
    "Compute from the household's own row: no mean, maximum, rank or sorting over the array",
)  # fmt: skip
ROW_ORDER = Check(
    "row-order", "factor", "A household's score does not depend on its place in the array",
    "Households are shuffled before each run: scores would be different every time.",
    "Use no row number, no running total and no difference between neighbouring rows",
)  # fmt: skip
BATCH_BOUNDARIES = Check(
    "batch-boundaries", "factor", "A household's score does not depend on how many are scored",
    "Households come in batches whose size the council chooses.",
    "Do not use the length of the array, and let no row of a batch be special",
)  # fmt: skip
EMPTY_BATCH = Check(
    "empty-batch", "factor", "No household is scored as no score",
    "A batch can be empty, and a run stops if a factor cannot take it.",
    "Return an empty array for empty inputs; beware of min, max and reshape",
)  # fmt: skip
THREADS = Check(
    "threads-differ", "factor", "Several threads may call `score` at once",
    "A node scores on all of its processors.",
    "Keep nothing on the object or the module while scoring",
)  # fmt: skip
KEEPS_STATE = Check(
    "keeps-state", "factor", "`score` changes nothing on the object",
    "What is kept of one batch may change the scores of the next, and stays in memory.",
    "Compute in `__init__` what depends on parameters alone; keep nothing else",
)  # fmt: skip

THREADS_LEFT = Check(
    "threads-left",
    "factor",
    "No thread runs on after a call",
    "It could change scores later, and takes a processor from the node.",
    "Compute in the calling thread, or end threads before `score` returns",
)

COUNT = 1000
_GRACE = 3
"""Calls during which a thread that is about to end may do so."""
_PARTS = {
    "one household": slice(5, 6),
    "some of the households": slice(100, 700),
    "half of the households": slice(COUNT // 2, None),
}


def independence(trial: Trial, drawn: Arrays, scores: FactorArray) -> list[Finding]:
    """Scores the same households again: alone, in another order, beside others.

    Each of these rules implies the next ones, so that the first that is broken is the only
    one named.

    Args:
        trial: The factor.
        drawn: Arrays of shape (`COUNT`,).
        scores: What it gave for them.
    """
    try:
        factor = trial.fresh()
        _again(trial, factor, drawn, scores)
        _beside_others(trial, factor, drawn, scores)
        _reordered(trial, factor, drawn, scores)
        _in_parts(trial, factor, drawn, scores)
        _none_at_all(trial, factor, drawn)
    except Found as found:
        return [found.finding]
    return []


def same(first: FactorArray, second: FactorArray) -> bool:
    """Whether two results are equal to the last bit, NaN where NaN."""
    return bool(np.array_equal(first, second, equal_nan=True))


def differing(first: FactorArray, second: FactorArray) -> str:
    """How many scores of two results differ, and the first of them, in words."""
    unequal = ~((first == second) | (np.isnan(first) & np.isnan(second)))
    at = int(np.argmax(unequal))
    return f"{int(unequal.sum())} of {len(first)} differ, such as {first[at]:g} and {second[at]:g}"


def _again(trial: Trial, factor: RiskFactor, drawn: Arrays, scores: FactorArray) -> None:
    for maker in (factor, factor, trial.fresh()):
        found = trial.score(maker, drawn, "the same households")
        if not same(found, scores):
            seen = "`score` of the same households differs from call to call: "
            raise Found(trial.finding(NOT_DETERMINISTIC, seen + differing(found, scores)))


def _beside_others(trial: Trial, factor: RiskFactor, drawn: Arrays, scores: FactorArray) -> None:
    """Every third household stays at its place; all others are replaced."""
    others = samples.households(trial.inputs, TODAY, COUNT, seed=1)
    kept = np.arange(COUNT) % 3 == 0
    mixed = {name: np.where(kept, array, others[name]) for name, array in drawn.items()}
    found = trial.score(factor, samples.frozen(mixed), "the same households beside others")
    if not same(found[kept], scores[kept]):
        seen = "`score` of a household differs when other households do: "
        seen += differing(found[kept], scores[kept])
        raise Found(trial.finding(OTHER_HOUSEHOLDS, seen))


def _reordered(trial: Trial, factor: RiskFactor, drawn: Arrays, scores: FactorArray) -> None:
    shuffled = np.random.default_rng(2).permutation(COUNT)
    for what, order in (("reversed", np.arange(COUNT)[::-1]), ("shuffled", shuffled)):
        arrays = samples.frozen({name: array[order] for name, array in drawn.items()})
        found = trial.score(factor, arrays, f"the households {what}")
        if not same(found, scores[order]):
            seen = f"`score` of the households {what} differs: {differing(found, scores[order])}"
            raise Found(trial.finding(ROW_ORDER, seen))


def _in_parts(trial: Trial, factor: RiskFactor, drawn: Arrays, scores: FactorArray) -> None:
    for what, part in _PARTS.items():
        arrays = {name: array[part] for name, array in drawn.items()}
        found = trial.score(factor, arrays, what)
        if not same(found, scores[part]):
            seen = f"`score` of {what} differs: {differing(found, scores[part])}"
            raise Found(trial.finding(BATCH_BOUNDARIES, seen))


def _none_at_all(trial: Trial, factor: RiskFactor, drawn: Arrays) -> None:
    try:
        trial.score(factor, {name: array[:0] for name, array in drawn.items()}, "no household")
    except Found as found:
        raise Found(trial.finding(EMPTY_BATCH, found.finding.seen)) from None


def in_threads(trial: Trial, drawn: Arrays, scores: FactorArray) -> list[Finding]:
    """Scores parts of the households from four threads at once."""
    factor = trial.fresh()
    parts = [slice(at, at + 50) for at in range(0, COUNT, 50)] * 5

    def alike(part: slice) -> bool:
        arrays = {name: array[part] for name, array in drawn.items()}
        return same(factor.score(arrays, CONTEXT), scores[part])

    with ThreadPoolExecutor(4) as pool:
        try:
            agree = all(pool.map(alike, parts))
        except Exception as error:
            return [trial.failure(THREADS, error, "`score` in several threads", drawn)]
    if agree:
        return []
    return [trial.finding(THREADS, "`score` gives other scores when several threads call it")]


def stateless(trial: Trial, drawn: Arrays) -> list[Finding]:
    """Looks at the attributes of the object, and at threads, before and after a call."""
    factor = trial.fresh()
    before, threads = _state(factor), set(threading.enumerate())
    factor.score(drawn, CONTEXT)
    after = _state(factor)
    left = [thread for thread in threading.enumerate() if thread not in threads]
    for _ in range(_GRACE if left else 0):  # there is no clock where plugins are confined
        factor.score(drawn, CONTEXT)
    running = [thread for thread in left if thread.is_alive()]
    if running:
        seen = f"`score` leaves the thread {running[0].name!r} running"
        return [trial.finding(THREADS_LEFT, seen)]
    changed = sorted(name for name in after | before if after.get(name) != before.get(name))
    if not changed:
        return []
    seen = f"`score` changes {', '.join(f'`{name}`' for name in changed)} of the object"
    return [trial.finding(KEEPS_STATE, seen)]


def _state(factor: RiskFactor) -> dict[str, str]:
    held: dict[str, Any] = dict(getattr(factor, "__dict__", {}))
    return {name: repr(value) for name, value in held.items()}
