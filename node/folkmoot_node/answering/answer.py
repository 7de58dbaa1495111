"""Answering rounds: learn of them, release or refuse, deliver, keep the receipt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from folkmoot.errors import ContractError
from folkmoot.refusal import RefusalReason
from folkmoot.rejection import RejectionReason
from folkmoot.rounds import Round, round_digest
from folkmoot.v1 import release_pb2
from folkmoot.versions import SPOKEN
from folkmoot_node.answering.reconcile import reconcile, require_complete
from folkmoot_node.answering.witnesses import leave_head
from folkmoot_node.evidence.outbox import Answer, AnswerKind, HeldReceipt
from folkmoot_node.evidence.pauses import require_running
from folkmoot_node.evidence.restored import require_compared
from folkmoot_node.evidence.round_book import MAX_ROUNDS_A_DAY, Decision, KnownRound, RoundStatus
from folkmoot_node.evidence.scoring_runs import StoppedRun
from folkmoot_node.evidence.signatures import check_receipt
from folkmoot_node.federation.client import CoordinatorClient, RejectedByCoordinator
from folkmoot_node.home import NodeHome
from folkmoot_node.release import admission
from folkmoot_node.release.office import Question
from folkmoot_node.release.steps import AnswerStage
from folkmoot_node.signals import events
from folkmoot_node.signals.spans import ANSWER
from folkmoot_operator.events import LogEvent, emit
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.spans import span
from folkmoot_operator.sqlite_faults import DamagedDatabase, UnusableDatabase

if TYPE_CHECKING:
    from folkmoot_node.policies.release_policy import SignedReleasePolicy
    from folkmoot_node.release.admission import AdmissionContext
    from folkmoot_node.release.exact_counts import ExactCounts
    from folkmoot_node.store.reader import HouseholdStore

NOT_ANSWERED = "no round is answered"
STOPPED = "a scoring run was stopped before its end, and the scores are older than that"
INCOMPLETE = (
    "a plugin failed in the last scoring run, and its factors are unknown for every household"
)
RESUME = (
    "Find the cause and run `folkmoot-node score` again; or, to answer from the scores there are, "
    "`folkmoot-node rounds resume --reason TEXT`"
)
"""What a person can do about rounds that wait since a run was stopped."""


def why_rounds_wait(run: StoppedRun) -> str:
    """Why rounds wait since a scoring run, for people."""
    return INCOMPLETE if run.is_incomplete else STOPPED


_NOT_ITS_FAULT = {RejectionReason.CERTIFICATE, RejectionReason.VERSION}
"""Rejections of the node rather than of the answer, which is kept and sent again."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for the operator and the node's own log.

    Attributes:
        round_id: Round concerned, or empty.
        text: What happened; holds nothing derived from households.
        is_problem: True if somebody has to look.
        kind: What the log calls it.
    """

    round_id: str
    text: str
    is_problem: bool = False
    kind: LogEvent | None = field(default=None, compare=False)

    def emit(self) -> None:
        """Writes it into the log."""
        kind = self.kind or (events.PROBLEM if self.is_problem else events.NOTE)
        emit(kind, round=self.round_id, text=self.text)


def poll(home: NodeHome, client: CoordinatorClient) -> Iterator[Event]:
    """One visit to the coordinator: compare records, deliver what is owed, learn of rounds,
    answer them.

    Raises:
        Problem: If the coordinator cannot be reached or does not accept this node, or if this
            node's files are older than what has left it.
    """
    protocol = client.negotiate()
    comparison = reconcile(home, client, protocol)
    yield from send_again(home, client, protocol, comparison.lost_there)
    yield from deliver(home, client)
    yield from learn(home, client, protocol)
    for known in home.round_book().unanswered(home.outbox, home.clock()):
        yield from consider(home, known, protocol)
    yield from deliver(home, client)
    yield from forget_ended_series(home)


def learn(home: NodeHome, client: CoordinatorClient, protocol: int) -> Iterator[Event]:
    """Fetches open rounds and keeps those that are signed and not seen before."""
    book = home.round_book()
    for signed in islice(client.rounds(protocol), MAX_ROUNDS_A_DAY):
        try:
            book.receive(signed.round, signed.signature, home.clock())
        except (DamagedDatabase, UnusableDatabase):
            raise  # all other rounds would meet it too
        except (Problem, ContractError) as error:
            yield Event("", str(error), True, events.ROUND_UNREADABLE)


def consider(home: NodeHome, known: KnownRound, protocol: int = SPOKEN.newest) -> Iterator[Event]:
    """Answers a round if it can be answered now."""
    try:
        with span(ANSWER, round=known.round_id) as traced:
            traced.say(result="not_answered")
            answer = answer_round(home, known, protocol)
            traced.say(result="waits" if answer is None else answer.kind.value)
    except (DamagedDatabase, UnusableDatabase):
        raise
    except Problem as error:
        text = f"cannot be answered: {error}. {error.remedy}"
        yield Event(known.round_id, text, True, events.ROUND_NOT_ANSWERED)
        return
    if answer is not None:
        is_release = answer.kind is AnswerKind.RELEASE
        kind = events.ROUND_RELEASED if is_release else events.ROUND_REFUSED
        yield Event(known.round_id, _describe(home, known, answer), kind=kind)
    elif home.clock() < known.facts.deadline:
        yield _waiting(home, known)


def answer_round(home: NodeHome, known: KnownRound, protocol: int = SPOKEN.newest) -> Answer | None:
    """Answers a round as policy and operators decide, and stores the answer.

    Args:
        home: The node.
        known: The round.
        protocol: Wire version of the answer, as agreed with the coordinator.

    Returns:
        The one answer to the round; None if its deadline has passed, or an operator has
        to decide first: about the round, or since a scoring run was stopped.

    Raises:
        Problem: If it cannot be answered yet, for example because there are no scores; or must not
            be, because this node's files are older than what has left it.
    """
    office = replace(home.office, protocol=protocol)
    book, council = home.round_book(), home.config.council
    # The door asks this too. It is asked here first because a round that has its answer needs
    # no scores and no policy; and there once more because opening the scores takes a while, in
    # which another process may have answered.
    earlier = office.outbox.find(known.round_id)
    if earlier is not None:
        return earlier
    require_running(home, NOT_ANSWERED)
    require_complete(home)
    require_compared(home.state)
    if home.clock() >= known.facts.deadline:
        return None
    known = book.find(known.round_id) or known  # decided since it was read?
    if known.decision is Decision.DECLINED:
        return office.refuse(known.round_id, known.digest, council, declined(known))
    round_ = book.question(known)
    counts_then = home.counts_then(round_)
    ended = ended_without_scores(home, then=counts_then)
    if ended is not None:
        return office.refuse(known.round_id, known.digest, council, ended)
    # late: see `load_release`
    from folkmoot_node.answering.scores_wait import require_scores_for
    from folkmoot_node.release.mechanism import release

    def confirm() -> None:
        """Asks in the transaction that stores a release whether it is still permitted."""
        require_running(home, NOT_ANSWERED)
        now = book.find(known.round_id)
        if counts_then and not home.config.snapshot_path.exists():
            raise Problem(
                "the households as they were known on a past date were deleted while the answer "
                "was made; nothing was stored",
                where=f"round {known.round_id}",
                remedy="It is answered when they are kept again",
                exit_code=ExitCode.DATA,
            )
        if stopped is None and home.stopped_run() is not None:
            raise Problem(
                "a scoring run began while the answer was made; nothing was stored",
                where=f"round {known.round_id}",
                remedy="It is answered when the run has ended well",
                exit_code=ExitCode.REFUSED,
            )
        if now is None or now.decision not in {known.decision, Decision.APPROVED}:
            raise Problem(
                "an operator decided otherwise while the answer was made; nothing was stored",
                where=f"round {known.round_id}",
                remedy="See `folkmoot-node rounds show`",
                exit_code=ExitCode.REFUSED,
            )

    signed, stopped = home.release_policy(), home.stopped_run()
    with ExitStack() as stack:
        store = stack.enter_context(home.open_store_for_round(round_))
        if stopped is not None and not _are_of_today(home, store):
            return None
        require_scores_for(home, store.run, round_)
        home.permit(home, store.run.policy_digest)
        context = home.admission_context(store, signed, round_)
        return release(
            Question(
                round_,
                known.digest,
                context,
                signed.digest,
                store.run.reference_date,
                signed.key,
            ),
            office,
            lambda: _tabulate(home, round_, store, signed, context, stack),
            threads=home.config.threads,
            approved=stopped is None
            and (not signed.policy.operator_approval or known.decision is Decision.APPROVED),
            confirm=confirm,
        )


def _are_of_today(home: NodeHome, store: HouseholdStore) -> bool:
    """Whether a new run would judge a round by the same policy and licences as these scores.

    Where it would not, a refusal that rests on these scores is one that the stopped run has
    chosen, and a refusal is final.
    """
    policy, run = home.risk_policy(), store.run
    same_end = home.today() <= run.last_day or home.today() > policy.sunset
    return run.policy_digest == policy.digest and same_end


def _waiting(home: NodeHome, known: KnownRound) -> Event:
    """What a round waits for that has no answer yet."""
    approval = home.release_policy().policy.operator_approval
    stopped = home.stopped_run()
    if stopped is None or (approval and known.decision is None):
        text = "waits for an operator: see `folkmoot-node rounds show`"
        return Event(known.round_id, text, kind=events.ROUND_WAITS_FOR_APPROVAL)
    if is_scoring(home):
        text = "waits for the scoring run that is going on"
        return Event(known.round_id, text, kind=events.ROUND_WAITS_FOR_SCORES)
    text = f"waits: {why_rounds_wait(stopped)}. {RESUME}"
    return Event(known.round_id, text, True, events.ROUND_WAITS_AFTER_RUN)


def is_scoring(home: NodeHome) -> bool:
    """Whether a scoring run is going on now."""
    from folkmoot_node.store.encrypted_file import is_in_use  # late: see `load_release`

    path = home.config.store_path
    return path.parent.is_dir() and is_in_use(path)


def load_release() -> None:
    """Loads what a release needs, so that the first round does not wait for it.

    That is OpenDP, NumPy and DuckDB. They are imported late, here and in this module's other
    functions, because a visit without a round, and most commands, need none of them.
    """
    import duckdb  # noqa: F401

    from folkmoot_node.release import mechanism, tabulate  # noqa: F401


def _tabulate(
    home: NodeHome,
    round_: Round,
    store: HouseholdStore,
    signed: SignedReleasePolicy,
    context: AdmissionContext,
    stack: ExitStack,
) -> ExactCounts:
    """The exact tables of a round; a series' history stays open until `stack` is closed."""
    from folkmoot_node.release.tabulate import tabulate, tabulate_series  # late: see `load_release`

    council = home.config.council
    if context.series is None:
        return tabulate(store, round_, council)
    if context.series.unknown:
        raise Problem(
            "a round that was recovered from its receipt may have been of its series, and whom it "
            "counted is not known: they would be counted again",
            where=f"round {context.series.unknown[0]}",
            remedy="Put a newer copy of the node's folder back, or decline the rounds of the "
            "series",
            exit_code=ExitCode.DATA,
        )
    if context.series.pending:
        raise Problem(
            "an earlier release of its series is not delivered yet",
            where=f"round {context.series.pending[0]}",
            remedy="It is answered at the next visit after that is delivered",
            exit_code=ExitCode.UNREACHABLE,
        )
    history = stack.enter_context(home.open_history(round_))
    # From here on no other process answers a round of the series. Until here one could, so it
    # is asked again whether what was judged, the charge among it, is still so.
    if home.series_progress(signed, round_, context.now) != context.series:
        raise Problem(
            "another process answered a round of its series meanwhile",
            where=f"round {round_.round_id}",
            remedy="Try again",
            exit_code=ExitCode.DATA,
        )
    history.require_known({known.round_id for known in home.round_book().rounds()})
    return tabulate_series(store, history, round_, council, context.series)


def forget_ended_series(home: NodeHome) -> Iterator[Event]:
    """Deletes the histories of series of which no further round can be answered.

    That is so when the last round of a series is released, or its end has passed.
    """
    folder = home.config.history_folder
    if not folder.is_dir():
        return
    from folkmoot_node.store.event_history import SUFFIX, forget  # late: see `load_release`

    over = ended_series(home)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.stem in over:
            try:
                forget(path)
            except Problem:  # in use: next time
                continue
            text = f"series {path.stem[:12]} has ended; whom it counted is forgotten"
            yield Event("", text, kind=events.SERIES_FORGOTTEN)


def ended_series(home: NodeHome) -> set[str]:
    """Series of which no further round can be answered, by id."""
    over: set[str] = set()
    if not home.config.history_folder.is_dir():
        return over
    answered = home.outbox.digests()
    for known in home.round_book().rounds():
        series = known.facts.series
        if series is None:
            continue
        last = series.position == series.length and known.round_id in answered
        if home.clock() >= series.ends_at or last:
            over.add(series.series_id)
    return over


def ended_without_scores(home: NodeHome, *, then: bool = False) -> admission.Objection | None:
    """The objection of a node whose scores are gone, and whose policy makes no new ones.

    Args:
        home: The node.
        then: Whether households as they were known on a past date are asked for.
    """
    if (home.config.snapshot_path if then else home.config.store_path).exists():
        return None
    sunset = home.risk_policy().sunset
    if home.today() <= sunset:
        return None
    return admission.Objection(RefusalReason.SUNSET, f"the policy ended on {sunset}")


def declined(known: KnownRound) -> admission.Objection:
    """The objection of an operator who declined."""
    return admission.Objection(RefusalReason.DECLINED, f"declined by {known.decided_by}")


def deliver(home: NodeHome, client: CoordinatorClient) -> Iterator[Event]:
    """Sends every answer that has no receipt yet, and keeps the receipts.

    Raises:
        Problem: If the coordinator cannot be reached or this node is paused; what is owed is sent
            next time.
    """
    book = home.round_book()
    for answer in home.outbox.undelivered():
        require_running(home, "no answer is sent")
        if not book.is_of_this_region(answer.round_id):
            text = "belongs to another region; its answer is kept and not sent"
            yield Event(answer.round_id, text, True, events.ANSWER_OF_ANOTHER_REGION)
            continue
        try:
            signed = client.deliver(answer)
        except RejectedByCoordinator as error:
            if error.exit_code is ExitCode.UNREACHABLE or error.rejection.reason in _NOT_ITS_FAULT:
                raise
            home.outbox.close(answer.round_id, error.rejection.reason.name)
            text = f"the coordinator did not accept: {error}"
            yield Event(answer.round_id, text, True, events.ANSWER_NOT_ACCEPTED)
            continue
        home.observe(AnswerStage.DELIVERED)
        _check(home, answer, signed)
        home.outbox.acknowledge(answer.round_id, signed.receipt, signed.signature)
        home.observe(AnswerStage.ACKNOWLEDGED)
        text = f"{answer.kind.value} delivered, receipt held"
        yield Event(answer.round_id, text, kind=events.ANSWER_DELIVERED)
    for what in leave_head(home):
        yield Event("", what, True, events.HEAD_NOT_WITNESSED)


def send_again(
    home: NodeHome, client: CoordinatorClient, protocol: int, lost_there: frozenset[str]
) -> Iterator[Event]:
    """Sends answers that the coordinator has lost, the same bytes, where the round is open.

    The first receipt is kept: it proves that the answer had been stored.

    Args:
        home: The node.
        client: The coordinator.
        protocol: Wire version.
        lost_there: Rounds whose answer has a receipt here and is not held there.

    Raises:
        Problem: If the coordinator cannot be reached.
    """
    if not lost_there:
        return
    asked = home.outbox.rounds()
    for listed in islice(client.rounds(protocol), MAX_ROUNDS_A_DAY):
        round_id = asked.pop(round_digest(listed.round), None)  # each once a visit
        answer = home.outbox.find(round_id) if round_id in lost_there else None
        if answer is None:
            continue
        if answer.is_recovered:
            text = "the coordinator has lost the answer, and this node's files do not hold it"
            text = f"{text}; the round is not answered again"
            yield Event(answer.round_id, text, True, events.ANSWER_LOST)
            continue
        require_running(home, "no answer is sent")
        try:
            _check(home, answer, client.deliver(answer))
        except RejectedByCoordinator as error:
            if error.exit_code is ExitCode.UNREACHABLE or error.rejection.reason in _NOT_ITS_FAULT:
                raise
            text = f"the coordinator has lost the answer: {error}"
            yield Event(answer.round_id, text, True, events.ANSWER_LOST)
            continue
        text = "the coordinator had lost the answer; the same bytes were sent again, and are held"
        yield Event(answer.round_id, text, True, events.ANSWER_SENT_AGAIN)


def _check(home: NodeHome, answer: Answer, signed: release_pb2.SignedReceipt) -> None:
    held = HeldReceipt(signed.receipt, signed.signature)
    check_receipt(home.identity().signing_key, home.config.council, answer, held)


def _describe(home: NodeHome, known: KnownRound, answer: Answer) -> str:
    if answer.kind is AnswerKind.RELEASE:
        asked, head = home.round_book().question(known), home.ledger.head()
        if asked.series is not None:
            place = f"round {asked.series.position} of {asked.series.length}"
            return f"released: {place} of a series of rho {asked.loss} in all; ledger head {head}"
        return (
            f"released: rho {asked.loss}, epsilon {asked.epsilon_for():.2f} at delta "
            f"{asked.delta}; ledger head {head}"
        )
    assert answer.reason is not None
    return f"refused: {answer.reason.meaning}"


def is_open(status: RoundStatus) -> bool:
    """True while a round needs something that this node does by itself.

    What waits for a person does not: an approval, or a decision since a scoring run was stopped.
    """
    return status in {
        RoundStatus.READY,
        RoundStatus.DECLINED,
        RoundStatus.RELEASED,
        RoundStatus.REFUSED,
    }
