"""One council of a simulated region: a node's files, its operator, and what happens to them."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from faults import (
    FAIR_WEATHER,
    NO_CRASH,
    Crash,
    DyingConnection,
    Meanwhile,
    PowerCut,
    Weather,
)
from invariants import Invariant, Watch
from noise_watch import NoiseWatch
from policy_terms import ROOM_FOR_ALL, Policy, Terms, policy_text
from scenery import Scenery
from wire import Wire
from witness import Circumstance, Witness

from folkmoot_node.answering.event import Event
from folkmoot_node.answering.reconcile import compare, recover, require_same_time
from folkmoot_node.answering.visit import is_open
from folkmoot_node.evidence.outbox import AnswerKind
from folkmoot_node.evidence.round_book import Decision
from folkmoot_node.federation.identity import load_policy_key
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.policies.release_policy import ReleasePolicy, load_unsigned, sign
from folkmoot_node.release.steps import AnswerStage, ignore
from folkmoot_node.running.serve import visit
from folkmoot_operator.problems import Problem

MAX_VISIT = 60.0
"""Seconds; half of what a single call may take."""
DAY = 86_400


@dataclass(frozen=True)
class _Operator:
    """What the operator knows to have decided, or may have decided."""

    approved: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Backup:
    folder: Path
    operator: _Operator
    policy: ReleasePolicy | None
    extract: str
    departures: int


class Council:
    """A node that is visited by faults, and the witness of what it lets out."""

    def __init__(
        self,
        code: str,
        folder: Path,
        scenery: Scenery,
        noise: NoiseWatch,
        watch: Watch,
        region_clock: Callable[[], int],
    ) -> None:
        self.code = code
        self.home = folder / code
        self.skew = 0
        self._scenery = scenery
        self._watch = watch
        self._region_clock = region_clock
        shutil.copytree(scenery.node(code), self.home)
        self.wire: Wire = scenery.wires[code]
        self.wire.reset(self.home / "keys")
        self.witness = Witness(
            code, scenery.signing.public, lambda name: scenery.stores[code, name], noise, watch
        )
        self._operator = _Operator()
        self._backups: list[_Backup] = []
        self._forgotten: set[int] = set()
        self._policy: ReleasePolicy | None = None
        self._extract = ""
        self.score("spring")
        self.sign_policy(Policy.ORDINARY.value)

    def clock(self) -> int:
        """The node's clock."""
        return self._region_clock() + self.skew

    @contextmanager
    def opened(self, crash: Crash = NO_CRASH, meanwhile: Meanwhile = ignore) -> Iterator[NodeHome]:
        """The node's process: an open home that dies where it has to."""
        dying: DyingConnection | None = None

        def observe(step: AnswerStage) -> None:
            assert dying is not None
            meanwhile(step)
            dying.reached(step)

        try:
            with open_home(self.home, clock=self.clock, observe=observe) as node:
                # What a power cut leaves is written by `leave_remains`, whatever the disk has.
                node.state.reader.execute("PRAGMA synchronous = OFF")
                dying = DyingConnection(node.state.reader, node.state.path, crash)
                node.state._connection = dying  # type: ignore[assignment]
                yield node
        except PowerCut:
            assert dying is not None
            dying.leave_remains()
            self._watch.happened["processes died"] += 1

    def visit(
        self,
        weather: Weather = FAIR_WEATHER,
        crash: Crash = NO_CRASH,
        rival_at: AnswerStage | None = None,
    ) -> list[Event]:
        """One visit to the coordinator; a problem ends it, as it ends the command.

        Args:
            weather: What the network does.
            crash: Where the process dies.
            rival_at: At which step a second process makes a whole visit of its own.
        """
        self.wire.set_weather(weather)
        self.witness.note(self._circumstance())
        silent = self._knows_of_a_loss()
        before = self.witness.answers_sent
        events: list[Event] = []

        def meanwhile(step: AnswerStage) -> None:
            nonlocal rival_at
            if step is rival_at:
                rival_at = None
                self._watch.happened["two processes at once"] += 1
                self._run(NO_CRASH, ignore, events)

        self._run(crash, meanwhile, events)
        self._watch.happened["visits"] += 1
        self.wire.set_weather(FAIR_WEATHER)
        self.watch()
        if silent and self.witness.answers_sent > before:
            text = "the node knew that its files were incomplete, and answered"
            self._watch.broken(Invariant.RECORDS, text)
        return events

    def _knows_of_a_loss(self) -> bool:
        with self.opened() as node:
            return bool(node.lost_answers.outstanding())

    def _run(self, crash: Crash, meanwhile: Meanwhile, events: list[Event]) -> None:
        begun = time.monotonic()
        try:
            with self.opened(crash, meanwhile) as node:
                visit(node, events.append)
        except Problem as problem:
            events.append(Event("", str(problem), is_problem=True))
        except Exception as error:
            text = f"the node fell over: {type(error).__name__}: {error}"
            self._watch.broken(Invariant.LIVENESS, text)
        took = time.monotonic() - begun
        if took > MAX_VISIT:
            self._watch.broken(Invariant.LIVENESS, f"a visit took {took:.0f} s")

    def watch(self) -> None:
        """Lets the witness see what passed the wire since the last time."""
        for offered in self.wire.take_told():
            self.witness.hear(offered)
        for departure in self.wire.take_departures():
            self.witness.see(departure)

    def decide(self, number: int, decision: Decision | None, crash: Crash = NO_CRASH) -> None:
        """The operator approves, declines or takes a decision back, if the node allows it."""
        with suppress(Problem), self.opened(crash) as node:
            book = node.round_book()
            rounds = book.rounds()
            if not rounds:
                return
            known = rounds[number % len(rounds)]
            round_id = known.round_id
            before = self._operator
            if decision is Decision.APPROVED:
                self._operator = _Operator(before.approved | {round_id}, before.declined)
            else:
                self._operator = _Operator(before.approved, before.declined - {round_id})
            if decision is None:
                book.undecide(known, "operator", node.clock(), node.outbox)
                self._operator = _Operator(
                    before.approved - {round_id}, before.declined - {round_id}
                )
            else:
                book.decide(known, decision, "operator", node.clock(), node.outbox)
                if decision is Decision.DECLINED:
                    self._operator = _Operator(
                        before.approved - {round_id}, before.declined | {round_id}
                    )
            with node.state.transaction() as connection:
                body = {"action": "decided", "by": "operator", "round_id": round_id}
                node.audit.append(connection, node.clock(), body)

    def sign_policy(self, terms: Terms = ROOM_FOR_ALL) -> None:
        """The council writes a release policy and signs it."""
        path = self._write_policy(terms)
        key = load_policy_key(self.home / "keys" / "policy-signing.key")
        sign(path, key, "Tester", self.clock())
        self._policy, _ = load_unsigned(path)

    @contextmanager
    def policy_replaced(self, terms: Terms | None) -> Iterator[None]:
        """For a while there is another policy: a signed one, or a generous one that nobody
        signed.
        """
        paths = [self.home / "release-policy.toml", self.home / "release-policy.toml.sig"]
        before = [path.read_bytes() for path in paths], self._policy
        if terms is None:
            self._write_policy(ROOM_FOR_ALL)
            self._policy = None
        else:
            self.sign_policy(terms)
        yield
        for path, content in zip(paths, before[0], strict=True):
            path.write_bytes(content)
        self._policy = before[1]

    @contextmanager
    def clock_wrong_by(self, seconds: int) -> Iterator[None]:
        """For a while the node's clock is wrong."""
        before, self.skew = self.skew, seconds
        yield
        self.skew = before

    def _write_policy(self, terms: Terms) -> Path:
        path = self.home / "release-policy.toml"
        path.write_text(policy_text(terms, self.code, self._scenery.start))
        return path

    def score(self, extract: str) -> None:
        """New extracts are scored."""
        shutil.copytree(
            self._scenery.extract(self.code, extract), self.home / "store", dirs_exist_ok=True
        )
        self._extract = extract

    def back_up(self) -> None:
        """Somebody copies the node's folder."""
        folder = self.home.with_name(f"{self.code}-backup-{len(self._backups)}")
        shutil.copytree(self.home, folder)
        self._backups.append(
            _Backup(
                folder,
                self._operator,
                self._policy,
                self._extract,
                len(self.witness.departures),
            )
        )

    def restore(self, number: int) -> None:
        """Somebody puts an old copy of the node's folder in its place."""
        if not self._backups:
            return
        self._watch.happened["nodes restored"] += 1
        backup = self._backups[number % len(self._backups)]
        shutil.rmtree(self.home)
        shutil.copytree(backup.folder, self.home)
        self._operator, self._policy = backup.operator, backup.policy
        self._extract = backup.extract
        self._forgotten.update(range(backup.departures, len(self.witness.departures)))

    def recover(self, crash: Crash = NO_CRASH) -> None:
        """The operator accounts for answers that have left and are not in the node's files."""
        with suppress(Problem), self.opened(crash) as node:
            with node.connect() as client:
                require_same_time(compare(node, client, client.negotiate()))
            for lost in node.lost_answers.outstanding():
                recover(node, lost)
                self._watch.happened["answers recovered"] += 1
        self.watch()

    def answers_on_record(self) -> frozenset[str]:
        """Ids of rounds whose answer the node holds, or knows to have lost."""
        with self.opened() as node:
            lost = {one.receipt.round_id for one in node.lost_answers.all()}
            return frozenset(node.outbox.digests()) | lost

    def check_records(self) -> None:
        """Verifies the node's files, and compares its egress log with what left.

        A node that knows that answers are missing says so; then nothing needs to verify, but
        nothing may leave.

        Raises:
            Broken: RECORDS.
        """
        fault = ""
        with self.opened() as node:
            logged = list(node.egress.departures())
            try:
                node.verify_evidence(thorough=False)
            except Problem as problem:
                if not node.lost_answers.outstanding():
                    fault = str(problem)
        if fault:  # told outside: an open home takes any other exception for a fault of its own
            self._watch.broken(Invariant.RECORDS, fault)
        whole = Counter((one.method, one.sha256) for one in logged)
        calls = Counter(one.method for one in logged)
        left = [
            departure
            for number, departure in enumerate(self.witness.departures)
            if number not in self._forgotten and departure.messages
        ]
        seen = Counter(
            (one.method, hashlib.sha256(b"".join(one.messages)).digest())
            for one in left
            if one.whole
        )
        if seen - whole or Counter(one.method for one in left) - calls:
            text = "a message left that the egress log does not list"
            self._watch.broken(Invariant.RECORDS, text)

    def check_rounds_ended(self) -> None:
        """Every round that the node knows has ended, with a reason.

        Raises:
            Broken: LIVENESS.
        """
        with self.opened() as node:
            approval = node.release_policy().policy.operator_approval
            for known in node.round_book().rounds():
                answer = node.outbox.find(known.round_id)
                status = known.status(answer, approval=approval, now=node.clock())
                if is_open(status):
                    text = f"round {known.round_id} never ends: {status.value}"
                    self._watch.broken(Invariant.LIVENESS, text)
                if (
                    answer is not None
                    and answer.kind is AnswerKind.REFUSAL
                    and not answer.reason
                    and not answer.is_recovered  # its reason is known to the coordinator alone
                ):
                    text = f"round {known.round_id} was refused for no reason"
                    self._watch.broken(Invariant.LIVENESS, text)

    def newest_entry(self) -> int:
        """When the newest ledger entry was made, by the node's clock then; 0 if none."""
        with self.opened() as node:
            entries = node.state.chain("ledger").entries()
            return max((entry.at for entry in entries), default=0)

    def _circumstance(self) -> Circumstance:
        return Circumstance(
            self.clock(),
            self._policy,
            self._operator.approved,
            self._operator.declined,
            self._extract,
        )
