"""Random sequences of work and mishaps, as a Hypothesis state machine.

Whether an operation can be drawn depends on what was drawn before, never on what the nodes
answered, so that a seed gives the same sequence again, and a failing one can be shrunk.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from council import DAY, Council
from faults import (
    FAIR_WEATHER,
    NO_CRASH,
    AnswerFault,
    Crash,
    ListingFault,
    Mishap,
    Weather,
)
from hypothesis import HealthCheck, Phase, reject, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from invariants import Caught, Watch
from noise_watch import NoiseWatch
from policy_terms import Policy
from questions import DEADLINES, LOSSES, Malice, Question
from scenery import COUNCILS, EXTRACTS, Scenery
from world import World

from folkmoot.privacy import Rho
from folkmoot.rejection import RejectionReason
from folkmoot_node.evidence.round_book import Decision
from folkmoot_node.release.steps import AnswerStage

STEPS_IN_A_SEQUENCE = 60
SEQUENCES_OF_A_SEED = 5
MAX_WRITES = 45
"""Of a visit with a round or two; a crash beyond the last one does not happen."""

_COUNCIL = st.sampled_from((0, 0, 0, 1))
"""One node has most of the trouble, so that it gets far."""
_NUMBER = st.integers(0, 5)
_INVITED = st.sampled_from((COUNCILS, COUNCILS, COUNCILS[:1], COUNCILS[1:]))
_CRASH = st.one_of(
    st.builds(Crash, write=st.integers(1, MAX_WRITES)),
    st.builds(Crash, step=st.sampled_from(AnswerStage)),
)
_LOSS = st.sampled_from((LOSSES[1], LOSSES[2], LOSSES[2], LOSSES[3]))
_NEW = st.one_of(st.none(), _LOSS, _LOSS)
_PASSING_POLICIES = (Policy.OTHER_PURPOSE, Policy.ENDED, Policy.MEAN)
_LASTING_POLICY = st.sampled_from(
    [Policy.ORDINARY, *(policy for policy in Policy if policy not in _PASSING_POLICIES)]
)
_MISHAP = st.builds(
    Mishap,
    st.sampled_from(AnswerFault),
    st.integers(0, 4),
    st.sampled_from(RejectionReason),
)
_WEATHER = st.builds(
    Weather,
    st.lists(_MISHAP, min_size=1, max_size=3).map(tuple),
    st.sampled_from((ListingFault.NONE, *ListingFault)),
    st.sampled_from((False, False, False, True)),
)


@dataclass
class Run:
    """A run of many sequences.

    Attributes:
        scenery: What each begins from.
        folder: Where they take place.
        watch: Told of what is broken.
        noise: The noise of all.
    """

    scenery: Scenery
    folder: Path
    watch: Watch = field(default_factory=Watch)
    noise: NoiseWatch = field(init=False)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _begins: bool = False

    def __post_init__(self) -> None:
        self.noise = NoiseWatch(self.watch)

    def new_world(self) -> World:
        """A region in its first state."""
        folder = self.folder / f"sequence-{next(self._numbers)}"
        folder.mkdir()
        return World(folder, self.scenery, self.noise, self.watch)

    def begins(self) -> bool:
        """Whether this is asked first since Hypothesis began with a seed."""
        begins, self._begins = self._begins, False
        return begins

    def go(self, steps: int, seed: int, *, shrink: bool = True) -> None:
        """Takes about so many steps.

        Args:
            steps: Steps to take.
            seed: The same seed gives the same sequences.
            shrink: Look for a shorter sequence that fails as well.

        Raises:
            Broken: If an invariant does not hold.
        """
        run = self

        class Sequence(Operations):
            def __init__(self) -> None:
                super().__init__(run)

        self.watch.at_once = not shrink
        sequences = max(1, -(-steps // STEPS_IN_A_SEQUENCE))
        # Hypothesis varies what it drew before; beginning anew keeps it from one theme.
        for number, first in enumerate(range(0, sequences, SEQUENCES_OF_A_SEED)):
            Sequence._hypothesis_internal_use_seed = seed * 10_000 + number  # type: ignore[attr-defined]
            self._begins = True
            try:
                _run(Sequence, min(SEQUENCES_OF_A_SEED, sequences - first), shrink=shrink)
                self.noise.judge()
            except Caught as caught:
                raise caught.broken from None
            except Flaky:
                # Noise is drawn anew each time; what depends on it cannot be replayed.
                if self.watch.first is None:
                    raise
                raise self.watch.first from None


def _run(machine: type[RuleBasedStateMachine], sequences: int, *, shrink: bool) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=STEPS_IN_A_SEQUENCE,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            deadline=None,
            database=None,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


class Operations(RuleBasedStateMachine):
    """What people, networks, machines and enemies do to a region."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._world = run.new_world()
        self._touched: Council | None = None
        self._sound = False

    def _council(self, number: int) -> Council:
        self._sound = False
        self._touched = self._world.councils[number]
        return self._touched

    def _region(self) -> World:
        self._sound = False
        return self._world

    def _ask(self, loss: Rho | None) -> None:
        """Opens a round for everybody, so that there is something to answer."""
        if loss is not None:
            question, seconds = Question.MADE_UP_AREAS, DEADLINES[1]
            self._region().open_round(question, COUNCILS, loss, seconds)

    @initialize(policies=st.tuples(*(_LASTING_POLICY for _ in COUNCILS)), loss=_LOSS)
    def begin(self, policies: tuple[Policy, ...], loss: Rho) -> None:
        if self._run.begins():
            reject()  # Hypothesis begins with the simplest sequence: one operation, again and again
        for number, policy in enumerate(policies):
            self._council(number).sign_policy(policy.value)
        self._ask(loss)

    @rule(
        question=st.sampled_from(Question),
        councils=_INVITED,
        loss=st.sampled_from(LOSSES),
        seconds=st.sampled_from(DEADLINES),
    )
    def open_any_round(
        self, question: Question, councils: tuple[str, ...], loss: Rho, seconds: int
    ) -> None:
        self._region().open_round(question, councils, loss, seconds)

    @rule(malice=st.sampled_from(Malice), number=_NUMBER, council=_COUNCIL)
    def twist_round(self, malice: Malice, number: int, council: int) -> None:
        self._region().twist_round(malice, number)
        self._council(council).visit()

    @rule(council=_COUNCIL, loss=_NEW)
    def visit(self, council: int, loss: Rho | None) -> None:
        self._ask(loss)
        self._council(council).visit()

    @rule(council=_COUNCIL, loss=_NEW, weather=_WEATHER)
    def visit_in_foul_weather(self, council: int, loss: Rho | None, weather: Weather) -> None:
        self._ask(loss)
        self._council(council).visit(weather)

    @rule(council=_COUNCIL, loss=_NEW, crash=_CRASH)
    def die_during_a_visit(self, council: int, loss: Rho | None, crash: Crash) -> None:
        self._ask(loss)
        self._council(council).visit(crash=crash)

    @rule(
        council=_COUNCIL,
        loss=_NEW,
        weather=st.one_of(st.just(FAIR_WEATHER), _WEATHER),
        crash=st.one_of(st.just(NO_CRASH), _CRASH),
        rival_at=st.sampled_from(AnswerStage),
    )
    def two_processes_visit(
        self, council: int, loss: Rho | None, weather: Weather, crash: Crash, rival_at: AnswerStage
    ) -> None:
        self._ask(loss)
        self._council(council).visit(weather, crash, rival_at)

    @rule(council=_COUNCIL, loss=_NEW, skew=st.sampled_from((-35 * DAY, -2 * DAY, 95 * DAY)))
    def visit_with_a_wrong_clock(self, council: int, loss: Rho | None, skew: int) -> None:
        self._ask(loss)
        with self._council(council).clock_wrong_by(skew):
            self._council(council).visit()

    @rule(council=_COUNCIL, loss=_NEW, policy=st.sampled_from((*_PASSING_POLICIES, None)))
    def visit_under_a_passing_policy(
        self, council: int, loss: Rho | None, policy: Policy | None
    ) -> None:
        self._ask(loss)
        with self._council(council).policy_replaced(policy and policy.value):
            self._council(council).visit()

    @rule(council=_COUNCIL, number=_NUMBER)
    def a_held_answer_arrives(self, council: int, number: int) -> None:
        self._council(council).wire.deliver_held(number)

    @rule(
        council=_COUNCIL,
        number=_NUMBER,
        decision=st.sampled_from((Decision.APPROVED, *Decision, None)),
        crash=st.one_of(st.just(NO_CRASH), st.builds(Crash, st.integers(1, 6))),
    )
    def decide(self, council: int, number: int, decision: Decision | None, crash: Crash) -> None:
        self._council(council).decide(number, decision, crash)

    @rule(council=_COUNCIL, policy=_LASTING_POLICY)
    def sign_policy(self, council: int, policy: Policy) -> None:
        self._council(council).sign_policy(policy.value)

    @rule(council=_COUNCIL, extract=st.sampled_from(sorted(EXTRACTS)))
    def score(self, council: int, extract: str) -> None:
        self._council(council).score(extract)

    @rule(
        who=st.sampled_from((*range(len(COUNCILS)), None)),
        skew=st.sampled_from((0, 3_600, -3_600, DAY, -DAY)),
    )
    def clock_jumps(self, who: int | None, skew: int) -> None:
        if who is None:
            self._region().coordinator_skew = skew
        else:
            self._council(who).skew = skew

    @rule(seconds=st.sampled_from((3_600, DAY, 10 * DAY, 50 * DAY)), closing=st.booleans())
    def time_passes(self, seconds: int, closing: bool) -> None:
        self._region().pass_time(seconds)
        if closing:
            self._world.close_due()

    @rule(council=_COUNCIL, away=st.booleans())
    def coordinator_restarts(self, council: int, away: bool) -> None:
        self._region().stop_coordinator()
        if away:
            self._council(council).visit()
        self._world.start_coordinator()

    @rule(number=_NUMBER, restore=st.booleans())
    def copy_database(self, number: int, restore: bool) -> None:
        if restore:
            self._region().restore_database(number)
        else:
            self._region().back_up_database()

    @rule(council=_COUNCIL, losses=st.lists(_LOSS, max_size=3))
    def back_up_node_and_visit(self, council: int, losses: list[Rho]) -> None:
        self._council(council).back_up()
        for loss in losses:
            self._ask(loss)
        self._council(council).visit()

    @rule(
        council=_COUNCIL,
        number=_NUMBER,
        crash=st.one_of(st.just(NO_CRASH), _CRASH),
        skew=st.sampled_from((0, 0, -35 * DAY, 95 * DAY)),
        loss=_NEW,
    )
    def restore_node_and_recover(
        self, council: int, number: int, crash: Crash, skew: int, loss: Rho | None
    ) -> None:
        self._world.restore_node(self._council(council), number)
        self._council(council).visit()
        with self._council(council).clock_wrong_by(skew):
            self._council(council).recover(crash)
        self._ask(loss)
        self._council(council).visit()

    @rule(council=_COUNCIL)
    def recover(self, council: int) -> None:
        self._council(council).recover()

    @invariant()
    def records_verify(self) -> None:
        self._run.watch.happened["steps"] += 1
        if self._touched is not None:
            self._touched.check_records()
            self._touched = None
        self._sound = True

    def teardown(self) -> None:
        try:
            if self._sound:
                self._run.noise.judge()
                witnesses = [council.witness for council in self._world.councils]
                happened = self._run.watch.happened
                happened["releases under faults"] += sum(one.released for one in witnesses)
                self._world.settle()
                happened["rounds answered"] += sum(one.answered for one in witnesses)
        finally:
            self._world.close()
            shutil.rmtree(self._world.folder, ignore_errors=True)
