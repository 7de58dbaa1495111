"""The one door: exact counts go in, a paid-for noisy answer comes out.

Order of events: an answer stored earlier is returned as it is; else policy is checked,
the loss is debited (durable), noise is drawn, and the answer is stored (durable) before
anybody can send it. Killed at any point and started again:

- before the debit: nothing happened;
- after the debit, before the answer is stored: nothing was seen by anybody, the debit is
  used again, and noise is drawn for the answer that will be the only one, if the policy
  still allows it;
- after the answer is stored: the stored bytes are the answer and never change.

Claim: releasing whole numbers of L2 sensitivity d through the discrete Gaussian of scale
sigma satisfies d^2 / (2 sigma^2)-zCDP (Canonne, Kamath and Steinke 2020, theorem 4); the
components of a round compose by addition. Where an axis is nested, the rows of a component
fall into groups of different sensitivity, each with noise in proportion to its own. One
household is in one group of each axis, so it changes rows of one sensitivity only, and the
component costs it what one group costs. Releasing a marginal, which has L1 sensitivity 1,
through the discrete Laplace of scale b satisfies pure (1/b)-differential privacy, and marginals
compose by addition. Drawing disjoint parts of one measurement on several threads draws the same
product distribution.

In a series (`folkmoot.series`) the exact tables hold each household times a coefficient, and
the noise is that of the squared sensitivity of all rounds together: together they cost what
the series costs, and each what it is charged.

This is the only module of the node that imports OpenDP or makes NoisyCounts.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian, make_laplace
from opendp.metrics import l1_distance, l2_distance
from opendp.mod import enable_features

from folkmoot.hierarchy import Axis
from folkmoot.privacy import Epsilon, Rho
from folkmoot.release import NoisyCounts, Release
from folkmoot.rounds import Mechanism
from folkmoot.series import squared_norm
from folkmoot.strategy import Plan, is_below
from folkmoot.versions import DATED_RELEASES
from folkmoot_node.evidence.ledger import BudgetExhausted
from folkmoot_node.evidence.outbox import Answer
from folkmoot_node.faults import fault_among_counts
from folkmoot_node.release import admission
from folkmoot_node.release.contrasts import contrasts, marginal, sensitivities
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.office import Office, Question
from folkmoot_node.release.self_test import discrete_gaussian, discrete_laplace, require_sound
from folkmoot_node.release.steps import AnswerStage
from folkmoot_operator.problems import ExitCode, Problem

enable_features("contrib")

_ROWS_PER_TASK = 8_192
_SOUND_SECONDS = 86_400.0
_TEST_RHO, _TEST_SQUARED, _TEST_EPSILON = Rho.of("0.0075"), 6, Epsilon.of("0.05")
"""The noise of the test: a standard deviation, or a scale, of 20."""
_TEST_PARTS = 4
_TESTED: dict[Mechanism, float | Problem] = {}
"""When each sampler was found to be sound, or what was found."""

Int64 = npt.NDArray[np.int64]


def release(
    question: Question,
    office: Office,
    tabulate: Callable[[], ExactCounts],
    *,
    threads: int = 2,
    approved: bool = True,
    confirm: Callable[[], None] = lambda: None,
) -> Answer | None:
    """Answers a round: with a release, or with a refusal if the policy says so.

    Args:
        question: The round, and what the node knows.
        office: Where the answer is paid for and stored.
        tabulate: Makes the exact tables; called only if the round will be released.
        threads: Threads that draw noise.
        approved: False if an operator has to approve a release first.
        confirm: Called in the transaction that stores a release; what it raises leaves the
            round without an answer.

    Returns:
        The stored answer: the same round always gives the same. None if the policy allows a
        release, and it is not approved.

    Raises:
        Problem: If the round differs from the one answered under its id, the ledger cannot
            be trusted, or counts cannot be made. Nothing is released.
    """
    round_, context = question.round, question.context
    stored = office.outbox.find(round_.round_id)
    if stored is not None:
        if stored.round_digest != question.digest:
            raise Problem(
                f"round {round_.round_id} differs from the round that was answered",
                remedy="Report it to the region; the first answer stands",
                exit_code=ExitCode.REFUSED,
            )
        return stored

    def refuse(objection: admission.Objection) -> Answer:
        return office.refuse(round_.round_id, question.digest, context.council, objection)

    # A round that was paid for before a crash is judged again: the policy may have ended,
    # or forbid it by now. What was paid is then lost.
    objection = admission.judge(round_, context)
    if objection is not None:
        return refuse(objection)
    if not approved:
        return None
    require_sound_sampler(round_.mechanism, threads)
    with _sealed():
        counts = tabulate()
    plan = round_.plan(context.council)
    _check_tables(counts, plan)
    office.observe(AnswerStage.TABULATED)
    now = office.clock()
    if context.series is not None:
        _require_same_period(context, now)
    try:
        debit = office.ledger.debit(
            round_.round_id,
            question.digest,
            admission.charge(round_, context),
            context.release_policy.loss,
            question.policy_digest,
            now,
            signer=question.signer,
        )
    except BudgetExhausted as error:
        # The ledger asks again what the judge asked: another process may have spent meanwhile.
        return refuse(admission.exhausted(error.requested, error.remaining))
    office.observe(AnswerStage.DEBITED)
    norm = squared_norm(round_.series.length) if round_.series else 1
    with _sealed():
        noisy = _measure(counts, plan, threads, norm)
    office.observe(AnswerStage.SAMPLED)
    answer = office.outbox.store_release(
        Release(
            round_id=round_.round_id,
            round_digest=question.digest,
            council=context.council,
            mechanism=round_.mechanism,
            loss=debit.rho,
            ledger_entry=debit.entry,
            counts=noisy,
            row=context.series.row if context.series else None,
            as_of=question.scores_of if office.protocol >= DATED_RELEASES else None,
        ),
        office.protocol,
        office.clock(),
        confirm,
    )
    office.observe(AnswerStage.STORED)
    return answer


@contextmanager
def _sealed() -> Iterator[None]:
    """Keeps inside what an error says of exact counts; a Problem says nothing of them."""
    try:
        yield
    except Problem:
        raise
    except Exception as error:
        raise fault_among_counts(error) from None


def _require_same_period(context: admission.AdmissionContext, now: int) -> None:
    """Checks that the charge of a series, which depends on the period, still holds."""
    policy = context.release_policy.loss
    if policy.period_of(now) != policy.period_of(context.now):
        raise Problem(
            "another accounting period began while the answer was made",
            remedy="It is answered at the next visit",
            exit_code=ExitCode.UNREACHABLE,
        )


def _check_tables(counts: ExactCounts, plan: Plan) -> None:
    expected = tuple(math.prod(map(Axis.size, plan.axes, depths)) for depths in plan.largest)
    if counts.depths != plan.largest or counts.sizes != expected:
        raise AssertionError("the tables do not have the cells of the round")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Task:
    """Rows of one sensitivity: where they go, what they are exactly, what adds noise."""

    rows: Int64
    exact: Int64
    measurement: Any


def _measure(counts: ExactCounts, plan: Plan, threads: int, norm: int = 1) -> NoisyCounts:
    """Adds noise to everything that the plan measures.

    Args:
        counts: The exact tables.
        plan: What is measured.
        threads: Threads that draw noise.
        norm: Squared sensitivity of the tables: 1, or that of a whole series.
    """
    noisy = _drawn(list(_tasks(counts, plan, threads, norm)), plan.rows, threads)
    values = array("q")
    values.frombytes(noisy.tobytes())
    return NoisyCounts(values)


def _drawn(tasks: list[_Task], rows: int, threads: int) -> Int64:
    """Draws noise, on threads; gives the noisy numbers: shape (rows,), int64, no nulls."""
    noisy = np.empty(rows, dtype=np.int64)

    def draw(task: _Task) -> None:
        noisy[task.rows] = task.measurement(task.exact.tolist())

    if threads == 1 or len(tasks) == 1:
        for task in tasks:
            draw(task)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(draw, tasks):
                pass
    return noisy


def require_sound_sampler(mechanism: Mechanism, threads: int = 1) -> None:
    """Tests the sampler of a mechanism if that was not done in this process for a day.

    It draws through the functions that draw for a release, with a loss and a sensitivity of its
    own. A sampler that has failed is not tried again: another try might let it pass.

    Raises:
        Problem: Exit code VERIFICATION, if it does not draw what it should.
    """
    tested = _TESTED.get(mechanism)
    if isinstance(tested, Problem):
        raise tested
    if tested is not None and monotonic() - tested < _SOUND_SECONDS:
        return
    laplace = mechanism is Mechanism.DISCRETE_LAPLACE
    measurement = _laplace(_TEST_EPSILON) if laplace else _gaussian(_TEST_RHO, _TEST_SQUARED)

    def draw(exact: Int64) -> Int64:
        parts = np.array_split(np.arange(exact.size), _TEST_PARTS)
        tasks = [_Task(part, exact[part], measurement) for part in parts]
        return _drawn(tasks, exact.size, threads)

    expected = (
        discrete_laplace(1 / _TEST_EPSILON.value)
        if laplace
        else discrete_gaussian(math.sqrt(_TEST_SQUARED / (2 * _TEST_RHO.value)))
    )
    try:
        require_sound(draw, expected, mechanism.name.lower().replace("_", " "))
    except Problem as problem:
        _TESTED[mechanism] = problem
        raise
    _TESTED[mechanism] = monotonic()


def _tasks(counts: ExactCounts, plan: Plan, threads: int, norm: int) -> Iterator[_Task]:
    first = 0
    for measured in plan.measurements:
        at = next(at for at, held in enumerate(plan.largest) if is_below(measured.depths, held))
        source = (counts._tables[at], plan.axes, plan.largest[at], measured.depths)
        groups: Iterable[tuple[Any, Int64]]
        if measured.epsilon.nano:
            exact = marginal(*source)
            groups = [(_laplace(measured.epsilon), np.arange(exact.size))]
        else:
            exact = contrasts(*source)
            squared = sensitivities(plan.axes, measured.depths)
            groups = [
                (_gaussian(measured.rho, norm * int(value)), np.flatnonzero(squared == value))
                for value in np.unique(squared)
            ]
        for measurement, rows in groups:
            step = min(_ROWS_PER_TASK, max(1, -(-rows.size // threads)))
            for start in range(0, rows.size, step):
                part = rows[start : start + step]
                yield _Task(first + part, exact[part], measurement)
        first += measured.rows


@lru_cache(maxsize=256)
def _laplace(epsilon: Epsilon) -> Any:
    """OpenDP's discrete Laplace on int64 vectors of L1 sensitivity 1, losing at most `epsilon`."""
    allowed = Fraction(epsilon.nano, 10**9)
    scale = 1 / epsilon.value
    domain = vector_domain(atom_domain(T="i64"))
    for _ in range(64):
        measurement: Any = make_laplace(domain, l1_distance(T="i64"), scale=scale)
        if Fraction(measurement.map(1)) <= allowed:
            return measurement
        scale = math.nextafter(scale, math.inf)
    raise AssertionError("OpenDP's privacy map does not agree with the planned loss")


@lru_cache(maxsize=4096)  # making one takes longer than drawing a hundred numbers
def _gaussian(rho: Rho, squared_sensitivity: int) -> Any:
    """OpenDP's discrete Gaussian on int64 vectors whose loss is at most `rho`.

    The scale is the smallest double at or above `sqrt(squared_sensitivity / (2 rho))` for
    which OpenDP's own privacy map, computed with conservative rounding, stays within `rho`.
    """
    allowed = Fraction(rho.nano, 10**9)
    sensitivity = math.sqrt(squared_sensitivity)
    if Fraction(sensitivity) ** 2 < squared_sensitivity:
        sensitivity = math.nextafter(sensitivity, math.inf)
    scale = math.sqrt(squared_sensitivity / (2 * rho.value))
    domain = vector_domain(atom_domain(T="i64"))
    for _ in range(64):
        measurement: Any = make_gaussian(domain, l2_distance(T="f64"), scale=scale)
        if Fraction(measurement.map(sensitivity)) <= allowed:
            return measurement
        scale = math.nextafter(scale, math.inf)
    raise AssertionError("OpenDP's privacy map does not agree with the planned loss")
