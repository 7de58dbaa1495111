"""Whether factors score each household by its own inputs alone.

A factor that looks across households, at the mean of its batch say, lets one household move the
rows of others, and then a release protects less than it says. So what a factor says is compared
with what it says in other company: of a sample, if somebody has reviewed it; of every household,
if nobody has.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.scoring.bound import BoundFactor
from folkmoot_node.scoring.fresh import fresh
from folkmoot_node.scoring.stratify import contributions, shuffled
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import ScoringContext

_SAMPLE = 128
_ALONE = 2


def require_independent(
    households: pl.DataFrame,
    points: Sequence[npt.NDArray[np.signedinteger]],
    factors: Sequence[BoundFactor],
    context: ScoringContext,
) -> None:
    """Scores a sample again: backwards among itself, and a few households with nobody else.

    This finds what looks across households by mistake. A factor that wants to hide it can
    recognise a sample by its size.

    Args:
        households: What was scored.
        points: What each factor added, as `contributions` gives it.
        factors: The factors.
        context: That of the run.

    Raises:
        Problem: Exit code FAULT, naming the first factor that scored a household in another way.
    """
    if not factors:
        return
    count = households.height
    backwards = np.unique(np.linspace(count - 1, 0, min(count, _SAMPLE)).astype(np.int64))[::-1]
    for rows in [backwards, *(backwards[at : at + 1] for at in range(min(count, _ALONE)))]:
        _require_same(households, rows, points, factors, factors, context)


class Halves:
    """Factors that nobody has reviewed, made twice more: each household is scored again by one.

    A coin decides for each household which of the two scores it again, in processes that have
    seen nothing else in the run. So a household h is missing in all that one of them has ever
    seen, and what that one has seen is distributed as if h were not in the data at all. Say that h
    changes the scores of k others. A run goes on only if each of those k gets its first score
    again. As soon as one of them falls to the process without h, that process would have to
    repeat two different scores in the two worlds, which look the same to it. So for each h,
    whatever the factor does by rule,

        P(the run goes on with h) + P(the run goes on without h) <= 1 + 2^-k,

    and one that goes by chance differs from itself.

    What is missed follows from this. A factor that lets h change k others goes unnoticed in a run
    with probability 2^-k at most: half of the time for one other household, never for many. What
    a factor would do, and does not do in this run, is not seen. A factor that finds out, by
    counting, that its process sees the whole can do in the halves without h what it does in the
    whole with h; then it is the runs without h that stop, so that it says no more than a factor
    that fails on purpose where h is missing, which nothing prevents. A household that gets a
    strange score by a rule about its own inputs depends on nobody, and is for a review to find.
    In the node's own process, where a council has signed for that, "process" means objects of
    their own, and what they share in memory is not seen.
    """

    def __init__(self, factors: Sequence[BoundFactor]) -> None:
        """Starts the processes.

        Args:
            factors: The factors that nobody has reviewed.

        Raises:
            PluginFailure: If one does not start.
        """
        self._factors = tuple(factors)
        with ExitStack() as opened:
            with ThreadPoolExecutor(2) as threads:  # each waits for its process
                halves = (fresh(self._factors) for _ in range(2))
                self._halves = list(threads.map(opened.enter_context, halves))
            self._opened = opened.pop_all()

    def require_same(
        self,
        households: pl.DataFrame,
        points: Sequence[npt.NDArray[np.signedinteger]],
        context: ScoringContext,
    ) -> None:
        """Scores all households again, each in one of the halves.

        Args:
            households: What was scored.
            points: What each of these factors added, as `contributions` gives it.
            context: That of the run.

        Raises:
            Problem: Exit code FAULT, naming the first factor that scored a household in another
                way, its distribution and version.
        """
        coins = np.frombuffer(secrets.token_bytes(households.height), dtype=np.uint8) & 1
        for side, half in enumerate(self._halves):
            rows = np.flatnonzero(coins == side)
            # In two calls, so that what depends on the number of a call differs too.
            for some in np.array_split(rows[shuffled(len(rows))], 2):
                if len(some):
                    _require_same(households, some, points, self._factors, half, context)

    def close(self) -> None:
        """Ends the processes."""
        self._opened.close()


def _require_same(
    households: pl.DataFrame,
    rows: npt.NDArray[np.int64],
    points: Sequence[npt.NDArray[np.signedinteger]],
    factors: Sequence[BoundFactor],
    again: Sequence[BoundFactor],
    context: ScoringContext,
) -> None:
    found = contributions(households, again, context, rows)
    for bound, one, other in zip(factors, points, found, strict=True):
        if not np.array_equal(one[rows], other):
            raise Problem(
                f"plugin {bound.origin} scores a household by what other households have",
                where=f"factor {bound.name}, score",
                remedy="Take the factor out of the policy, and report it to the plugin's "
                "supplier: a factor may use a household's own inputs alone",
                exit_code=ExitCode.FAULT,
            )
