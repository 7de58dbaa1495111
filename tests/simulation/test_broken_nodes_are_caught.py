"""The simulation sees each invariant fail in a node that is broken on purpose.

Each invariant is watched by itself, so that none hides behind another. Each node is given the
sequences of a seed that was found to catch it soon; a sound node passes the same ones. What chance
catches late is scripted. `make night` tries each node at other seeds as well, and a sound node at
each seed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from breakages import BREAKAGES, Breakage
from invariants import Broken, Invariant, Watch
from policy_terms import Policy
from questions import DEADLINES, LOSSES, Question
from scenery import COUNCILS, Scenery
from sequences import Run

from folkmoot.privacy import Rho
from tests.night import by_night

SOON = 120
"""Steps within which a node is caught at its seed."""
LATE = 2_000
"""Steps within which it is caught at any seed; most are within the first 300."""
FIRST_SEED = 1
SEEDS = {
    "ignores_the_limit_of_a_round-BUDGET": 4,
    "asks_no_operator-PERMISSION": 2,
    "forgets_what_was_not_delivered-ONE_ANSWER": 2,
    "logs_after_sending-RECORDS": 2,
    "tries_rejected_answers_for_ever-LIVENESS": 2,
}
"""Where the first seed does not catch a node soon."""
TOTALS = 40
"""Rounds of which two councils' totals show that noise is missing: 6.3 standard errors."""


def spent_restored_and_recovered(run: Run) -> None:
    """What a period allows is spent, forgotten and accounted for again; then more is asked.

    Few random sequences come so far: most are caught after a thousand steps.
    """
    with closing(run.new_world()) as world:
        council = world.councils[0]
        council.sign_policy(Policy.ORDINARY.value)
        council.back_up()
        for loss in ("0.5", "0.5", "0.3"):
            if loss == "0.3":
                world.restore_node(council, 0)
                council.visit()
                council.recover()
            world.open_round(Question.MADE_UP_AREAS, COUNCILS, Rho.of(loss), DEADLINES[1])
            council.visit()
        run.watch.happened["released"] = council.witness.released


def restored_and_not_recovered(run: Run) -> None:
    """An answer is forgotten, and nobody accounts for it."""
    with closing(run.new_world()) as world:
        council = world.councils[0]
        council.sign_policy()
        council.back_up()
        world.open_round(Question.MADE_UP_AREAS, COUNCILS, LOSSES[2], DEADLINES[1])
        council.visit()
        world.restore_node(council, 0)
        council.visit()
        run.watch.happened["released"] = council.witness.released


def many_totals(run: Run) -> None:
    """One release of a total can be right by chance; so many cannot."""
    with closing(run.new_world()) as world:
        for _ in range(TOTALS):
            world.open_round(Question.TOTAL, COUNCILS, LOSSES[0], DEADLINES[1])
        for council in world.councils:
            council.sign_policy()
            council.visit()
            run.watch.happened["released"] += council.witness.released
    run.noise.judge()


SCRIPTS = {
    "recovers_without_a_debit-BUDGET": spent_restored_and_recovered,
    "asks_for_no_receipts-ONE_ANSWER": restored_and_not_recovered,
    "adds_no_noise_to_totals-NOISE": many_totals,
}
"""Sequences for nodes that chance catches too late."""
PASSED = (
    (spent_restored_and_recovered, 2, 2),
    (restored_and_not_recovered, 1, 0),
    (many_totals, 2 * TOTALS, 0),
)
"""How many answers leave a sound node, and how many it recovers."""


def _named(breakage: Breakage, invariant: Invariant) -> str:
    return f"{breakage.__name__}-{invariant.name}"


def _seed(breakage: Breakage, invariant: Invariant) -> int:
    return SEEDS.get(_named(breakage, invariant), FIRST_SEED)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("other", by_night([0, 100]))
@pytest.mark.parametrize(
    "breakage, invariant",
    [pytest.param(*one, id=_named(*one)) for one in BREAKAGES],
)
def test_broken_nodes_are_caught(
    scenery: Scenery,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    breakage: Breakage,
    invariant: Invariant,
    other: int,
) -> None:
    run = Run(scenery, tmp_path, Watch([invariant]))
    breakage(monkeypatch)
    script = None if other else SCRIPTS.get(_named(breakage, invariant))
    with pytest.raises(Broken) as caught:
        if script:
            script(run)
        else:
            run.go(LATE if other else SOON, _seed(breakage, invariant) + other, shrink=False)
    assert caught.value.invariant is invariant


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", by_night([FIRST_SEED, *sorted(set(SEEDS.values()))]))
def test_a_sound_node_passes_the_same(scenery: Scenery, tmp_path: Path, seed: int) -> None:
    Run(scenery, tmp_path).go(SOON, seed, shrink=False)


@pytest.mark.parametrize("script, released, recovered", PASSED)
def test_a_sound_node_passes_what_is_scripted(
    scenery: Scenery,
    tmp_path: Path,
    script: Callable[[Run], None],
    released: int,
    recovered: int,
) -> None:
    run = Run(scenery, tmp_path)
    script(run)
    assert run.watch.happened["released"] == released
    assert run.watch.happened["answers recovered"] == recovered


def test_every_invariant_is_seen_to_fail() -> None:
    assert {invariant for _, invariant in BREAKAGES} == set(Invariant)


def test_every_seed_is_of_a_node() -> None:
    assert {_named(*one) for one in BREAKAGES} >= {*SEEDS, *SCRIPTS}
    assert {script for script, *_ in PASSED} == set(SCRIPTS.values())
